//! Whether somebody writes a file that is read.

use std::fs::{File, Metadata, TryLockError};
use std::io;

/// A file, and what it was like when it was opened.
pub(super) struct Fingerprint {
    file: File,
    metadata: Metadata,
}

impl Fingerprint {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Fingerprint {
            file: file.try_clone()?,
            metadata: file.metadata()?,
        })
    }

    /// Length in bytes when it was opened.
    pub(super) fn len(&self) -> u64 {
        self.metadata.len()
    }

    pub(super) fn is_unchanged(&self) -> io::Result<bool> {
        Ok(is_unwritten(&self.metadata, &self.file.metadata()?))
    }
}

/// Whether a file is as it was before, as far as its length and time tell.
pub(crate) fn is_unwritten(before: &Metadata, now: &Metadata) -> bool {
    let state = |file: &Metadata| (file.len(), file.modified().ok());
    state(before) == state(now)
}

impl Drop for Fingerprint {
    /// Gives up the lock that the file may have. To close it is not enough: a process that was just
    /// started by another thread may have inherited it, and with it the lock.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Keeps redb's writers away from a file until it is unlocked; `false` if one has it open. A file
/// system without locks has no locked files.
pub(super) fn lock_shared(file: &File) -> bool {
    !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Whether a redb writer has the file open.
pub(crate) fn is_locked(file: &File) -> bool {
    let is_free = lock_shared(file);
    // Not left to closing it, as above.
    let _ = file.unlock();
    !is_free
}
