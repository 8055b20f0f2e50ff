//! Suggests how to resolve an error.

use std::io;
use std::path::Path;

use chunkmigrate::Error;
use chunkmigrate::redb;
use chunkmigrate::store::FileFormat;
use rusqlite::ErrorCode::{CannotOpen, OutOfMemory};

/// A suggested next step. It may name options that not every command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hint {
    text: &'static str,
    /// For commands without one of the options in `text`.
    otherwise: Option<&'static str>,
}

impl Hint {
    const fn or(text: &'static str, otherwise: &'static str) -> Self {
        Hint { text, otherwise: Some(otherwise) }
    }

    /// The step for a command with these options, each with its dashes; `None` if the command is
    /// unknown and any option may be named.
    pub(super) fn for_command(self, options: Option<&[String]>) -> &'static str {
        match (options, self.otherwise) {
            (Some(options), Some(otherwise)) if !has_all(options, self.text) => otherwise,
            _ => self.text,
        }
    }
}

impl From<&'static str> for Hint {
    fn from(text: &'static str) -> Self {
        Hint { text, otherwise: None }
    }
}

/// Whether a command has every option that a text names.
pub(super) fn has_all(options: &[String], text: &str) -> bool {
    let words = text.split(|char: char| !char.is_ascii_lowercase() && char != '-');
    let mut named = words.filter(|word| word.starts_with("--"));
    named.all(|word| options.iter().any(|option| option == word))
}

const OTHER_TEMP_DIR: Hint =
    Hint::or("choose another directory with --temp-dir", "choose another directory with TMPDIR");
const ROOM_FOR_TEMPORARY: Hint = Hint::or(
    "use --temp-dir or SQLITE_TMPDIR to choose a directory with more space",
    "set SQLITE_TMPDIR to a directory with more space",
);
const OTHER_COLLATION: Hint = Hint::or(
    "only the program that defines it can check or write this database; omit --check-source to \
     read it",
    "only the program that defines it can write this database",
);
const REPLACE_OR_MERGE: Hint = Hint::or(
    "use --replace to overwrite it or --merge to add to it",
    "use --replace to overwrite it",
);
const OTHER_DATABASE: &str = "is this a code indexer's database?";
const CARRY_TABLES: Hint =
    Hint::or("--tables all carries every table, --tables LIST some of them", OTHER_DATABASE);
const MAKE_ROOM: &str = "free some space or choose another directory";
const MORE_MEMORY: &str = "a record takes up to six times its size: raise the limit of the process \
    (`ulimit -v`, a container's memory), or close other programs";
const MORE_FILES: &str = "raise the limit of open files (`ulimit -n`), or close other programs";
/// SQLite's limit is 512 bytes, including the names of its sidecar files.
const LONGEST_SQLITE_PATH: usize = 504;
const SHORTER_NAME: &str = "choose a shorter name, or a directory with a shorter path";

/// The next step, if one is known.
pub(super) fn hint(error: &Error) -> Option<Hint> {
    match error {
        Error::TempDiskFull { .. } | Error::TempWrite { .. } | Error::TempDatabase { .. } => {
            Some(ROOM_FOR_TEMPORARY)
        }
        Error::TempDir { .. } => Some(OTHER_TEMP_DIR),
        Error::UnknownCollation { .. } => Some(OTHER_COLLATION),
        Error::TargetExists { .. } => Some(REPLACE_OR_MERGE),
        Error::NoTables { tables, .. } if !tables.is_empty() => Some(CARRY_TABLES),
        Error::CreateTempDir { source, .. } if limit_hint(source).is_none() => Some(OTHER_TEMP_DIR),
        error => text(error).map(Hint::from),
    }
}

/// The hints that are the same for every command.
fn text(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Io { source, .. } => return limit_hint(source).or_else(|| io_hint(source)),
        Error::CreateTempDir { source, .. } => return limit_hint(source),
        Error::CreateStagingDir { source, .. } => limit_hint(source)
            .unwrap_or("the target is built next to its destination; choose another one"),
        Error::Thread(_) => "the system is out of threads or memory; try again later",
        Error::Internal(_) => "this is a bug in chunkmigrate; please report it",
        Error::KvNotSqlite { .. } | Error::SqliteNotKv { .. } => {
            "sqlite-to-kv copies a database to a KV file, kv-to-sqlite the reverse; for import, \
             --to names the kind of the target"
        }
        Error::IsExport { .. } => "import it first with `chunkmigrate import`",
        Error::EmptyFile { .. } | Error::UnrecognizedFile { .. } => {
            "is this the right file? (The type is detected from its contents, not its name.)"
        }
        Error::OtherFormat { format, .. } => match format {
            FileFormat::Utf16 | FileFormat::Utf32 => "convert it to UTF-8 first",
            format if format.to_stdout().is_some() => "decompress it first",
            _ => "only SQLite databases of Magellan can be read: index the code into one",
        },
        Error::NotAFile { .. } => "give the path of a regular file",
        Error::DatabaseLocked { .. } => "wait for the other process or close it, then retry",
        Error::HotJournal { .. } => {
            "open the database once with the tool that wrote it, or with sqlite3, to roll the \
             transaction back; then retry"
        }
        Error::Truncated { .. } | Error::NotADatabase { .. } => {
            "restore the file from a backup or copy it again"
        }
        Error::CorruptDatabase { .. } | Error::IntegrityCheck { .. } => {
            "run `PRAGMA integrity_check`; `REINDEX` repairs damaged indexes. A failing disk is \
             reported as corruption too"
        }
        Error::MultiDatabaseJournal { .. } => {
            "if you trust the journal, open the database once with the tool that wrote it, or \
             with sqlite3, to roll the transaction back; then retry"
        }
        Error::DatabaseChanged { .. } | Error::KvFileChanged { .. } => {
            "stop the writer, or retry when the file is idle"
        }
        Error::TextChanged { .. } => "wait until the writer has finished, then retry",
        Error::DiskFull { .. } | Error::NotEnoughSpace { .. } => MAKE_ROOM,
        Error::Sqlite { source, .. } if source.sqlite_error_code() == Some(OutOfMemory) => {
            MORE_MEMORY
        }
        Error::UnreadableDatabase { path, source } | Error::Sqlite { path, source, .. }
            if is_cannot_open(source) && is_too_long_for_sqlite(path) =>
        {
            "SQLite cannot open absolute paths of more than 504 bytes: choose a shorter one"
        }
        Error::UnreadableDatabase { .. } => {
            "the database and its -wal and -shm files, if any, must be readable"
        }
        Error::Sqlite { source, .. } if is_cannot_open(source) => {
            "the database and its directory must be writable: SQLite creates a journal there"
        }
        Error::NoTables { .. } => OTHER_DATABASE,
        Error::NoSuchTable { .. } => "--tables takes names of tables, or all",
        Error::TableNeedsAll { .. } => "--tables all carries it with the rest of the database",
        Error::MergeNeedsTableNames => "name them, as in --tables notes,tags",
        Error::TableNotMergeable { .. } => "copy the whole source into a new store instead",
        Error::MissingParents { .. } => {
            "merge the tables they refer to as well: --tables takes a list"
        }
        Error::TooManyObjects { .. } => "name the tables to carry with --tables",
        Error::RowTooLarge { .. } => "name the other tables with --tables",
        Error::UntrustedSchema { .. } => {
            "someone has changed the file, or it is corrupt: recreate it from its source database"
        }
        Error::NotATable { .. } => {
            "only ordinary tables can be read; convert it in a copy of the database"
        }
        Error::MissingColumn { .. } => {
            "a newer version of the tool that wrote it may upgrade the schema"
        }
        Error::NotNull { .. } => "give the record a value for it",
        Error::UnwritableTable { .. } => {
            "exclude its kind with --only, or copy into a new database instead of merging"
        }
        Error::UnknownColumns { .. } => {
            "ignore it with --without-column TABLE.COLUMN (sqlite-to-kv, verify), or drop it in a \
             copy of the database"
        }
        Error::CannotIgnoreColumn { .. } => {
            "--without-column takes TABLE.COLUMN of a column that is not part of the record"
        }
        Error::KvFileInUse { .. } | Error::TargetLocked { .. } => {
            "close the process that has it open, then retry"
        }
        Error::MustReopen { .. } => "free some space if the disk is full, then retry",
        Error::CorruptKvFile { .. } => {
            "restore the file from a backup, or recreate it from its source database"
        }
        Error::KvVersion { .. } => "use a newer version of chunkmigrate",
        Error::NotRedb { .. } | Error::NotChunkmigrate { .. } => {
            "is this the right file? Only KV files written by chunkmigrate, or a tool that uses \
             its library, can be read"
        }
        Error::OldRedb { .. } => {
            "the program that wrote it has to upgrade it, with `Database::upgrade` of redb 2.6"
        }
        Error::Redb { source, .. } => match &**source {
            redb::Error::Io(error) => return limit_hint(error),
            _ => return None,
        },
        Error::RejectsFileExists { .. } => "remove it, or choose another with --rejects",
        Error::StaleSidecar { .. } => {
            "it may hold unmerged changes: open and close the database with its own tool, or \
             delete the file if there is no database"
        }
        Error::NotCarriedAsRecords { .. } => {
            "merge into a KV file without tables, or make a fresh copy of the database"
        }
        Error::NothingToMergeInto { .. } => "omit --merge to create it",
        Error::Referenced { .. } => {
            "nothing was written; change or delete the referencing rows first, or exclude its \
             kind with --only"
        }
        Error::NotReplaceable { .. } => "choose another name, or remove the file first",
        Error::TargetIsSource { .. }
        | Error::SidecarOfSource { .. }
        | Error::RejectsFileIsTarget { .. }
        | Error::HtmlIsReport { .. } => "choose another name for one of them",
        Error::NotAFileName { .. } => "give the name of the file to create",
        Error::DirectorySyncFailed { .. } => {
            "the file is complete; keep the source until the disk is \
            healthy"
        }
        Error::ParentMissing { .. } => "create it first",
        Error::NotJsonLines { .. } => {
            "copy it with sqlite-to-kv or kv-to-sqlite, or export it first"
        }
        Error::NoLines { .. } => {
            "an export that failed leaves no lines: check why it failed; --allow-empty creates an \
             empty store"
        }
        Error::NoEndLine { .. } => "export it again, or omit --require-end to import it anyway",
        Error::LineCount { .. } | Error::LinesDiffer { .. } => {
            "export it again; if you edited the export, remove its end line"
        }
        _ => return None,
    })
}

fn is_cannot_open(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(CannotOpen)
}

/// What to do about an exceeded system limit, independent of the operation.
fn limit_hint(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind::{FileTooLarge, InvalidFilename, OutOfMemory, QuotaExceeded, StorageFull};
    use rustix::io::Errno;

    Some(match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => MAKE_ROOM,
        InvalidFilename => SHORTER_NAME,
        OutOfMemory => MORE_MEMORY,
        _ => match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => MORE_FILES,
            _ => return None,
        },
    })
}

fn io_hint(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};

    Some(match error.kind() {
        NotFound => "check the path",
        PermissionDenied => "check the permissions of the file and its parent directories",
        ReadOnlyFilesystem => "the file system is read-only: choose another directory",
        _ if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
            "the disk may be failing: check the system log"
        }
        _ => return None,
    })
}

/// Whether a path is too long for SQLite to open.
fn is_too_long_for_sqlite(path: &Path) -> bool {
    let path = std::path::absolute(path);
    path.is_ok_and(|path| path.as_os_str().len() > LONGEST_SQLITE_PATH)
}
