//! What can go wrong.
//!
//! - One enum for the whole crate. Its variants hold names and keys as text, so this module imports
//!   nothing but the formats of foreign files.
//! - A message says what happened and to which file; the cause is its `source()`, never repeated in
//!   the message. redb's errors have no `source()`, so their text is the cause.
//! - Advice is not part of a message: the program derives it from the variant.
//! - An error is never downgraded to "no more data" or "not found", and a divergence or an invalid
//!   row is not an error but a finding, reported with the result.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::file_format::FileFormat;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many problems of a database [`Error::IntegrityCheck`] shows.
pub(crate) const SHOWN_PROBLEMS: usize = 10;

/// Any failure of this crate.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::Error;
/// use chunkmigrate::store::ChunkStore;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = &folder.path().join("code.db");
/// # std::fs::write(path, "# no database")?;
/// assert!(matches!(ChunkStore::open(path), Err(Error::NotADatabase { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message says what `path` is")]
pub enum Error {
    /// The operating system reported an error about a file.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried, as a verb: `read`, `create`, `sync`.
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// No directory for temporary files can be created.
    #[error("cannot create a temporary directory in {path}")]
    CreateTempDir { path: PathBuf, source: io::Error },
    /// No directory can be created next to a destination to build the new file in.
    #[error("cannot create a staging directory in {path}")]
    CreateStagingDir { path: PathBuf, source: io::Error },

    // Which file it is.
    /// The path is not a regular file.
    #[error("{path} is {found}, not a file")]
    NotAFile {
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file is empty.
    #[error("{path} is empty")]
    EmptyFile { path: PathBuf },
    /// A KV file was given where a SQLite database is required.
    #[error("{path} is a KV file, not a SQLite database")]
    KvNotSqlite { path: PathBuf },
    /// A SQLite database was given where a KV file is required.
    #[error("{path} is a SQLite database, not a KV file")]
    SqliteNotKv { path: PathBuf },
    /// JSON Lines were given where a store is required.
    #[error("{path} is an NDJSON export, not a store")]
    IsExport { path: PathBuf },
    /// The file has another known format.
    #[error("{path} is {format}")]
    OtherFormat { path: PathBuf, format: FileFormat },
    /// The file is neither a database nor a KV file.
    #[error("{path} is neither a SQLite database nor a KV file")]
    UnrecognizedFile { path: PathBuf },

    // Reading or writing a SQLite database.
    /// SQLite reported an error that has no variant of its own here.
    #[error("cannot {action} {path}")]
    Sqlite {
        /// What was tried, as a verb.
        action: &'static str,
        path: PathBuf,
        source: rusqlite::Error,
    },
    /// SQLite can't open a database, or a file next to it, to read it.
    #[error("cannot read {path}")]
    UnreadableDatabase { path: PathBuf, source: rusqlite::Error },
    /// Another process held a lock for longer than the program waits.
    #[error("{path} is locked by another process")]
    DatabaseLocked { path: PathBuf },
    /// An unfinished transaction has to be rolled back before the database can be read.
    #[error("{path} has a hot journal: an interrupted transaction must be rolled back first")]
    HotJournal { path: PathBuf },
    /// The file is shorter than its header says.
    #[error("{path} is truncated: the header says {expected} bytes, the file has {actual}")]
    Truncated {
        path: PathBuf,
        /// Length in the header, in bytes.
        expected: u64,
        /// Length of the file, in bytes.
        actual: u64,
    },
    /// SQLite reports that the database is malformed, or its contents contradict each other.
    #[error("{path} is corrupt: {detail}")]
    CorruptDatabase { path: PathBuf, detail: String },
    /// `PRAGMA integrity_check` found problems.
    #[error("{path} fails SQLite's integrity check: {}", first_problems(problems))]
    IntegrityCheck {
        path: PathBuf,
        /// The first problems, in SQLite's words: the message has ten of them, and says if there are
        /// more.
        problems: Vec<String>,
    },
    /// An index or a column is ordered by a collation that is not SQLite's own.
    #[error("{path} uses an unknown collation {collation:?}")]
    UnknownCollation { path: PathBuf, collation: String },
    /// A transaction of several databases, this one included, was interrupted.
    #[error(
        "{path} has a hot journal from a multi-database transaction (super-journal {super_journal})"
    )]
    MultiDatabaseJournal {
        path: PathBuf,
        /// The file that the journal names, which rolling back would look into and delete.
        super_journal: PathBuf,
    },
    /// The file starts like a database, but SQLite reports that it is not one.
    #[error("{path} is not a readable SQLite database (encrypted or overwritten?)")]
    NotADatabase { path: PathBuf },
    /// A writer changed the database during every attempt to read it without a lock.
    #[error("{path} changed while it was being read")]
    DatabaseChanged { path: PathBuf },
    /// SQLite's temporary files can't grow: their disk is full.
    #[error("not enough disk space for SQLite's temporary files while reading {path}")]
    TempDiskFull { path: PathBuf },
    /// SQLite's temporary files can't be written: their disk fails, or a limit of file sizes is
    /// reached.
    #[error("cannot write SQLite's temporary files while reading {path}")]
    TempWrite { path: PathBuf, source: rusqlite::Error },
    /// A temporary database could not be created or used.
    #[error("cannot use a temporary database")]
    TempDatabase { source: rusqlite::Error },
    /// There is not enough disk space for the database or its sidecar files.
    #[error("not enough disk space to write {path}")]
    DiskFull { path: PathBuf },
    /// SQLite can't use the directory for temporary files.
    #[error("cannot use {path} for temporary files: {why}")]
    TempDir { path: PathBuf, why: &'static str },
    /// None of the four tables exists.
    #[error(
        "{path} contains none of the tables code_chunks, execution_log, file_metrics, \
         symbol_metrics{}",
        other_tables(tables)
    )]
    NoTables {
        path: PathBuf,
        /// The tables that it has instead.
        tables: Vec<String>,
    },
    /// A table that was named does not exist.
    #[error("{path} has no table {table:?}{}", other_tables(tables))]
    NoSuchTable {
        path: PathBuf,
        table: String,
        /// The tables that exist.
        tables: Vec<String>,
    },
    /// A virtual table, or one of SQLite's own, was named.
    #[error("{table:?} in {path} is not an ordinary table")]
    TableNeedsAll { path: PathBuf, table: String },
    /// A merge takes tables by name.
    #[error("a merge needs the names of the tables")]
    MergeNeedsTableNames,
    /// Rows can't be merged into a table.
    #[error("rows cannot be merged into {table:?} of {path}: {why}")]
    TableNotMergeable { path: PathBuf, table: String, why: &'static str },
    /// Rows of a table would refer to rows that don't exist after a merge.
    #[error("after the merge {rows} more rows of {table:?} in {path} would refer to missing rows")]
    MissingParents { path: PathBuf, table: String, rows: u64 },
    /// The schema is too large to be carried.
    #[error("{path} has {count} schema objects, more than {limit}")]
    TooManyObjects { path: PathBuf, count: usize, limit: usize },
    /// A row can't be carried, because a KV file can't hold a value of that size.
    #[error("row {key} in {path} is too large for a KV file")]
    RowTooLarge { path: PathBuf, key: String },
    /// A table of a known name is not an ordinary table.
    #[error("{table} in {path} is {found}, not an ordinary table")]
    NotATable {
        path: PathBuf,
        table: &'static str,
        /// What it is: `a view`, `a virtual table`, `a WITHOUT ROWID table`.
        found: &'static str,
    },
    /// A column that every record needs is missing.
    #[error("{table} in {path} has no column {column}")]
    MissingColumn { path: PathBuf, table: &'static str, column: &'static str },
    /// A row that a store was asked for is invalid.
    #[error("{table} row {rowid}{} in {path} is invalid: {message}", in_brackets(key))]
    InvalidRow {
        path: PathBuf,
        table: &'static str,
        rowid: i64,
        column: &'static str,
        /// The reason, as a code for programs.
        reason: &'static str,
        /// The columns of its key with shortened values.
        key: Box<str>,
        /// The reason, as a sentence.
        message: Box<str>,
    },
    /// A record lacks a number that its table must have.
    #[error("table {table} in {path} requires a value for {column}, which {key:?} lacks")]
    NotNull { path: PathBuf, table: &'static str, column: &'static str, key: String },
    /// A table accepts no record at all.
    #[error("cannot write any record into table {table} of {path}: {why}")]
    UnwritableTable { path: PathBuf, table: &'static str, why: String },
    /// Columns that are not part of a record contain values.
    #[error("{table} in {path} has unknown columns with values: {}", columns.join(", "))]
    UnknownColumns { path: PathBuf, table: &'static str, columns: Vec<String> },
    /// The column can't be ignored.
    #[error("cannot ignore column {column:?} of {path}: {why}")]
    CannotIgnoreColumn {
        path: PathBuf,
        /// The column, as `TABLE.COLUMN`.
        column: String,
        why: &'static str,
    },

    // Reading or writing a KV file.
    /// redb reported an error that has no variant of its own here. redb's text is the cause.
    #[cfg(feature = "native-v2")]
    #[error("cannot {action} {path}")]
    Redb {
        /// What was tried, as a verb.
        action: &'static str,
        path: PathBuf,
        source: Box<redb::Error>,
    },
    /// A checksum, a page or a document of the file is wrong.
    #[error("{path} is corrupt: {detail}")]
    CorruptKvFile { path: PathBuf, detail: String },
    /// This or another process already has the file open.
    #[error("{path} is already open (in this or another process)")]
    KvFileInUse { path: PathBuf },
    /// An earlier write failed, and redb accepts no more until the file is reopened. Drop every
    /// handle on the backend first, or the file is still [in use](Error::KvFileInUse).
    #[error("{path} must be reopened: an earlier write to it failed")]
    MustReopen { path: PathBuf },
    /// The file was overwritten while it was read, despite the lock.
    #[error("{path} changed while it was being read")]
    KvFileChanged { path: PathBuf },
    /// The description of the tables in a KV file has statements that do not create what they
    /// claim to.
    #[error("refusing to run the SQL statements in {path}: {}", first_problems(problems))]
    UntrustedSchema {
        path: PathBuf,
        /// What is wrong, each with the name of the object.
        problems: Vec<String>,
    },
    /// The file is not a redb file.
    #[error("{path} is not a redb file")]
    NotRedb { path: PathBuf },
    /// A redb file of another tool.
    #[error("{path} is a redb file, but not a chunkmigrate KV file: {detail}")]
    NotChunkmigrate { path: PathBuf, detail: String },
    /// The file has a format that redb no longer reads.
    #[error("{path} is a redb file of format {version}, which is too old to read")]
    OldRedb {
        path: PathBuf,
        /// The version of redb's format.
        version: u8,
    },
    /// A KV file of a version that this library can't read.
    #[error("{path} has KV format version {found}; this version reads {supported}")]
    KvVersion { path: PathBuf, found: u64, supported: u64 },

    // The target of a copy.
    /// The target exists and may not be replaced.
    #[error("{path} already exists")]
    TargetExists { path: PathBuf },
    /// A rejects file of an earlier run exists and may not be replaced.
    #[error("rejects file {path} already exists")]
    RejectsFileExists { path: PathBuf },
    /// The existing file is not of the type that would be written, so it is not replaced.
    #[error("refusing to replace {path}: it is {found}")]
    NotReplaceable {
        path: PathBuf,
        /// What it is, with its article.
        found: String,
    },
    /// Another process has the target open.
    #[error("{path} is open in another process")]
    TargetLocked { path: PathBuf },
    /// The target and the source are the same file.
    #[error("{path} and the source {source_path} are the same file")]
    TargetIsSource {
        source_path: PathBuf,
        /// The target, rejects file or report.
        path: PathBuf,
    },
    /// SQLite would use the target as a sidecar file of the source, or the reverse.
    #[error("{path} and {source_path} clash: one is a SQLite sidecar file of the other")]
    SidecarOfSource { source_path: PathBuf, path: PathBuf },
    /// A sidecar file of the target exists; its old rows could reappear in the target.
    #[error("stale sidecar {side} next to the target {path}")]
    StaleSidecar { path: PathBuf, side: PathBuf },
    /// The target of a merge carries the table of a kind as rows, or a whole database without it.
    #[error("cannot merge {kind} records into {path}: it does not carry {table} as records")]
    NotCarriedAsRecords { path: PathBuf, kind: &'static str, table: &'static str },
    /// The target of a merge does not exist.
    #[error("cannot merge: {path} does not exist")]
    NothingToMergeInto { path: PathBuf },
    /// Rows of another table reference a value that a merge would change, such as a record's id.
    #[error(
        "{table} in {path} references {key} by {}, and the merge would change the referenced values",
        columns.join(", ")
    )]
    Referenced {
        path: PathBuf,
        /// The table that refers to the record.
        table: String,
        /// Its referencing columns.
        columns: Vec<String>,
        key: String,
    },
    /// The target's directory does not exist.
    #[error("directory {path} does not exist")]
    ParentMissing { path: PathBuf },
    /// The path has no file name.
    #[error("{path} is not a file name")]
    NotAFileName { path: PathBuf },
    /// The target is complete, but may be lost in a power failure.
    #[error("{path} was written, but its directory could not be synced")]
    DirectorySyncFailed { path: PathBuf, source: io::Error },
    /// The rejects file and the target are the same file.
    #[error("{path} cannot be both the target and the rejects file")]
    RejectsFileIsTarget { path: PathBuf },
    /// The HTML report and the report of findings are the same file.
    #[error("{path} cannot be both --html and --report")]
    HtmlIsReport { path: PathBuf },
    /// There is not enough disk space.
    #[error(
        "not enough space in {path}: at least {needed} bytes needed for {what}, {available} available"
    )]
    NotEnoughSpace {
        path: PathBuf,
        /// The data that needs the space.
        what: &'static str,
        needed: u64,
        available: u64,
    },

    // Importing text.
    /// A store was given where JSON Lines are required.
    #[error("{path} is {found}, not JSON Lines")]
    NotJsonLines {
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// There are no lines, as after a failed export.
    #[error("{path} has no lines")]
    NoLines { path: PathBuf },
    /// There is no end line, and one is required.
    #[error("{path} has no end line: completeness unknown")]
    NoEndLine { path: PathBuf },
    /// The number of lines is not that in the end line.
    #[error("{path} {}", line_count(*found, *expected))]
    LineCount {
        path: PathBuf,
        /// The number of lines in the text.
        found: u64,
        /// The number in the end line.
        expected: u64,
    },
    /// The number of lines is that in the end line, but their digest is not.
    #[error(
        "{path} has all {expected} lines its end line counts, but some differ from what was exported"
    )]
    LinesDiffer { path: PathBuf, expected: u64 },
    /// The text was written while it was read.
    #[error("{path} changed while it was being read")]
    TextChanged { path: PathBuf },

    // The dual-mode stores.
    /// A stored value or row is not a valid record, or is the record of another key.
    #[error("invalid record {key:?}: {detail}")]
    InvalidRecord {
        /// The key, with invalid UTF-8 replaced; for a row, its number and table.
        key: String,
        detail: String,
    },
    /// An execution with this id already exists.
    #[error("execution {execution_id:?} already exists")]
    ExecutionExists { execution_id: String },
    /// There is no execution with this id.
    #[error("execution {execution_id:?} not found")]
    ExecutionNotFound { execution_id: String },

    // Records that no store can keep, and kinds.
    /// An offset of a record is above [`i64::MAX`], the largest integer that a store can hold.
    #[error("{field} is above {max}", max = i64::MAX)]
    OffsetRange {
        /// The field that holds the offset.
        field: &'static str,
    },
    /// A float of a record is infinite or not a number. SQLite would store the latter as NULL.
    #[error("{field} is {value}, not a finite number")]
    NotFinite {
        /// The field that holds the float.
        field: &'static str,
        /// The float.
        value: f64,
    },
    /// The largest id, [`i64::MAX`], is assigned already.
    #[error("no ids left for {kind} records")]
    NoIdLeft {
        /// The [name](crate::record::RecordKind::name) of the kind of record.
        kind: &'static str,
    },
    /// No kind of record has this name.
    #[error("unknown kind {name:?}")]
    UnknownKind {
        /// The name.
        name: String,
    },

    // Anything else.
    /// A record that was not [checked](crate::record::Record::check) has no canonical bytes.
    #[error("the record cannot be encoded as JSON")]
    Encode(#[source] serde_json::Error),
    /// A key-value backend from outside this crate failed.
    #[error("the key-value backend failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// [`ProgressSink::is_cancelled`](crate::ProgressSink::is_cancelled) returned `true`.
    #[error("interrupted")]
    Cancelled,
    /// The operating system could not create a thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A bug in this crate.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    pub(crate) fn not_a_file(path: &Path, file_type: FileType) -> Self {
        Error::NotAFile { path: path.to_owned(), found: what(file_type) }
    }

    /// Whether it is about a database or its contents. SQLite may report any of these while an
    /// unnoticed writer changes the database.
    pub(crate) const fn is_about_database(&self) -> bool {
        matches!(
            self,
            Error::DatabaseChanged { .. }
                | Error::Sqlite { .. }
                | Error::UnreadableDatabase { .. }
                | Error::DatabaseLocked { .. }
                | Error::HotJournal { .. }
                | Error::Truncated { .. }
                | Error::CorruptDatabase { .. }
                | Error::IntegrityCheck { .. }
                | Error::UnknownCollation { .. }
                | Error::MultiDatabaseJournal { .. }
                | Error::NotADatabase { .. }
                | Error::TempDiskFull { .. }
                | Error::TempWrite { .. }
                | Error::TempDatabase { .. }
                | Error::DiskFull { .. }
                | Error::TempDir { .. }
                | Error::NoTables { .. }
                | Error::NoSuchTable { .. }
                | Error::TableNeedsAll { .. }
                | Error::TableNotMergeable { .. }
                | Error::MissingParents { .. }
                | Error::TooManyObjects { .. }
                | Error::RowTooLarge { .. }
                | Error::NotATable { .. }
                | Error::MissingColumn { .. }
                | Error::InvalidRow { .. }
                | Error::NotNull { .. }
                | Error::UnwritableTable { .. }
                | Error::UnknownColumns { .. }
                | Error::CannotIgnoreColumn { .. }
        )
    }
}

/// A list of a database's tables for a message, or nothing if there are none.
fn other_tables(tables: &[String]) -> String {
    match tables {
        [] => String::new(),
        [only] => format!("; its only table is {only}"),
        tables => format!("; its tables are {}", first_problems(tables).replace("; ", ", ")),
    }
}

/// Gives an I/O error the file that it is about.
pub(crate) trait IoContext<T> {
    fn io_context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn io_context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}

#[cfg(unix)]
fn what(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn what(file_type: FileType) -> &'static str {
    if file_type.is_dir() { "a directory" } else { "something else" }
}

/// Text in brackets after a space, or nothing.
pub(crate) fn in_brackets(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(" ({text})"),
    }
}

fn first_problems(problems: &[String]) -> String {
    let shown = problems.get(..SHOWN_PROBLEMS).unwrap_or(problems);
    let more = match shown.len() == problems.len() {
        true => "",
        false => "; and more",
    };
    shown.join("; ") + more
}

fn line_count(found: u64, expected: u64) -> String {
    match found < expected {
        true => format!("is incomplete: it has {found} of {expected} lines"),
        false => format!("has {found} lines, but its end line counts {expected}"),
    }
}
