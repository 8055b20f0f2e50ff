//! SQLite databases: which tables and columns hold records, how a database in any state is opened
//! without leaving a trace, how rows come in key order, and how records become rows.

mod error;
#[cfg(feature = "native-v2")]
mod merge;
mod open;
mod read;
mod record_table;
mod schema;
#[cfg(feature = "native-v2")]
mod scratch;
mod shared_connection;
mod write;

pub use error::SqliteError;
#[cfg(feature = "native-v2")]
pub(crate) use merge::SqliteMerge;
#[cfg(feature = "native-v2")]
pub(crate) use merge::final_ids::{FinalIds, Holder, IdClash};
#[cfg(feature = "native-v2")]
pub use merge::full_text::StaleIndex;
#[cfg(feature = "native-v2")]
pub(crate) use merge::target::{TargetPath, roll_back};
#[cfg(feature = "native-v2")]
pub(crate) use open::connection::is_hot_journal;
#[cfg(feature = "native-v2")]
pub(crate) use open::open_mode::DatabaseFiles;
#[cfg(feature = "native-v2")]
pub(crate) use open::private_copy::copy_database;
#[cfg(feature = "native-v2")]
pub(crate) use open::sidecars::side_files;
pub use read::options::SqliteSnapshotOptions;
pub use read::snapshot::SqliteSnapshot;
#[cfg(feature = "native-v2")]
pub(crate) use read::symbol_graph::other_symbol;
pub use read::table_stats::TableSurvey;
pub(crate) use record_table::RecordTable;
#[cfg(feature = "native-v2")]
pub(crate) use schema::{key_columns, record_id};
#[cfg(feature = "native-v2")]
pub(crate) use scratch::entries::{EntrySpool, SharingEntry, Unique};
#[cfg(feature = "native-v2")]
pub(crate) use scratch::rejected_lines::{LineSpool, SpooledLine};
#[cfg(feature = "native-v2")]
pub(crate) use scratch::sets::{IdSet, ScratchSet};
pub use shared_connection::SharedConnection;
#[cfg(feature = "native-v2")]
pub(crate) use write::bulk_loader::SqliteLoad;
#[cfg(feature = "native-v2")]
pub(crate) use write::read_back::{WrittenRows, count_rows};
#[cfg(feature = "native-v2")]
pub(crate) use write::rejection::Rejection;
pub use write::writer::{create_tables, insert_records, set_sequences};
