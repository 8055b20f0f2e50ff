//! Opens a database for reading without leaving any file next to it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::sqlite::open::hardening::{SORTING_THREADS, defend};
use crate::sqlite::open::open_mode::{Access, SourceFiles};

/// Maximum wait for another process's lock.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Memory in KiB that SQLite may use for the page cache, and the same again for sorting. With three
/// times the default of 2 MiB, a sort needs one merge pass instead of two.
const CACHE_KIB: i64 = 6 << 10;
/// Virtual-machine instructions between two cancellation checks.
const CANCEL_CHECK_INTERVAL: i32 = 10_000;

impl Error {
    /// Adds the path to a SQLite error, and maps it to a specific variant if the cause is known.
    pub(crate) fn from_engine(action: &'static str, path: &Path, source: rusqlite::Error) -> Error {
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
            (Some(ErrorCode::DatabaseCorrupt), _) => {
                Error::CorruptDatabase { path, detail: source.to_string() }
            }
            (Some(ErrorCode::NotADatabase), _) => Error::NotADatabase { path },
            // A read-only connection writes only temporary files.
            (Some(ErrorCode::DiskFull), _) => Error::TempDiskFull { path },
            (_, Some(ffi::SQLITE_IOERR_WRITE)) => Error::TempWrite { path, source },
            _ => Error::Sqlite { action, path, source },
        }
    }
}

/// The name of the collation that SQLite doesn't know.
pub(crate) fn unknown_collation(error: &rusqlite::Error) -> Option<String> {
    let text = match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text,
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        _ => return None,
    };
    let name = text.strip_prefix("no such collation sequence: ")?;
    Some(name.to_owned())
}

/// Allows rows to be read whose columns or indexes use another program's collation: the results
/// don't depend on its order. Not possible for UTF-16 databases.
pub(crate) fn register_fallback_collations(connection: &Connection) -> rusqlite::Result<()> {
    connection.collation_needed(|connection, name| connection.create_collation(name, str::cmp))
}

/// Converts a SQLite error from reading a source; an interrupted statement counts as cancelled.
pub(crate) fn reading(path: &Path) -> impl Fn(rusqlite::Error) -> Error + '_ {
    |source| match source.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Error::Cancelled,
        Some(ErrorCode::CannotOpen) => out_of_files("read", path).unwrap_or_else(|| {
            let path = path.to_owned();
            Error::UnreadableDatabase { path, source }
        }),
        _ => Error::from_engine("read", path, source),
    }
}

/// The error if the process has run out of file descriptors, which SQLite doesn't report as the
/// cause: no other file can be opened either.
fn out_of_files(action: &'static str, path: &Path) -> Option<Error> {
    let limit = File::open("/dev/null").err();
    let source = limit.filter(|limit| limit.kind() != ErrorKind::NotFound)?;
    let path = path.to_owned();
    Some(Error::Io { action, path, source })
}

/// Converts a SQLite error from writing a database.
pub(crate) fn writing(path: &Path) -> impl Fn(rusqlite::Error) -> Error + '_ {
    |source| {
        let extended = source.sqlite_error().map(|error| error.extended_code);
        let path = || path.to_owned();
        match (source.sqlite_error_code(), extended) {
            (Some(ErrorCode::OperationInterrupted), _) => Error::Cancelled,
            (Some(ErrorCode::DiskFull), _) => Error::DiskFull { path: path() },
            (Some(ErrorCode::CannotOpen), _) => out_of_files("write", &path())
                .unwrap_or_else(|| Error::from_engine("write", &path(), source)),
            (_, Some(ffi::SQLITE_IOERR_WRITE)) => {
                Error::Sqlite { action: "write", path: path(), source }
            }
            _ => Error::from_engine("write", &path(), source),
        }
    }
}

/// Opens a database in the mode its state requires and begins the connection's single read
/// transaction.
pub(crate) fn open_for_reading(
    files: &SourceFiles,
    temp_dir: Option<&Path>,
    progress: &Progress,
) -> Result<Connection> {
    let path = files.given.as_path();
    if files.hot_journal {
        return Err(Error::HotJournal { path: path.to_owned() });
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
    begun.map_err(|error| match (beginning(path, error), files.is_truncated()) {
        // An interrupted commit may have updated the header before writing all pages.
        (error, Some(_)) if is_hot_journal(&error) => error,
        (_, Some((expected, actual))) => {
            Error::Truncated { path: path.to_owned(), expected, actual }
        }
        (error, None) => error,
    })?;
    check_length(&connection, files)?;
    // Unlike the other modes, this one reads the schema.
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(reading(path))?;
    Ok(connection)
}

/// Converts a SQLite error from taking the first lock.
fn beginning(path: &Path, source: rusqlite::Error) -> Error {
    let extended = source.sqlite_error().map(|error| error.extended_code);
    match extended == Some(ffi::SQLITE_READONLY_RECOVERY) {
        // The first writer has opened the database and not built the index of its `-wal` yet.
        true => Error::DatabaseChanged { path: path.to_owned() },
        false => reading(path)(source),
    }
}

/// Whether an error means that an interrupted transaction must be rolled back first.
pub(crate) fn is_hot_journal(error: &Error) -> bool {
    matches!(error, Error::HotJournal { .. })
}

fn configure(
    connection: &mut Connection,
    access: Access,
    progress: &Progress,
) -> rusqlite::Result<()> {
    defend(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;

    stop_when_cancelled(connection, progress)?;
    wait_for_locks(connection, progress)?;

    if access == Access::HeapWalIndex {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    // Memory-mapped pages count as resident memory, and a truncated mapping raises a signal.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    connection.pragma_update(None, "threads", SORTING_THREADS)?;
    Ok(())
}

/// Interrupts running statements when the work is cancelled.
pub(crate) fn stop_when_cancelled(
    connection: &mut Connection,
    progress: &Progress,
) -> rusqlite::Result<()> {
    let stop = progress.clone();
    connection.progress_handler(CANCEL_CHECK_INTERVAL, Some(move || stop.is_cancelled()))
}

/// Waits a few seconds for another process's lock, unless the work is cancelled.
pub(crate) fn wait_for_locks(
    connection: &mut Connection,
    progress: &Progress,
) -> rusqlite::Result<()> {
    let stop = progress.clone();
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

/// Sets SQLite's directory for temporary files.
pub(crate) fn set_temp_dir(connection: &Connection, dir: &Path) -> Result<()> {
    let refused = |why| Error::TempDir { path: dir.to_owned(), why };
    if !dir.is_dir() {
        return Err(refused("not a directory"));
    }
    let text = dir.to_str();
    let text = text.ok_or_else(|| refused("SQLite accepts only UTF-8 paths"))?;
    connection
        .pragma_update(None, "temp_store_directory", text)
        .map_err(|_| refused("it is not writable"))
}

/// Without this check, a truncated file would pass as complete if its missing pages are never read.
fn check_length(connection: &Connection, files: &SourceFiles) -> Result<()> {
    if matches!(files.access, Access::SharedWalIndex | Access::HeapWalIndex) {
        return Ok(());
    }
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let expected = pragma("page_count")
        .and_then(|pages| Ok(pages * pragma("page_size")?))
        .map_err(reading(&files.given))?;
    let actual = files.len()?;
    if actual < expected {
        return Err(Error::Truncated { path: files.given.clone(), expected, actual });
    }
    Ok(())
}

/// The database path as a URI, with everything except plain characters percent-encoded.
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
        Access::SharedWalIndex => "?readonly_shm=1",
        Access::HeapWalIndex => "?vfs=unix-none",
    });
    PathBuf::from(uri)
}
