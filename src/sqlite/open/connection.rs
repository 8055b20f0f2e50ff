//! Opening a database for reading, without leaving a trace beside it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::sqlite::open::hardening::{SORTING_THREADS, defend};
use crate::sqlite::open::open_mode::{Access, SourceFiles};

/// How long to wait for another process's lock.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Memory that SQLite may use for pages, and as much to sort in, in KiB. What is sorted in three
/// times the usual 2 MiB is merged once where it would have to be merged twice.
const CACHE_KIB: i64 = 6 << 10;
/// Virtual-machine instructions between two looks at whether to stop.
const CANCEL_CHECK_INTERVAL: i32 = 10_000;

impl Error {
    /// Gives an error of SQLite the file, and its own variant where the cause is known.
    pub(in crate::sqlite) fn from_engine(
        action: &'static str,
        path: &Path,
        source: rusqlite::Error,
    ) -> Error {
        let path = path.to_owned();
        let extended = source.sqlite_error().map(|error| error.extended_code);
        if let Some(collation) = unknown_collation(&source) {
            return Error::UnknownCollation { path, collation };
        }
        match (source.sqlite_error_code(), extended) {
            (_, Some(ffi::SQLITE_READONLY_ROLLBACK)) => Error::HotJournal { path },
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
                Error::DatabaseLocked { path }
            }
            (Some(ErrorCode::DatabaseCorrupt), _) => Error::CorruptDatabase {
                path,
                detail: source.to_string(),
            },
            (Some(ErrorCode::NotADatabase), _) => Error::NotADatabase { path },
            // A connection that only reads writes nothing else.
            (Some(ErrorCode::DiskFull), _) => Error::TempDiskFull { path },
            (_, Some(ffi::SQLITE_IOERR_WRITE)) => Error::TempWrite { path, source },
            _ => Error::Sqlite {
                action,
                path,
                source,
            },
        }
    }
}

/// The collation that SQLite misses.
fn unknown_collation(error: &rusqlite::Error) -> Option<String> {
    let text = match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text,
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        _ => return None,
    };
    let name = text.strip_prefix(NO_COLLATION)?;
    Some(name.to_owned())
}

/// What SQLite says of a collation that it misses, before its name.
const NO_COLLATION: &str = "no such collation sequence: ";

/// Whether an error of SQLite is about a collation that it misses.
pub(in crate::sqlite) fn is_unknown_collation(message: &str) -> bool {
    message.starts_with(NO_COLLATION)
}

/// Lets rows be read whose columns or indexes have a collation of another program's: nothing that
/// is read depends on how it orders. A database in UTF-16 can't be helped so.
pub(in crate::sqlite) fn register_fallback_collations(
    connection: &Connection,
) -> rusqlite::Result<()> {
    connection.collation_needed(|connection, name| connection.create_collation(name, str::cmp))
}

/// An error of SQLite while a source is read; an interrupted statement is a cancelled one.
pub(in crate::sqlite) fn reading(path: &Path) -> impl Fn(rusqlite::Error) -> Error + '_ {
    |source| match source.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Error::Cancelled,
        Some(ErrorCode::CannotOpen) => cannot_open("read", path, source),
        _ => Error::from_engine("read", path, source),
    }
}

/// An error of SQLite when it opens a file, for which it gives no reason. That the process has no file
/// descriptors left is found out by trying.
fn cannot_open(action: &'static str, path: &Path, source: rusqlite::Error) -> Error {
    match File::open("/dev/null") {
        Err(limit) if limit.kind() != ErrorKind::NotFound => Error::Io {
            action,
            path: path.to_owned(),
            source: limit,
        },
        _ => Error::from_engine(action, path, source),
    }
}

/// An error of SQLite while a database is written.
pub(in crate::sqlite) fn writing(path: &Path) -> impl Fn(rusqlite::Error) -> Error + '_ {
    |source| {
        let extended = source.sqlite_error().map(|error| error.extended_code);
        let path = || path.to_owned();
        match (source.sqlite_error_code(), extended) {
            (Some(ErrorCode::OperationInterrupted), _) => Error::Cancelled,
            (Some(ErrorCode::DiskFull), _) => Error::DiskFull { path: path() },
            (Some(ErrorCode::CannotOpen), _) => cannot_open("write", &path(), source),
            (_, Some(ffi::SQLITE_IOERR_WRITE)) => Error::Sqlite {
                action: "write",
                path: path(),
                source,
            },
            _ => Error::from_engine("write", &path(), source),
        }
    }
}

/// Opens a database as its state demands and begins the one read transaction of the connection.
pub(in crate::sqlite) fn open_for_reading(
    files: &SourceFiles,
    temp_dir: Option<&Path>,
    progress: &Arc<dyn Progress>,
) -> Result<Connection> {
    let path = files.given.as_path();
    if files.hot_journal {
        return Err(Error::HotJournal {
            path: path.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(uri(&files.real_path, files.access), flags)
        .map_err(reading(path))?;
    configure(&mut connection, files.access, progress).map_err(reading(path))?;
    if let Some(dir) = temp_dir {
        set_temp_dir(&connection, dir)?;
    }
    // The first read takes the lock and the snapshot; BEGIN alone takes neither.
    let begun = connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;");
    begun.map_err(
        |error| match (beginning(path, error), files.is_truncated()) {
            // A commit that was cut off may have told of pages that it had not written yet.
            (error, Some(_)) if is_hot_journal(&error) => error,
            (_, Some((expected, actual))) => Error::Truncated {
                path: path.to_owned(),
                expected,
                actual,
            },
            (error, None) => error,
        },
    )?;
    check_length(&connection, files)?;
    // Unlike the others, this one reads the schema.
    connection
        .pragma_update(None, "cache_size", -CACHE_KIB)
        .map_err(reading(path))?;
    Ok(connection)
}

/// An error of SQLite when the first lock is taken.
fn beginning(path: &Path, source: rusqlite::Error) -> Error {
    let extended = source.sqlite_error().map(|error| error.extended_code);
    match extended == Some(ffi::SQLITE_READONLY_RECOVERY) {
        // The first writer has come and not made the index of its `-wal` yet.
        true => Error::Changed {
            path: path.to_owned(),
        },
        false => reading(path)(source),
    }
}

/// Whether a database could not be read because a transaction that was cut off must be rolled back.
pub(crate) fn is_hot_journal(error: &Error) -> bool {
    matches!(error, Error::HotJournal { .. })
}

fn configure(
    connection: &mut Connection,
    access: Access,
    progress: &Arc<dyn Progress>,
) -> rusqlite::Result<()> {
    defend(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;

    stop_when_cancelled(connection, progress)?;
    wait_for_locks(connection, progress)?;

    if access == Access::HeapWal {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    // A mapped file counts as resident memory, and one that is cut meanwhile is a signal.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    connection.pragma_update(None, "threads", SORTING_THREADS)?;
    Ok(())
}

/// Lets a statement end when the work is to stop.
pub(in crate::sqlite) fn stop_when_cancelled(
    connection: &mut Connection,
    progress: &Arc<dyn Progress>,
) -> rusqlite::Result<()> {
    let stop = Arc::clone(progress);
    connection.progress_handler(CANCEL_CHECK_INTERVAL, Some(move || stop.is_cancelled()))
}

/// Waits some seconds for another process's lock, unless the work is to stop.
pub(in crate::sqlite) fn wait_for_locks(
    connection: &mut Connection,
    progress: &Arc<dyn Progress>,
) -> rusqlite::Result<()> {
    let stop = Arc::clone(progress);
    let mut waiting_since = None;
    connection.busy_handler(Some(move |attempt: i32| {
        let now = Instant::now();
        let since = match attempt {
            0 => *waiting_since.insert(now),
            _ => *waiting_since.get_or_insert(now),
        };
        std::thread::sleep(Duration::from_millis(20));
        now.duration_since(since) < LOCK_WAIT && !stop.is_cancelled()
    }))
}

/// Tells SQLite where to put temporary files.
pub(in crate::sqlite) fn set_temp_dir(connection: &Connection, dir: &Path) -> Result<()> {
    let refused = |why| Error::TempDir {
        path: dir.to_owned(),
        why,
    };
    if !dir.is_dir() {
        return Err(refused("not a directory"));
    }
    let text = dir.to_str();
    let text = text.ok_or_else(|| refused("SQLite accepts only UTF-8 paths"))?;
    connection
        .pragma_update(None, "temp_store_directory", text)
        .map_err(|_| refused("it is not writable"))
}

/// A cut file whose lost pages are never asked for would otherwise pass for a whole one.
fn check_length(connection: &Connection, files: &SourceFiles) -> Result<()> {
    if matches!(files.access, Access::SharedWal | Access::HeapWal) {
        return Ok(());
    }
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let expected = pragma("page_count")
        .and_then(|pages| Ok(pages * pragma("page_size")?))
        .map_err(reading(&files.given))?;
    let actual = files.len()?;
    if actual < expected {
        return Err(Error::Truncated {
            path: files.given.clone(),
            expected,
            actual,
        });
    }
    Ok(())
}

/// The database as a URI, with everything but plain characters percent-encoded.
fn uri(path: &Path, access: Access) -> PathBuf {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str(match access {
        Access::Plain => "",
        Access::Immutable => "?immutable=1",
        Access::Appended => "?immutable=1",
        Access::SharedWal => "?readonly_shm=1",
        Access::HeapWal => "?vfs=unix-none",
    });
    PathBuf::from(uri)
}
