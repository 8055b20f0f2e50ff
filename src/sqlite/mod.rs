//! SQLite databases: which tables and columns hold records, how a database in any state is opened
//! without leaving a trace, how rows come in key order, and how records become rows.

#[cfg(feature = "native-v2")]
mod affinity;
mod contents;
mod defences;
#[cfg(feature = "native-v2")]
mod entry_spool;
mod error;
mod fetch;
mod files;
#[cfg(feature = "native-v2")]
mod final_ids;
#[cfg(feature = "native-v2")]
mod full_text;
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
#[cfg(feature = "native-v2")]
mod merge_rows;
mod open;
mod options;
#[cfg(feature = "native-v2")]
mod parking;
#[cfg(feature = "native-v2")]
mod private_copy;
mod record_table;
#[cfg(feature = "native-v2")]
mod references;
mod rejection;
mod row;
mod row_fault;
#[cfg(feature = "native-v2")]
mod row_order;
mod scan;
mod schema;
#[cfg(feature = "native-v2")]
mod scratch_set;
mod shared_connection;
mod side_files;
mod signature;
#[cfg(feature = "native-v2")]
mod skipped_triggers;
mod snapshot;
mod survey;
mod symbol_graph;
#[cfg(feature = "native-v2")]
mod temporary;
mod text;
mod upsert;
#[cfg(feature = "native-v2")]
mod write_target;
mod writer;
#[cfg(feature = "native-v2")]
mod written_rows;

#[cfg(feature = "native-v2")]
pub(crate) use entry_spool::{EntrySpool, SharingEntry, Unique};
pub use error::SqliteError;
#[cfg(feature = "native-v2")]
pub(crate) use files::DatabaseFiles;
#[cfg(feature = "native-v2")]
pub(crate) use final_ids::{FinalIds, Holder, IdClash};
#[cfg(feature = "native-v2")]
pub use full_text::StaleIndex;
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
#[cfg(feature = "native-v2")]
pub(crate) use private_copy::copy_database;
pub(crate) use record_table::RecordTable;
#[cfg(feature = "native-v2")]
pub(crate) use rejection::Rejection;
#[cfg(feature = "native-v2")]
pub(crate) use schema::key_columns;
pub use schema::table_name;
#[cfg(feature = "native-v2")]
pub(crate) use scratch_set::{IdSet, ScratchSet};
pub use shared_connection::SharedConnection;
#[cfg(feature = "native-v2")]
pub(crate) use side_files::side_files;
pub use snapshot::SqliteSnapshot;
pub use survey::TableSurvey;
#[cfg(feature = "native-v2")]
pub(crate) use symbol_graph::other_symbol;
#[cfg(feature = "native-v2")]
pub(crate) use write_target::{TargetPath, roll_back};
pub use writer::{create_tables, insert_records, set_sequences};
#[cfg(feature = "native-v2")]
pub(crate) use written_rows::{WrittenRows, count_rows};
