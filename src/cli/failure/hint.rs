//! Advice that follows from an error.

use std::io;

use chunkmigrate::Error;
use chunkmigrate::error::KindError;
use chunkmigrate::kv::KvError;
use chunkmigrate::migrate::{ImportError, TargetError};
use chunkmigrate::redb;
use chunkmigrate::sqlite::SqliteError;

const OTHER_TEMP_DIR: &str = "name another folder with --temp-dir";
const MAKE_ROOM: &str = "make room, or choose another folder";

/// The next step, where one is known.
pub(super) fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::Sqlite(error) => sqlite_hint(error),
        Error::Kv(error) => kv_hint(error),
        Error::Target(error) => target_hint(error),
        Error::Kind(error) => kind_hint(error),
        Error::Import(error) => import_hint(error),
        Error::Io { source, .. } if is_full(source) => Some(MAKE_ROOM),
        Error::Io { action, .. } => match *action {
            "create a temporary folder in" => Some(OTHER_TEMP_DIR),
            "create a private folder in" => {
                Some("a file is built beside its place: choose another")
            }
            _ => None,
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
        KindError::NotAFile { .. } => "name the file itself",
        _ => return None,
    })
}

fn import_hint(error: &ImportError) -> Option<&'static str> {
    Some(match error {
        ImportError::IsStore { .. } => {
            "copy it with sqlite-to-kv or kv-to-sqlite, or export it first"
        }
        ImportError::Changed { .. } => "wait until its writer is done, then try again",
        _ => return None,
    })
}

fn is_cannot_open(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn is_engine_full(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(error) if is_full(error))
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
        SqliteError::UnknownCollation { .. } => {
            "only the program that has the collation can check or write the database; without \
             --check-source it can be read"
        }
        SqliteError::SuperJournal { .. } => {
            "if you trust the journal, open the database once with the tool that wrote it, or with \
             sqlite3, which rolls the transaction back; then try again"
        }
        SqliteError::Changed { .. } => "stop its writer, or try again when it is idle",
        SqliteError::TemporaryFull { .. }
        | SqliteError::TemporaryWrite { .. }
        | SqliteError::Temporary { .. } => {
            "name a folder with more room with --temp-dir, or set SQLITE_TMPDIR"
        }
        SqliteError::Full { .. } => MAKE_ROOM,
        SqliteError::TempDir { .. } => OTHER_TEMP_DIR,
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
        KvError::Changed { .. } => "stop its writer, or try again when it is idle",
        KvError::Damaged { .. } => {
            "restore the file from a backup, or make it anew from the database that it came from"
        }
        KvError::Version { .. } => "use a newer version of chunkmigrate",
        KvError::NotRedb { .. } | KvError::Foreign { .. } => {
            "is this the right file? only KV files of chunkmigrate, or of a tool that uses it, are read"
        }
        KvError::Engine { source, .. } if is_engine_full(source) => MAKE_ROOM,
        _ => return None,
    })
}

fn target_hint(error: &TargetError) -> Option<&'static str> {
    Some(match error {
        TargetError::Exists { .. } => "use --replace to replace it, or --merge to write into it",
        TargetError::RejectsExist { .. } => {
            "see that it is not needed and remove it, or name another one with --rejects"
        }
        TargetError::SideFile { .. } => {
            "it may hold what a database of that name has not taken in yet: open and close that \
             database with its own tool, or remove the file if there is none"
        }
        TargetError::NothingToMergeInto { .. } => "leave out --merge to make a new store",
        TargetError::IdTaken { .. } => "one of the two records has to get another id first",
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
