//! Detects whether files were written, from their identities, lengths and times.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::sidecars::{beside, if_present};

/// Within this time after a write, another write may leave the modification time unchanged: clocks
/// of file systems have a granularity of up to 10 ms.
pub(crate) const MTIME_GRANULARITY: Duration = Duration::from_millis(20);

/// File attributes that change when the database is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) main: Option<FileState>,
    pub(crate) wal: Option<FileState>,
    journal: Option<FileState>,
    pub(crate) shm: bool,
}

impl Fingerprint {
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let state = |suffix| FileState::take(&beside(path, suffix));
        Ok(Fingerprint {
            main: FileState::take(path)?,
            wal: state("-wal")?,
            journal: state("-journal")?,
            shm: state("-shm")?.is_some(),
        })
    }

    /// Whether another write would change the modification time.
    pub(crate) fn mtime_is_old_enough(&self) -> bool {
        let now = SystemTime::now();
        let mut files = [&self.main, &self.wal, &self.journal].into_iter().flatten();
        !files.any(|file| {
            // A time in the future comes from another machine's clock.
            let age = now.duration_since(file.modified);
            age.is_ok_and(|age| age < MTIME_GRANULARITY)
        })
    }

    pub(crate) fn wal_len(&self) -> Option<u64> {
        self.wal.as_ref().map(|wal| wal.len)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    identity: (u64, u64),
    pub(crate) len: u64,
    modified: SystemTime,
}

impl FileState {
    /// `None` if the file does not exist.
    pub(crate) fn take(path: &Path) -> Result<Option<Self>> {
        let Some(metadata) = if_present(fs::metadata(path)).io_context("stat", path)? else {
            return Ok(None);
        };
        if !metadata.is_file() {
            // SQLite would open it, and block forever if it is a FIFO.
            return Err(Error::not_a_file(path, metadata.file_type()));
        }
        Ok(Some(FileState {
            identity: identity(&metadata),
            len: metadata.len(),
            modified: metadata.modified().io_context("stat", path)?,
        }))
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
