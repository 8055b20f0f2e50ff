use std::path::PathBuf;

use crate::record::RecordKind;

/// How a database is read.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// The kinds to look at; empty means all.
    pub only: Vec<RecordKind>,
    /// Columns to leave out although they hold values, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// Whether such a column may not be there.
    pub allow_no_columns: bool,
    /// Where SQLite sorts what does not fit into memory. This is a setting of the whole process.
    pub temp_dir: Option<PathBuf>,
    /// Whether to run `PRAGMA integrity_check` first.
    pub check_integrity: bool,
    /// Whether columns that no record has a field for may hold values, which stay where they are.
    pub ignore_unknown_columns: bool,
    /// Whether a database with none of the four tables is one without records.
    pub allow_no_tables: bool,
}
