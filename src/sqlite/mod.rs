//! SQLite databases: which tables and columns hold records, how a database in any state is opened
//! without leaving a trace, how rows come in key order, and how records become rows.

mod contents;
mod defences;
#[cfg(feature = "native-v2")]
mod entry_spool;
mod error;
mod fetch;
mod files;
#[cfg(feature = "native-v2")]
mod id_register;
mod invalid_row;
mod inventory;
mod key_function;
mod key_index;
mod key_lookup;
mod layout;
#[cfg(feature = "native-v2")]
mod line_spool;
#[cfg(feature = "native-v2")]
mod load;
#[cfg(feature = "native-v2")]
mod merge;
mod open;
mod options;
#[cfg(feature = "native-v2")]
mod parking;
mod record_table;
mod row;
#[cfg(feature = "native-v2")]
mod row_order;
mod scan;
mod schema;
mod shared_connection;
mod side_files;
mod signature;
mod snapshot;
mod survey;
#[cfg(feature = "native-v2")]
mod temporary;
mod text;
mod upsert;
mod writer;
#[cfg(feature = "native-v2")]
mod written_rows;

#[cfg(feature = "native-v2")]
pub(crate) use entry_spool::{EntrySpool, SharingEntry, Unique};
pub use error::SqliteError;
#[cfg(feature = "native-v2")]
pub(crate) use files::DatabaseFiles;
#[cfg(feature = "native-v2")]
pub(crate) use id_register::IdRegister;
pub use invalid_row::{InvalidRow, RawValue, Reason, Visited, VisitedEntry, VisitedValue};
pub use inventory::OtherTable;
#[cfg(feature = "native-v2")]
pub(crate) use line_spool::{LineSpool, SpooledLine};
#[cfg(feature = "native-v2")]
pub(crate) use load::SqliteLoad;
#[cfg(feature = "native-v2")]
pub(crate) use merge::SqliteMerge;
#[cfg(feature = "native-v2")]
pub(crate) use open::is_hot_journal;
pub use options::SqliteSnapshotOptions;
pub(crate) use record_table::RecordTable;
#[cfg(feature = "native-v2")]
pub(crate) use schema::key_columns;
pub use schema::table_name;
pub use shared_connection::SharedConnection;
#[cfg(feature = "native-v2")]
pub(crate) use side_files::side_files;
pub use snapshot::SqliteSnapshot;
pub use survey::TableSurvey;
pub use writer::{create_tables, insert_records, set_sequences};
#[cfg(feature = "native-v2")]
pub(crate) use written_rows::{WrittenRows, count_rows};
