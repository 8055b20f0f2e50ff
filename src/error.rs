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
/// use chunkmigrate::store::{StoreKind, detect};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = &folder.path().join("code.db");
/// # std::fs::write(path, "# no database")?;
/// let failure = detect(path)?.expect_sqlite(path);
/// assert!(matches!(failure, Err(Error::UnrecognizedFile { .. })));
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
    /// A file changed while it was being read, and so during every attempt to read it again.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },

    // Which file it is.
    /// The path names no regular file.
    #[error("{} is {found}, not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file has no bytes.
    #[error("{} is empty", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A KV file stands where a SQLite database should.
    #[error("{} is a KV file, not a SQLite database", path.display())]
    KvNotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database stands where a KV file should.
    #[error("{} is a SQLite database, not a KV file", path.display())]
    SqliteNotKv {
        /// The file.
        path: PathBuf,
    },
    /// Lines of JSON stand where a store should.
    #[error("{} is an NDJSON export, not a store", path.display())]
    IsExport {
        /// The file.
        path: PathBuf,
    },
    /// The file is in another format that is known.
    #[error("{} is {format}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: FileFormat,
    },
    /// The file is neither.
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
    /// Another process holds a lock, for longer than we wait.
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
        /// Length that the header tells of, in bytes.
        expected: u64,
        /// Length of the file, in bytes.
        actual: u64,
    },
    /// SQLite found the database malformed, or what it says of itself does not hold.
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
    /// A transaction of several databases was cut off, and this is one of them.
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
    /// The file begins like a database, but SQLite says it is none.
    #[error("{} is not a readable SQLite database (encrypted or overwritten?)", path.display())]
    NotADatabase {
        /// The file.
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
    /// A temporary database could not be made or used.
    #[error("cannot use a temporary database")]
    TempDatabase {
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// There is no room for the database, or for what SQLite writes beside it.
    #[error("not enough disk space to write {}", path.display())]
    DiskFull {
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
        reason: &'static str,
        /// The columns of its key with their values in short.
        key: Box<str>,
        /// What is wrong with it, as the message of an invalid row.
        message: Box<str>,
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
    UnwritableTable {
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
    CannotIgnoreColumn {
        /// The database.
        path: PathBuf,
        /// The column as it was given, `TABLE.COLUMN`.
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
    /// Another process, or this one, has the file open already.
    #[error("{} is already open (in this or another process)", path.display())]
    KvFileInUse {
        /// The file.
        path: PathBuf,
    },
    /// An earlier write failed, and redb takes no more until the file is opened again. Every handle on
    /// the backend has to be dropped first, or it is still [in use](Error::KvFileInUse).
    #[error("{} must be reopened: an earlier write to it failed", path.display())]
    MustReopen {
        /// The file.
        path: PathBuf,
    },
    /// The file is none of redb's.
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
    /// The file has a format of redb's that redb does not read any more.
    #[error("{} is a redb file of format {version}, which is too old to read", path.display())]
    OldRedb {
        /// The file.
        path: PathBuf,
        /// The version of redb's format.
        version: u8,
    },
    /// A KV file of a version that this one can't read.
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
    /// Something is there, and it may not be replaced.
    #[error("{} already exists", path.display())]
    TargetExists {
        /// The target.
        path: PathBuf,
    },
    /// A rejects file of an earlier run is there, and may not be replaced.
    #[error("rejects file {} already exists", path.display())]
    RejectsFileExists {
        /// The rejects file.
        path: PathBuf,
    },
    /// What is there is not what a copy would write, so it is not replaced.
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
    /// What would be written is the source.
    #[error("{} and the source {} are the same file", path.display(), source_path.display())]
    TargetIsSource {
        /// The source.
        source_path: PathBuf,
        /// The target, rejects file or report.
        path: PathBuf,
    },
    /// SQLite would take the target for a part of the source.
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
    /// A file lies where SQLite looks for a part of the target; with it, old rows could come back.
    #[error("stale sidecar {} next to the target {}", side.display(), path.display())]
    StaleSidecar {
        /// The target.
        path: PathBuf,
        /// The file beside it.
        side: PathBuf,
    },
    /// There is nothing to merge into.
    #[error("cannot merge: {} does not exist", path.display())]
    NothingToMergeInto {
        /// The target.
        path: PathBuf,
    },
    /// Rows of another table refer to what a merge would change of a record, such as its id.
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
        /// Its columns that do.
        columns: Vec<String>,
        /// The key of the record.
        key: String,
    },
    /// The folder that the target is to be in is not there.
    #[error("directory {} does not exist", path.display())]
    ParentMissing {
        /// The folder.
        path: PathBuf,
    },
    /// The path names no file.
    #[error("{} is not a file name", path.display())]
    NotAFileName {
        /// The path.
        path: PathBuf,
    },
    /// The target is there, but perhaps not after a loss of power.
    #[error("{} was written, but its directory could not be synced", path.display())]
    DirectorySyncFailed {
        /// The target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The rejects file would be the target.
    #[error("{} cannot be both the target and the rejects file", path.display())]
    RejectsFileIsTarget {
        /// The path.
        path: PathBuf,
    },
    /// The page would be the file of findings.
    #[error("{} cannot be both --html and --report", path.display())]
    HtmlIsReport {
        /// The path.
        path: PathBuf,
    },
    /// There is too little room on the disk.
    #[error(
        "not enough space in {}: at least {needed} bytes needed for {what}, {available} available",
        path.display()
    )]
    NotEnoughSpace {
        /// The folder.
        path: PathBuf,
        /// What would be written there.
        what: &'static str,
        /// Bytes that are needed at least.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },

    // Importing text.
    /// A store stands where lines of JSON should.
    #[error("{} is {found}, not JSON Lines", path.display())]
    NotJsonLines {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// There is no line, as where the export failed that was to write them.
    #[error("{} has no lines", path.display())]
    NoLines {
        /// What was read.
        path: PathBuf,
    },
    /// No end line tells whether the text is complete, and one is required.
    #[error("{} has no end line: completeness unknown", path.display())]
    NoEndLine {
        /// What was read.
        path: PathBuf,
    },
    /// There are not as many lines as the end line tells.
    #[error("{} {}", path.display(), line_count(*found, *told))]
    LineCount {
        /// What was read.
        path: PathBuf,
        /// How many lines it has.
        found: u64,
        /// How many the end line tells of.
        told: u64,
    },
    /// There are as many lines as the end line tells, and not the same ones.
    #[error("{} has all {told} lines its end line counts, but some differ from what was exported", path.display())]
    LinesDiffer {
        /// What was read.
        path: PathBuf,
        /// How many lines it has.
        told: u64,
    },

    // The dual-mode stores.
    /// A value of the key-value backend, or a row of a table, is no record, or not that of its key.
    #[error("invalid record {key:?}: {detail}")]
    InvalidRecord {
        /// The key, what isn't UTF-8 in it replaced; of a row, its number and its table.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An execution of this id was started before.
    #[error("execution {execution_id:?} already exists")]
    ExecutionExists {
        /// The id that the tool gave the run.
        execution_id: String,
    },
    /// No execution of this id was ever started.
    #[error("execution {execution_id:?} not found")]
    ExecutionNotFound {
        /// The id that the tool gave the run.
        execution_id: String,
    },

    // Anything else.
    /// A record has a value that no store can keep.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A record that was not [checked](crate::record::Record::check) has no canonical bytes.
    #[error("the record cannot be encoded as JSON")]
    Encode(#[source] serde_json::Error),
    /// A key-value backend from outside this crate failed.
    #[error("the key-value backend failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// [`Progress::is_cancelled`](crate::Progress::is_cancelled) returned `true`.
    #[error("interrupted")]
    Cancelled,
    /// The operating system could not create a thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A bug in this crate.
    #[error("internal error: {0}")]
    Internal(String),
}

/// Why a record can't be kept exactly.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// An offset is above [`i64::MAX`], the largest integer that a store can hold.
    #[error("{field} is above {max}", max = i64::MAX)]
    OffsetRange {
        /// The field that holds the offset.
        field: &'static str,
    },
    /// A float is infinite or not a number. SQLite would store the latter as NULL.
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
}

impl Error {
    pub(crate) fn not_a_file(path: &Path, file_type: FileType) -> Self {
        Error::NotAFile {
            path: path.to_owned(),
            found: what(file_type),
        }
    }

    /// Whether it is about a database or what it holds: under a writer that is not seen, SQLite may
    /// report any of these.
    pub(crate) const fn is_about_database(&self) -> bool {
        matches!(
            self,
            Error::Changed { .. }
                | Error::Sqlite { .. }
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

fn in_brackets(text: &str) -> String {
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

fn line_count(found: u64, told: u64) -> String {
    match found < told {
        true => format!("is incomplete: it has {found} of {told} lines"),
        false => format!("has {found} lines, but its end line counts {told}"),
    }
}
