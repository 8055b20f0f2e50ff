//! Advice that follows from an error.

use std::io;
use std::path::Path;

use chunkmigrate::Error;
use chunkmigrate::error::KindError;
use chunkmigrate::kv::KvError;
use chunkmigrate::migrate::{ImportError, TargetError};
use chunkmigrate::redb;
use chunkmigrate::sqlite::SqliteError;
use chunkmigrate::store::FileFormat;

/// A next step. Not every command has the options that it may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hint {
    text: &'static str,
    /// For commands that lack one of the options of `text`.
    otherwise: Option<&'static str>,
}

impl Hint {
    const fn or(text: &'static str, otherwise: &'static str) -> Self {
        Hint {
            text,
            otherwise: Some(otherwise),
        }
    }

    /// The step for a command that has some options, each with its dashes; all, if it is not known
    /// which command it is.
    pub(super) fn for_command(self, options: Option<&[String]>) -> &'static str {
        match (options, self.otherwise) {
            (Some(options), Some(otherwise)) if !has_all(options, self.text) => otherwise,
            _ => self.text,
        }
    }
}

impl From<&'static str> for Hint {
    fn from(text: &'static str) -> Self {
        Hint {
            text,
            otherwise: None,
        }
    }
}

/// Whether a command has every option that a text names.
pub(super) fn has_all(options: &[String], text: &str) -> bool {
    let words = text.split(|char: char| !char.is_ascii_lowercase() && char != '-');
    let mut named = words.filter(|word| word.starts_with("--"));
    named.all(|word| options.iter().any(|option| option == word))
}

const OTHER_TEMP_DIR: Hint = Hint::or(
    "name another folder with --temp-dir",
    "name another folder with TMPDIR",
);
const ROOM_FOR_TEMPORARY: Hint = Hint::or(
    "name a folder with more room with --temp-dir, or set SQLITE_TMPDIR",
    "set SQLITE_TMPDIR to a folder with more room",
);
const OTHER_COLLATION: Hint = Hint::or(
    "only the program that has the collation can check or write the database; without --check-source \
     it can be read",
    "only the program that has the collation can write the database",
);
const REPLACE_OR_MERGE: Hint = Hint::or(
    "use --replace to replace it, or --merge to write into it",
    "use --replace to replace it",
);
const MAKE_ROOM: &str = "make room, or choose another folder";
const MORE_MEMORY: &str = "a record takes up to six times its size: raise the limit of the process \
    (`ulimit -v`, a container's memory), or close other programs";
const MORE_FILES: &str = "raise the limit of open files (`ulimit -n`), or close other programs";
/// With the names of the files that it keeps beside a database, SQLite opens paths of 512 bytes.
const LONGEST_SQLITE_PATH: usize = 504;
const SHORTER_NAME: &str = "choose a shorter name, or a folder with a shorter path";

/// The next step, where one is known.
pub(super) fn hint(error: &Error) -> Option<Hint> {
    if let Error::Sqlite(error) = error {
        match **error {
            SqliteError::TemporaryFull { .. }
            | SqliteError::TemporaryWrite { .. }
            | SqliteError::Temporary { .. } => return Some(ROOM_FOR_TEMPORARY),
            SqliteError::TempDir { .. } => return Some(OTHER_TEMP_DIR),
            SqliteError::UnknownCollation { .. } => return Some(OTHER_COLLATION),
            _ => {}
        }
    }
    if let Error::Io { action, source, .. } = error
        && *action == "create a temporary folder in"
        && limit_hint(source).is_none()
    {
        return Some(OTHER_TEMP_DIR);
    }
    match error {
        Error::Target(error) if matches!(**error, TargetError::Exists { .. }) => {
            Some(REPLACE_OR_MERGE)
        }
        error => text(error).map(Hint::from),
    }
}

fn text(error: &Error) -> Option<&'static str> {
    match error {
        Error::Sqlite(error) => sqlite_hint(error),
        Error::Kv(error) => kv_hint(error),
        Error::Target(error) => target_hint(error),
        Error::Kind(error) => kind_hint(error),
        Error::Import(error) => import_hint(error),
        Error::Io { action, source, .. } => match (limit_hint(source), *action) {
            (Some(hint), _) => Some(hint),
            (None, "create a private folder in") => {
                Some("a file is built beside its place: choose another")
            }
            _ => io_hint(source),
        },
        Error::Thread(_) => Some("the system is short of threads or memory; try again"),
        Error::Internal(_) => Some("this is a bug of chunkmigrate; please report it"),
        _ => None,
    }
}

fn kind_hint(error: &KindError) -> Option<&'static str> {
    Some(match error {
        KindError::KvNotSqlite { .. } | KindError::SqliteNotKv { .. } => {
            "sqlite-to-kv goes from a database to a KV file, kv-to-sqlite the other way, import to \
             whatever --to says"
        }
        KindError::Ndjson { .. } => "make a store of it with `chunkmigrate import`",
        KindError::Empty { .. } | KindError::Neither { .. } => {
            "is this the right file? what a file is shows in its first bytes, not in its name"
        }
        KindError::OtherFormat { format, .. } => match format {
            FileFormat::Utf16 | FileFormat::Utf32 => "convert it to UTF-8 first",
            format if format.to_stdout().is_some() => "decompress it first",
            _ => {
                "of Magellan's files only SQLite databases are read: let it index the code into one"
            }
        },
        KindError::NotAFile { .. } => "name the file itself",
        _ => return None,
    })
}

fn import_hint(error: &ImportError) -> Option<&'static str> {
    Some(match error {
        ImportError::IsStore { .. } => {
            "copy it with sqlite-to-kv or kv-to-sqlite, or export it first"
        }
        ImportError::NoLines { .. } => {
            "if an export was to write them, see why it failed; --allow-empty makes an empty store"
        }
        ImportError::NoEndLine { .. } => {
            "export it again; without --require-end it is imported as it is"
        }
        ImportError::LineCount { .. } | ImportError::OtherLines { .. } => {
            "export it again; if you edited the export, drop its end line"
        }
        ImportError::Changed { .. } => "wait until its writer is done, then try again",
        _ => return None,
    })
}

fn is_out_of_memory(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory)
}

fn is_cannot_open(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
}

/// What to do about a limit of the system that was reached, whatever was done.
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
        PermissionDenied => "check the permissions of the file and of the folders above it",
        ReadOnlyFilesystem => "its file system is read-only: choose another place",
        _ if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
            "the disk may be failing: look into the log of the system"
        }
        _ => return None,
    })
}

fn redb_limit_hint(error: &redb::Error) -> Option<&'static str> {
    match error {
        redb::Error::Io(error) => limit_hint(error),
        _ => None,
    }
}

/// SQLite does not open a longer path.
fn is_too_long_for_sqlite(path: &Path) -> bool {
    let path = std::path::absolute(path);
    path.is_ok_and(|path| path.as_os_str().len() > LONGEST_SQLITE_PATH)
}

fn sqlite_hint(error: &SqliteError) -> Option<&'static str> {
    Some(match error {
        SqliteError::Locked { .. } => "wait for the other process or close it, then try again",
        SqliteError::HotJournal { .. } => {
            "open the database once with the tool that wrote it, or with sqlite3, which rolls the \
             transaction back; then try again"
        }
        SqliteError::Truncated { .. } | SqliteError::NotADatabase { .. } => {
            "restore the file from a backup or copy it again"
        }
        SqliteError::Damaged { .. } | SqliteError::Integrity { .. } => {
            "see what `PRAGMA integrity_check` says, and whether the file can be read at all (SQLite \
             tells a failing disk as damage too); damaged indexes alone are mended by `REINDEX`"
        }
        SqliteError::SuperJournal { .. } => {
            "if you trust the journal, open the database once with the tool that wrote it, or with \
             sqlite3, which rolls the transaction back; then try again"
        }
        SqliteError::Changed { .. } => "stop its writer, or try again when it is idle",
        SqliteError::Full { .. } => MAKE_ROOM,
        SqliteError::Engine { source, .. } if is_out_of_memory(source) => MORE_MEMORY,
        SqliteError::Engine { path, source, .. }
            if is_cannot_open(source) && is_too_long_for_sqlite(path) =>
        {
            "SQLite opens no path of more than 504 bytes, counted from the root: choose a shorter one"
        }
        SqliteError::Engine { action, source, .. } if is_cannot_open(source) => match *action {
            "read" => "the database and its -wal and -shm, if there are any, must all be readable",
            _ => "the database must be writable, and its folder, where SQLite makes a journal",
        },
        SqliteError::NoTables { .. } => "is this the database of a code indexer?",
        SqliteError::NotATable { .. } => {
            "only ordinary tables are read; make it one in a copy of the database"
        }
        SqliteError::MissingColumn { .. } => {
            "a newer version of the tool that wrote the database may bring its tables up to date"
        }
        SqliteError::NotNull { .. } => "give the record a value for it",
        SqliteError::TakesNoRecord { .. } => {
            "leave its kind out with --only, or copy into a new database instead of merging"
        }
        SqliteError::UnknownColumns { .. } => {
            "sqlite-to-kv and verify leave a column out with --without-column TABLE.COLUMN; for all \
             else, drop it in a copy of the database"
        }
        SqliteError::WithoutColumn { .. } => {
            "what --without-column takes is TABLE.COLUMN, of a column that no record has a field for"
        }
        _ => return None,
    })
}

fn kv_hint(error: &KvError) -> Option<&'static str> {
    Some(match error {
        KvError::Locked { .. } => "close the process that has it open, then try again",
        KvError::MustReopen { .. } => "make room if the disk is full, then try again",
        KvError::Changed { .. } => "stop its writer, or try again when it is idle",
        KvError::Damaged { .. } => {
            "restore the file from a backup, or make it anew from the database that it came from"
        }
        KvError::Version { .. } => "use a newer version of chunkmigrate",
        KvError::NotRedb { .. } | KvError::Foreign { .. } => {
            "is this the right file? only KV files of chunkmigrate, or of a tool that uses it, are read"
        }
        KvError::OldRedb { .. } => {
            "the program that wrote it has to upgrade it, with `Database::upgrade` of redb 2.6"
        }
        KvError::Engine { source, .. } => return redb_limit_hint(source),
        _ => return None,
    })
}

fn target_hint(error: &TargetError) -> Option<&'static str> {
    Some(match error {
        TargetError::RejectsExist { .. } => {
            "see that it is not needed and remove it, or name another one with --rejects"
        }
        TargetError::SideFile { .. } => {
            "it may hold what a database of that name has not taken in yet: open and close that \
             database with its own tool, or remove the file if there is none"
        }
        TargetError::NothingToMergeInto { .. } => "leave out --merge to make a new store",
        TargetError::Referenced { .. } => {
            "nothing was written; change or delete the rows that refer to it first, or leave its kind \
             out with --only"
        }
        TargetError::NotReplaceable { .. } => {
            "choose another name, or remove the file yourself if it is not needed"
        }
        TargetError::IsSource { .. }
        | TargetError::BesideSource { .. }
        | TargetError::RejectsIsTarget { .. }
        | TargetError::PageIsReport { .. } => "choose another name for one of them",
        TargetError::NoName { .. } => "name the file that is to be made",
        TargetError::NotSynced { .. } => "it is complete; keep its source until the disk is well",
        TargetError::Locked { .. } => "close the process that has it open, then try again",
        TargetError::NoFolder { .. } => "create the folder first",
        TargetError::NoRoom { .. } => MAKE_ROOM,
        _ => return None,
    })
}
