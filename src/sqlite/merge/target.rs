//! Opening a database of somebody else's for writing.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::sidecars::super_journal;
use crate::progress::Progress;
use crate::sqlite::open::connection::{stop_when_cancelled, wait_for_locks, writing};
use crate::sqlite::open::hardening::defend;

/// Length of a new `-shm`.
const SHM_BYTES: usize = 32 << 10;

/// A database to write into: where it is, and what messages call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TargetPath<'p> {
    pub(crate) path: &'p Path,
    pub(crate) shown: &'p Path,
}

/// An error of SQLite while a database is written. What it makes beside the database it can't always
/// make, and doesn't say why; the folder does.
pub(in crate::sqlite) fn failed(target: TargetPath<'_>) -> impl Fn(rusqlite::Error) -> Error + '_ {
    move |error| {
        let made = match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => make_file_beside(target),
            _ => Ok(()),
        };
        made.err().unwrap_or_else(|| writing(target.shown)(error))
    }
}

/// Makes a file beside a database, as large as a `-shm`, and takes it away again.
fn make_file_beside(target: TargetPath<'_>) -> Result<()> {
    let real_path = fs::canonicalize(target.path).io_context("resolve", target.shown)?;
    let folder = real_path.parent().unwrap_or(Path::new("/"));
    tempfile::tempfile_in(folder)
        .and_then(|mut file| file.write_all(&[0; SHM_BYTES]))
        .io_context("create a file next to", target.shown)
}

/// Opens a database to write into it, as it is. Triggers don't run, and neither do the actions of
/// foreign keys.
pub(in crate::sqlite) fn connect(
    target: TargetPath<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Connection> {
    let real_path = fs::canonicalize(target.path).io_context("resolve", target.shown)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(real_path, flags);
    let mut connection = connection.map_err(failed(target))?;
    configure(&mut connection, progress).map_err(failed(target))?;
    Ok(connection)
}

fn configure(connection: &mut Connection, progress: &Arc<dyn Progress>) -> rusqlite::Result<()> {
    defend(connection)?;
    // Their actions would change other tables; whether they hold is checked before the commit.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    stop_when_cancelled(connection, progress)?;
    wait_for_locks(connection, progress)
}

/// Rolls back what a transaction that was cut off left in a hot journal.
///
/// # Errors
/// Among others: [`Error::MultiDatabaseJournal`].
pub(crate) fn roll_back(target: TargetPath<'_>, progress: &Arc<dyn Progress>) -> Result<()> {
    if let Some(super_journal) = super_journal(target.path)? {
        return Err(Error::MultiDatabaseJournal {
            path: target.shown.to_owned(),
            super_journal,
        });
    }
    let connection = connect(target, progress)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(failed(target))?;
    connection
        .close()
        .map_err(|(_, error)| Error::from_engine("write", target.shown, error))
}
