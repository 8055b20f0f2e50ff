use std::path::PathBuf;

use crate::record::KindSet;
use crate::table::{CarriedTables, TableSelection};

/// How a database is read.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// The kinds to read.
    pub only: KindSet,
    /// The tables to carry in addition.
    pub tables: TableSelection,
    /// The kinds whose tables are carried as records; by default those to read.
    pub as_records: Option<KindSet>,
    /// Whether a named table may be missing.
    pub may_lack_tables: bool,
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

impl SourceOptions {
    /// The same options for the tables that another store carries.
    #[must_use]
    pub(crate) fn following(&self, carried: Option<&CarriedTables>) -> Self {
        let mut options = self.clone();
        if let Some(carried) = carried {
            if options.tables.is_none() {
                options.tables = carried.selection();
            }
            options.may_lack_tables = true;
            options.only = carried.record_kinds(self.only);
            options.as_records = Some(carried.described_kinds());
        }
        options
    }
}
