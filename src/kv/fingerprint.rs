//! Detects whether a file is written while it is being read.

use std::fs::{File, Metadata, TryLockError};
use std::io;

/// An open file with its metadata at the time of opening.
pub(super) struct Fingerprint {
    file: File,
    metadata: Metadata,
}

impl Fingerprint {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Fingerprint { file: file.try_clone()?, metadata: file.metadata()? })
    }

    /// Length in bytes when it was opened.
    pub(super) fn len(&self) -> u64 {
        self.metadata.len()
    }

    pub(super) fn is_unchanged(&self) -> io::Result<bool> {
        Ok(is_unwritten(&self.metadata, &self.file.metadata()?))
    }
}

/// Whether a file's length and modification time are unchanged.
pub(crate) fn is_unwritten(before: &Metadata, now: &Metadata) -> bool {
    let state = |file: &Metadata| (file.len(), file.modified().ok());
    state(before) == state(now)
}

impl Drop for Fingerprint {
    /// Releases the lock on the file, if it has one. Closing it is not enough: a child process just
    /// started by another thread may have inherited the descriptor and with it the lock.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Locks a file against redb writers; returns `false` if one has it open. On a file system without
/// locks, no file counts as locked.
pub(super) fn lock_shared(file: &File) -> bool {
    !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Whether a redb writer has the file open.
pub(crate) fn is_locked(file: &File) -> bool {
    let is_free = lock_shared(file);
    // Unlock explicitly instead of by closing, as above.
    let _ = file.unlock();
    !is_free
}
