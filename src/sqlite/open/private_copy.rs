//! Copies a database into a private file.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::sidecars::beside;
use crate::progress::Progress;
use crate::sqlite::open::connection::{is_hot_journal, open_for_reading, reading, writing};
use crate::sqlite::open::open_mode::SourceFiles;

/// Pages to copy between two cancellation checks.
const PAGES: i32 = 1024;

/// Copies a database, including the content of its `-wal`, into a new file. Leaves no trace on the
/// source. A hot journal is copied along.
pub(crate) fn copy_database(from: &Path, to: &Path, progress: &Progress) -> Result<()> {
    let mut files = SourceFiles::probe(from)?;
    let is_one_state = match open_for_reading(&files, None, progress) {
        Ok(source) => {
            files.record_locked_state()?;
            copy_pages(&source, from, to, progress)?;
            files.is_consistent()?
        }
        Err(error) if is_hot_journal(&error) => {
            for suffix in ["", "-journal"] {
                let copy = beside(to, suffix);
                fs::copy(beside(&files.real_path, suffix), &copy).io_context("create", &copy)?;
            }
            files.unchanged()?
        }
        Err(error) => return Err(error),
    };
    match is_one_state {
        true => Ok(()),
        false => Err(Error::DatabaseChanged { path: from.to_owned() }),
    }
}

fn copy_pages(source: &Connection, from: &Path, to: &Path, progress: &Progress) -> Result<()> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::TempDiskFull { path: from.to_owned() },
        _ => writing(to)(error),
    };
    // SQLite does not say why it can't create a file.
    File::create_new(to).io_context("create", to)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(to, flags).map_err(failed)?;
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;").map_err(failed)?;
    let backup = Backup::new(source, &mut copy).map_err(failed)?;
    loop {
        progress.check_cancelled()?;
        match backup.step(PAGES).map_err(failed)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // No other process has the copy, and the source is in a read transaction.
            _ => {
                let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                return Err(reading(from)(rusqlite::Error::SqliteFailure(busy, None)));
            }
        }
    }
}
