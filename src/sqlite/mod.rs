//! SQLite databases: the tables and columns that contain records, opening a database in any state
//! without leaving a trace, reading rows in key order, and writing records as rows.

#[cfg(feature = "native-v2")]
mod affinity;
#[cfg(feature = "native-v2")]
pub(crate) mod merge;
mod open;
pub(crate) mod read;
mod record_table;
mod schema;
#[cfg(feature = "native-v2")]
mod scratch;
mod shared_connection;
pub(crate) mod tables;
pub(crate) mod write;

#[cfg(feature = "native-v2")]
pub(crate) use merge::final_ids::{FinalIds, Holder, IdClash};
#[cfg(feature = "native-v2")]
pub(crate) use merge::full_text::{StaleIndex, stale_in};
#[cfg(feature = "native-v2")]
pub(crate) use merge::target::{TargetPath, roll_back};
#[cfg(feature = "native-v2")]
pub(crate) use merge::{Derived, SqliteMerge};
pub(crate) use open::connection::is_hot_journal;
pub(crate) use open::open_mode::SourceFiles;
pub(crate) use open::private_copy::copy_database;
pub(crate) use read::options::SourceOptions;
pub(crate) use read::snapshot::SqliteSnapshot;
pub(crate) use read::symbol_graph::other_symbol;
pub(crate) use record_table::{RecordTable, Replacement};
pub(crate) use schema::record_id;
#[cfg(feature = "native-v2")]
pub(crate) use scratch::entries::{Duplicate, ScratchEntries, Unique};
#[cfg(feature = "native-v2")]
pub(crate) use scratch::rejected_lines::{ScratchLine, ScratchLines};
#[cfg(feature = "native-v2")]
pub(crate) use scratch::rows::ScratchRows;
#[cfg(feature = "native-v2")]
pub(crate) use scratch::sets::{IdSet, Refusals, ScratchSet};
pub use shared_connection::SharedConnection;
pub(crate) use shared_connection::TransactionOwner;
#[cfg(feature = "native-v2")]
pub(crate) use tables::trial::{Refused, try_schema};
#[cfg(feature = "native-v2")]
pub(crate) use write::bulk_loader::{Restored, SqliteBulkLoader};
#[cfg(feature = "native-v2")]
pub(crate) use write::read_back::{WrittenRows, count_rows, describe};
pub(crate) use write::rejection::Rejection;
pub(crate) use write::writer::{create_tables, insert_records, set_sequences};
