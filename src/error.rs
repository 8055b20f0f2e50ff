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
pub enum Error {
    /// The operating system reported an error about a file.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create`, `sync`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No directory for temporary files can be created.
    #[error("cannot create a temporary directory in {}", path.display())]
    CreateTempDir {
        /// The directory in which it would be.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No directory can be created next to a destination to build the new file in.
    #[error("cannot create a staging directory in {}", path.display())]
    CreateStagingDir {
        /// The directory in which it would be.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    // Which file it is.
    /// The path is not a regular file.
    #[error("{} is {found}, not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file is empty.
    #[error("{} is empty", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A KV file was given where a SQLite database is required.
    #[error("{} is a KV file, not a SQLite database", path.display())]
    KvNotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database was given where a KV file is required.
    #[error("{} is a SQLite database, not a KV file", path.display())]
    SqliteNotKv {
        /// The file.
        path: PathBuf,
    },
    /// JSON Lines were given where a store is required.
    #[error("{} is an NDJSON export, not a store", path.display())]
    IsExport {
        /// The file.
        path: PathBuf,
    },
    /// The file has another known format.
    #[error("{} is {format}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: FileFormat,
    },
    /// The file is neither a database nor a KV file.
    #[error("{} is neither a SQLite database nor a KV file", path.display())]
    UnrecognizedFile {
        /// The file.
        path: PathBuf,
    },

    // Reading or writing a SQLite database.
    /// SQLite reported an error that has no variant of its own here.
    #[error("cannot {action} {}", path.display())]
    Sqlite {
        /// What was tried, as a verb.
        action: &'static str,
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// SQLite can't open a database, or a file next to it, to read it.
    #[error("cannot read {}", path.display())]
    UnreadableDatabase {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// Another process held a lock for longer than the program waits.
    #[error("{} is locked by another process", path.display())]
    DatabaseLocked {
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
        /// Length in the header, in bytes.
        expected: u64,
        /// Length of the file, in bytes.
        actual: u64,
    },
    /// SQLite reports that the database is malformed, or its contents contradict each other.
    #[error("{} is corrupt: {detail}", path.display())]
    CorruptDatabase {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// `PRAGMA integrity_check` found problems.
    #[error("{} fails SQLite's integrity check: {}", path.display(), first_problems(problems))]
    IntegrityCheck {
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
    /// A transaction of several databases, this one included, was interrupted.
    #[error(
        "{} has a hot journal from a multi-database transaction (super-journal {})",
        path.display(),
        super_journal.display()
    )]
    MultiDatabaseJournal {
        /// The database.
        path: PathBuf,
        /// The file that the journal names, which rolling back would look into and delete.
        super_journal: PathBuf,
    },
    /// The file starts like a database, but SQLite reports that it is not one.
    #[error("{} is not a readable SQLite database (encrypted or overwritten?)", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A writer changed the database during every attempt to read it without a lock.
    #[error("{} changed while it was being read", path.display())]
    DatabaseChanged {
        /// The database.
        path: PathBuf,
    },
    /// SQLite's temporary files can't grow: their disk is full.
    #[error("not enough disk space for SQLite's temporary files while reading {}", path.display())]
    TempDiskFull {
        /// The database.
        path: PathBuf,
    },
    /// SQLite's temporary files can't be written: their disk fails, or a limit of file sizes is
    /// reached.
    #[error("cannot write SQLite's temporary files while reading {}", path.display())]
    TempWrite {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A temporary database could not be created or used.
    #[error("cannot use a temporary database")]
    TempDatabase {
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// There is not enough disk space for the database or its sidecar files.
    #[error("not enough disk space to write {}", path.display())]
    DiskFull {
        /// The database.
        path: PathBuf,
    },
    /// SQLite can't use the directory for temporary files.
    #[error("cannot use {} for temporary files: {why}", path.display())]
    TempDir {
        /// The directory.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// None of the four tables exists.
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
    /// A row that a store was asked for is invalid.
    #[error("{table} row {rowid}{} in {} is invalid: {message}", in_brackets(key), path.display())]
    InvalidRow {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The row id.
        rowid: i64,
        /// The invalid column.
        column: &'static str,
        /// The reason, as a code for programs.
        reason: &'static str,
        /// The columns of its key with shortened values.
        key: Box<str>,
        /// The reason, as a sentence.
        message: Box<str>,
    },
    /// A record lacks a number that its table must have.
    #[error("table {table} in {} requires a value for {column}, which {key:?} lacks", path.display())]
    NotNull {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The NOT NULL column.
        column: &'static str,
        /// The key of the record.
        key: String,
    },
    /// A table accepts no record at all.
    #[error("cannot write any record into table {table} of {}: {why}", path.display())]
    UnwritableTable {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// SQLite's message.
        why: String,
    },
    /// Columns that are not part of a record contain values.
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
    /// The column can't be ignored.
    #[error("cannot ignore column {column:?} of {}: {why}", path.display())]
    CannotIgnoreColumn {
        /// The database.
        path: PathBuf,
        /// The column, as `TABLE.COLUMN`.
        column: String,
        /// Why not.
        why: &'static str,
    },

    // Reading or writing a KV file.
    /// redb reported an error that has no variant of its own here. redb's text is the cause.
    #[cfg(feature = "native-v2")]
    #[error("cannot {action} {}", path.display())]
    Redb {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// redb's error.
        source: Box<redb::Error>,
    },
    /// A checksum, a page or a document of the file is wrong.
    #[error("{} is corrupt: {detail}", path.display())]
    CorruptKvFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// This or another process already has the file open.
    #[error("{} is already open (in this or another process)", path.display())]
    KvFileInUse {
        /// The file.
        path: PathBuf,
    },
    /// An earlier write failed, and redb accepts no more until the file is reopened. Drop every
    /// handle on the backend first, or the file is still [in use](Error::KvFileInUse).
    #[error("{} must be reopened: an earlier write to it failed", path.display())]
    MustReopen {
        /// The file.
        path: PathBuf,
    },
    /// The file was overwritten while it was read, despite the lock.
    #[error("{} changed while it was being read", path.display())]
    KvFileChanged {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a redb file.
    #[error("{} is not a redb file", path.display())]
    NotRedb {
        /// The file.
        path: PathBuf,
    },
    /// A redb file of another tool.
    #[error("{} is a redb file, but not a chunkmigrate KV file: {detail}", path.display())]
    NotChunkmigrate {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        detail: String,
    },
    /// The file has a format that redb no longer reads.
    #[error("{} is a redb file of format {version}, which is too old to read", path.display())]
    OldRedb {
        /// The file.
        path: PathBuf,
        /// The version of redb's format.
        version: u8,
    },
    /// A KV file of a version that this library can't read.
    #[error(
        "{} has KV format version {found}; this version reads {supported}",
        path.display()
    )]
    KvVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that this library reads.
        supported: u64,
    },

    // The target of a copy.
    /// The target exists and may not be replaced.
    #[error("{} already exists", path.display())]
    TargetExists {
        /// The target.
        path: PathBuf,
    },
    /// A rejects file of an earlier run exists and may not be replaced.
    #[error("rejects file {} already exists", path.display())]
    RejectsFileExists {
        /// The rejects file.
        path: PathBuf,
    },
    /// The existing file is not of the type that would be written, so it is not replaced.
    #[error("refusing to replace {}: it is {found}", path.display())]
    NotReplaceable {
        /// The target.
        path: PathBuf,
        /// What it is, with its article.
        found: String,
    },
    /// Another process has the target open.
    #[error("{} is open in another process", path.display())]
    TargetLocked {
        /// The target.
        path: PathBuf,
    },
    /// The target and the source are the same file.
    #[error("{} and the source {} are the same file", path.display(), source_path.display())]
    TargetIsSource {
        /// The source.
        source_path: PathBuf,
        /// The target, rejects file or report.
        path: PathBuf,
    },
    /// SQLite would use the target as a sidecar file of the source, or the reverse.
    #[error(
        "{} and {} clash: one is a SQLite sidecar file of the other",
        path.display(),
        source_path.display()
    )]
    SidecarOfSource {
        /// The source.
        source_path: PathBuf,
        /// The target.
        path: PathBuf,
    },
    /// A sidecar file of the target exists; its old rows could reappear in the target.
    #[error("stale sidecar {} next to the target {}", side.display(), path.display())]
    StaleSidecar {
        /// The target.
        path: PathBuf,
        /// The sidecar file.
        side: PathBuf,
    },
    /// The target of a merge does not exist.
    #[error("cannot merge: {} does not exist", path.display())]
    NothingToMergeInto {
        /// The target.
        path: PathBuf,
    },
    /// Rows of another table reference a value that a merge would change, such as a record's id.
    #[error(
        "{table} in {} references {key} by {}, and the merge would change the referenced values",
        path.display(),
        columns.join(", ")
    )]
    Referenced {
        /// The target.
        path: PathBuf,
        /// The table that refers to the record.
        table: String,
        /// Its referencing columns.
        columns: Vec<String>,
        /// The key of the record.
        key: String,
    },
    /// The target's directory does not exist.
    #[error("directory {} does not exist", path.display())]
    ParentMissing {
        /// The directory.
        path: PathBuf,
    },
    /// The path has no file name.
    #[error("{} is not a file name", path.display())]
    NotAFileName {
        /// The path.
        path: PathBuf,
    },
    /// The target is complete, but may be lost in a power failure.
    #[error("{} was written, but its directory could not be synced", path.display())]
    DirectorySyncFailed {
        /// The target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The rejects file and the target are the same file.
    #[error("{} cannot be both the target and the rejects file", path.display())]
    RejectsFileIsTarget {
        /// The path.
        path: PathBuf,
    },
    /// The HTML report and the report of findings are the same file.
    #[error("{} cannot be both --html and --report", path.display())]
    HtmlIsReport {
        /// The path.
        path: PathBuf,
    },
    /// There is not enough disk space.
    #[error(
        "not enough space in {}: at least {needed} bytes needed for {what}, {available} available",
        path.display()
    )]
    NotEnoughSpace {
        /// The directory.
        path: PathBuf,
        /// The data that needs the space.
        what: &'static str,
        /// The least number of bytes needed.
        needed: u64,
        /// The number of free bytes.
        available: u64,
    },

    // Importing text.
    /// A store was given where JSON Lines are required.
    #[error("{} is {found}, not JSON Lines", path.display())]
    NotJsonLines {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// There are no lines, as after a failed export.
    #[error("{} has no lines", path.display())]
    NoLines {
        /// What was read.
        path: PathBuf,
    },
    /// There is no end line, and one is required.
    #[error("{} has no end line: completeness unknown", path.display())]
    NoEndLine {
        /// What was read.
        path: PathBuf,
    },
    /// The number of lines is not that in the end line.
    #[error("{} {}", path.display(), line_count(*found, *expected))]
    LineCount {
        /// What was read.
        path: PathBuf,
        /// The number of lines in the text.
        found: u64,
        /// The number in the end line.
        expected: u64,
    },
    /// The number of lines is that in the end line, but their digest is not.
    #[error("{} has all {expected} lines its end line counts, but some differ from what was exported", path.display())]
    LinesDiffer {
        /// What was read.
        path: PathBuf,
        /// The number of lines.
        expected: u64,
    },
    /// The text was written while it was read.
    #[error("{} changed while it was being read", path.display())]
    TextChanged {
        /// The file.
        path: PathBuf,
    },

    // The dual-mode stores.
    /// A stored value or row is not a valid record, or is the record of another key.
    #[error("invalid record {key:?}: {detail}")]
    InvalidRecord {
        /// The key, with invalid UTF-8 replaced; for a row, its number and table.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An execution with this id already exists.
    #[error("execution {execution_id:?} already exists")]
    ExecutionExists {
        /// The execution id.
        execution_id: String,
    },
    /// There is no execution with this id.
    #[error("execution {execution_id:?} not found")]
    ExecutionNotFound {
        /// The execution id.
        execution_id: String,
    },

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
        Error::NotAFile {
            path: path.to_owned(),
            found: what(file_type),
        }
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

/// Gives an I/O error the file that it is about.
pub(crate) trait IoContext<T> {
    fn io_context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn io_context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io {
            action,
            path: path.to_owned(),
            source,
        })
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
    if file_type.is_dir() {
        "a directory"
    } else {
        "something else"
    }
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
