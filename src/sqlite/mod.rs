//! SQLite databases: which tables and columns hold records, how a database in any state is opened
//! without leaving a trace, how rows come in key order, and how records become rows.

mod error;
mod files;
mod invalid_row;
mod inventory;
mod key_function;
mod layout;
mod open;
mod row;
mod scan;
mod schema;
mod snapshot;
mod survey;
mod text;
mod writer;

pub use error::SqliteError;
#[cfg(feature = "native-v2")]
pub(crate) use files::side_files;
pub use invalid_row::{InvalidRow, RawValue, Reason, Visited, VisitedEntry};
pub use inventory::OtherTable;
pub use schema::table_name;
pub use snapshot::{SqliteSnapshot, SqliteSnapshotOptions};
pub use survey::TableSurvey;
pub use writer::{create_tables, insert_records, set_sequences};
