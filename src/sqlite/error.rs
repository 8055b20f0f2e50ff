use std::path::PathBuf;

use thiserror::Error;

use super::read::snapshot::TOLD_PROBLEMS;
use crate::stream::{InvalidReason, in_brackets};

/// Why a SQLite database could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// SQLite reported an error that has no variant of its own here.
    #[error("cannot {action} {}", path.display())]
    Engine {
        /// What was tried, as a verb.
        action: &'static str,
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// Another process holds a lock, for longer than we wait.
    #[error("{} is locked by another process", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// An unfinished transaction has to be rolled back before the database can be read.
    #[error(
        "{} has a hot journal: an interrupted transaction must be rolled back first",
        path.display()
    )]
    HotJournal {
        /// The database.
        path: PathBuf,
    },
    /// The file is shorter than its header says.
    #[error(
        "{} is truncated: the header says {expected} bytes, the file has {actual}",
        path.display()
    )]
    Truncated {
        /// The database.
        path: PathBuf,
        /// Length that the header tells of, in bytes.
        expected: u64,
        /// Length of the file, in bytes.
        actual: u64,
    },
    /// SQLite found the database malformed, or what it says of itself does not hold.
    #[error("{} is corrupt: {detail}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// `PRAGMA integrity_check` found problems.
    #[error("{} fails SQLite's integrity check: {}", path.display(), first_problems(problems))]
    Integrity {
        /// The database.
        path: PathBuf,
        /// The first problems, in SQLite's words: the message has ten of them, and says if there are
        /// more.
        problems: Vec<String>,
    },
    /// An index or a column is ordered by a collation that is not SQLite's own.
    #[error("{} uses an unknown collation {collation:?}", path.display())]
    UnknownCollation {
        /// The database.
        path: PathBuf,
        /// Its name.
        collation: String,
    },
    /// A transaction of several databases was cut off, and this is one of them.
    #[error(
        "{} has a hot journal from a multi-database transaction (super-journal {})",
        path.display(),
        super_journal.display()
    )]
    SuperJournal {
        /// The database.
        path: PathBuf,
        /// The file that the journal names, which rolling back would look into and delete.
        super_journal: PathBuf,
    },
    /// The file begins like a database, but SQLite says it is none.
    #[error("{} is not a readable SQLite database (encrypted or overwritten?)", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A writer changed the database during every attempt to read it.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The database.
        path: PathBuf,
    },
    /// SQLite's temporary files can't grow: their disk is full.
    #[error("not enough disk space for SQLite's temporary files while reading {}", path.display())]
    TemporaryFull {
        /// The database.
        path: PathBuf,
    },
    /// SQLite's temporary files can't be written: their disk fails, or a limit of file sizes is
    /// reached.
    #[error("cannot write SQLite's temporary files while reading {}", path.display())]
    TemporaryWrite {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A temporary database could not be made or used.
    #[error("cannot use a temporary database")]
    Temporary {
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// There is no room for the database, or for what SQLite writes beside it.
    #[error("not enough disk space to write {}", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// SQLite can't put temporary files where it was told to.
    #[error("cannot use {} for temporary files: {why}", path.display())]
    TempDir {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// None of the four tables is there.
    #[error(
        "{} contains none of the tables code_chunks, execution_log, file_metrics, symbol_metrics",
        path.display()
    )]
    NoTables {
        /// The database.
        path: PathBuf,
    },
    /// A table of a known name is not an ordinary table.
    #[error("{table} in {} is {found}, not an ordinary table", path.display())]
    NotATable {
        /// The database.
        path: PathBuf,
        /// The name.
        table: &'static str,
        /// What it is: `a view`, `a virtual table`, `a WITHOUT ROWID table`.
        found: &'static str,
    },
    /// A column that every record needs is missing.
    #[error("{table} in {} has no column {column}", path.display())]
    MissingColumn {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A row that was to be read in place has no exact record.
    #[error("{table} row {rowid}{} in {} is invalid: {message}", in_brackets(key), path.display())]
    InvalidRow {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The row id.
        rowid: i64,
        /// The column that is to blame.
        column: &'static str,
        /// What is wrong with it, for programs.
        reason: InvalidReason,
        /// The columns of its key with their values in short.
        key: String,
        /// What is wrong with it, as [`InvalidRow::message`](crate::stream::InvalidRow::message).
        message: String,
    },
    /// A record lacks a number that its table must have.
    #[error("table {table} in {} requires a value for {column}, which {key:?} lacks", path.display())]
    NotNull {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The column that takes no NULL.
        column: &'static str,
        /// The key of the record.
        key: String,
    },
    /// No record can be written into a table, whatever the record.
    #[error("cannot write any record into table {table} of {}: {why}", path.display())]
    TakesNoRecord {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// Why not, in SQLite's words.
        why: String,
    },
    /// Columns that no record has a field for hold values.
    #[error(
        "{table} in {} has unknown columns with values: {}",
        path.display(),
        columns.join(", ")
    )]
    UnknownColumns {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The columns.
        columns: Vec<String>,
    },
    /// A column that is to be left behind can't be.
    #[error("cannot ignore column {column:?} of {}: {why}", path.display())]
    WithoutColumn {
        /// The database.
        path: PathBuf,
        /// The column as it was given, `TABLE.COLUMN`.
        column: String,
        /// Why not.
        why: &'static str,
    },
}

fn first_problems(problems: &[String]) -> String {
    let told = problems.get(..TOLD_PROBLEMS).unwrap_or(problems);
    let more = match told.len() == problems.len() {
        true => "",
        false => "; and more",
    };
    told.join("; ") + more
}
