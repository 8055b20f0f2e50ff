//! Opens an existing database for writing.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::sidecars::super_journal;
use crate::progress::Progress;
use crate::sqlite::open::connection::{stop_when_cancelled, wait_for_locks, writing};
use crate::sqlite::open::hardening::defend;

/// Length of a new `-shm`, in bytes.
const SHM_BYTES: usize = 32 << 10;

/// A database to write into: its real path, and the path for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TargetPath<'p> {
    pub(crate) path: &'p Path,
    pub(crate) shown: &'p Path,
}

/// Converts a SQLite error from writing a database. If SQLite can't create a sidecar file it
/// doesn't say why, so this tries to create a file in the directory.
pub(crate) fn failed(target: TargetPath<'_>) -> impl Fn(rusqlite::Error) -> Error + '_ {
    move |error| {
        let probe = match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => create_probe_file(target),
            _ => Ok(()),
        };
        probe.err().unwrap_or_else(|| writing(target.shown)(error))
    }
}

/// Creates a file the size of a `-shm` next to a database and removes it again.
fn create_probe_file(target: TargetPath<'_>) -> Result<()> {
    let real_path = fs::canonicalize(target.path).io_context("resolve", target.shown)?;
    let folder = real_path.parent().unwrap_or(Path::new("/"));
    tempfile::tempfile_in(folder)
        .and_then(|mut file| file.write_all(&[0; SHM_BYTES]))
        .io_context("create a file next to", target.shown)
}

/// Opens an existing database for writing. Triggers and foreign key actions don't run.
pub(crate) fn connect(target: TargetPath<'_>, progress: &Progress) -> Result<Connection> {
    let real_path = fs::canonicalize(target.path).io_context("resolve", target.shown)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(real_path, flags);
    let mut connection = connection.map_err(failed(target))?;
    configure(&mut connection, progress).map_err(failed(target))?;
    Ok(connection)
}

fn configure(connection: &mut Connection, progress: &Progress) -> rusqlite::Result<()> {
    defend(connection)?;
    // Foreign key actions would change other tables; violations are checked before the commit.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    stop_when_cancelled(connection, progress)?;
    wait_for_locks(connection, progress)
}

/// Rolls back an interrupted transaction from a hot journal.
///
/// # Errors
/// Among others: [`Error::MultiDatabaseJournal`].
pub(crate) fn roll_back(target: TargetPath<'_>, progress: &Progress) -> Result<()> {
    if let Some(super_journal) = super_journal(target.path)? {
        return Err(Error::MultiDatabaseJournal { path: target.shown.to_owned(), super_journal });
    }
    let connection = connect(target, progress)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(failed(target))?;
    connection.close().map_err(|(_, error)| Error::from_engine("write", target.shown, error))
}
