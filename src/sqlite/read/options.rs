use std::path::PathBuf;

use crate::record::KindSet;

/// How a database is read.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// The kinds to read.
    pub only: KindSet,
    /// Columns to ignore although they contain values, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// Whether such a column may be missing.
    pub allow_no_columns: bool,
    /// Directory in which SQLite sorts what does not fit into memory. Applies to the whole process.
    pub temp_dir: Option<PathBuf>,
    /// Whether to run `PRAGMA integrity_check` first.
    pub check_integrity: bool,
    /// Whether to ignore all columns without a record field, even if they contain values.
    pub ignore_unknown_columns: bool,
    /// Whether a database with none of the four tables counts as one without records.
    pub allow_no_tables: bool,
}
