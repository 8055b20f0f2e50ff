//! The state of a database's files on disk: which open mode leaves no trace, and whether another
//! process changed them meanwhile.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::sidecars::{WAL_HEADER_BYTES, beside, has_journal_header, has_wal_header};
use crate::sqlite::open::fingerprint::{FileState, Fingerprint};

/// Length of the database header, in bytes.
const HEADER_BYTES: usize = 100;
/// How often to probe a recently written database again, and how long to wait between probes.
const LOOKS: usize = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How to open a database without creating, changing or removing any sidecar file.
///
/// Chosen from the sidecar files and not from the header alone: SQLite reads the frames of a `-wal`
/// whatever the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Rollback-journal mode: opened normally. SQLite's lock excludes writers during the read.
    Plain,
    /// WAL mode, closed cleanly: opened as immutable, since a normal open would create `-wal` and
    /// `-shm`. Also used if the `-wal` is a header without frames, as after a kill: with a
    /// read-only `-shm` SQLite would wait in vain for a writer to complete it. No lock.
    Immutable,
    /// WAL mode with a `-shm`, in use or left by a killed process: opened with a read-only `-shm`.
    SharedWalIndex,
    /// WAL mode with frames in the `-wal` and no `-shm`: SQLite builds the index of the `-wal` in
    /// heap memory. No lock.
    HeapWalIndex,
    /// A new database that only this process knows and appends to: opened as immutable. No lock.
    Appended,
}

impl Access {
    /// Whether SQLite detects every writer. If not, the files must be checked again before the
    /// results are used.
    pub(crate) const fn sees_writers(self) -> bool {
        !matches!(self, Access::Immutable | Access::HeapWalIndex)
    }
}

/// How it is opened, and why.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Plain => "with a read lock, as it uses a rollback journal",
            Access::Immutable => {
                "without a lock, as its -wal has no content; checked for changes afterwards"
            }
            Access::SharedWalIndex => "with its -wal and -shm, which may be in use",
            Access::HeapWalIndex => {
                "with its -wal, whose index is built in memory; checked for changes afterwards"
            }
            Access::Appended => "without a lock, as only this process writes it",
        })
    }
}

/// A database and its sidecar files.
#[derive(Debug)]
pub(crate) struct SourceFiles {
    /// The path as specified by the caller, for messages.
    pub(crate) given: PathBuf,
    /// The path without symbolic links: SQLite keeps the `-wal` next to the real file.
    pub(crate) real_path: PathBuf,
    pub(crate) access: Access,
    pub(crate) hot_journal: bool,
    /// Whether the header says that the database is in WAL mode.
    pub(crate) wal_mode: bool,
    /// The length according to the header in bytes, if the header is trustworthy.
    header_len: Option<u64>,
    signature: Fingerprint,
    /// State of the main file when the lock that excludes writers was taken, if it was.
    locked: Option<FileState>,
}

impl SourceFiles {
    /// Probes a database that this process must not have open: reading its header closes a file
    /// descriptor, which would release the process's POSIX locks.
    ///
    /// If only the files' times can show a write, waits until they are old enough for that.
    pub(crate) fn probe(given: &Path) -> Result<Self> {
        Self::probe_as(given, given)
    }

    /// As [`SourceFiles::probe`], with a different path for messages.
    pub(crate) fn probe_as(given: &Path, path: &Path) -> Result<Self> {
        for _ in 0..LOOKS {
            let files = Self::look(given, path)?;
            if files.access.sees_writers() || files.signature.mtime_is_old_enough() {
                return Ok(files);
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(Error::DatabaseChanged { path: given.to_owned() })
    }

    fn look(given: &Path, path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).io_context("resolve", given)?;
        let signature = Fingerprint::take(&path)?;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        File::open(&path)
            .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header))
            .io_context("read", given)?;
        if header.len() < HEADER_BYTES {
            return Err(Error::NotADatabase { path: given.to_owned() });
        }
        // Bytes 18 and 19, the write and read version: 1 for a rollback journal, 2 for WAL.
        let wal_mode = header.get(18..20) != Some(&[1, 1]);
        let access = match (signature.wal_len(), signature.shm) {
            (Some(1..=WAL_HEADER_BYTES), _) => Access::Immutable,
            // With its `-shm`, SQLite would retry for ten seconds.
            (Some(1..), true) if !has_wal_header(&beside(&path, "-wal"))? => Access::HeapWalIndex,
            (Some(_), true) => Access::SharedWalIndex,
            (Some(1..), false) => Access::HeapWalIndex,
            _ if wal_mode => Access::Immutable,
            _ => Access::Plain,
        };
        let hot_journal = !access.sees_writers() && has_journal_header(&beside(&path, "-journal"))?;
        Ok(SourceFiles {
            given: given.to_owned(),
            real_path: path,
            access,
            hot_journal,
            wal_mode,
            header_len: header_len(&header),
            signature,
            locked: None,
        })
    }

    /// Records the state of the main file once SQLite's lock excludes writers. In WAL mode the lock
    /// doesn't exclude them.
    pub(crate) fn record_locked_state(&mut self) -> Result<()> {
        if self.access == Access::Plain {
            self.locked = FileState::take(&self.real_path)?;
        }
        Ok(())
    }

    /// Whether everything that was read belongs to one state: no writer that SQLite doesn't detect,
    /// and none that ignores its locks, such as a copy over the database. Opens no file, so that no
    /// lock is released.
    pub(crate) fn is_consistent(&self) -> Result<bool> {
        match &self.locked {
            Some(locked) => Ok(FileState::take(&self.real_path)?.as_ref() == Some(locked)),
            None => Ok(self.access.sees_writers() || self.unchanged()?),
        }
    }

    /// The same files, for which this process holds a lock that excludes writers.
    pub(crate) fn locked_by_us(mut self) -> Self {
        self.access = Access::Plain;
        self
    }

    /// The same files, to which this process appends pages of other tables and indexes.
    pub(crate) fn appended_by_us(mut self) -> Self {
        self.access = Access::Appended;
        self
    }

    /// The expected and actual length if the file is shorter than its header says, where that can
    /// be known.
    pub(crate) fn is_truncated(&self) -> Option<(u64, u64)> {
        let expected = self.header_len.filter(|_| !self.has_frames())?;
        let len = self.signature.main.as_ref()?.len;
        (len < expected).then_some((expected, len))
    }

    /// Whether part of the content is in the `-wal`.
    fn has_frames(&self) -> bool {
        self.signature.wal_len() > Some(WAL_HEADER_BYTES)
    }

    /// Whether the files are unchanged. Opens no file, so that no lock is released.
    pub(crate) fn unchanged(&self) -> Result<bool> {
        Ok(Fingerprint::take(&self.real_path)? == self.signature)
    }

    /// Length of the main file in bytes.
    pub(crate) fn len(&self) -> Result<u64> {
        let metadata = fs::metadata(&self.real_path).io_context("stat", &self.real_path)?;
        Ok(metadata.len())
    }
}

/// Page size times number of pages. The page count is valid only if its "version-valid-for" number
/// equals the change counter (offsets 92 and 24 of the header).
fn header_len(header: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let page_size = match header.get(16..18)? {
        [0, 1] => 65536,
        &[high, low] => u64::from(u16::from_be_bytes([high, low])),
        _ => return None,
    };
    let is_page_size = page_size.is_power_of_two() && page_size >= 512;
    let believable = is_page_size && number(24)? == number(92)?;
    believable.then_some(page_size * u64::from(number(28)?))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::sqlite::open::fingerprint::MTIME_GRANULARITY;

    /// Two writes within the granularity of the file system's clock are indistinguishable.
    #[test]
    fn a_database_is_read_without_a_lock_if_a_later_write_would_be_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.close().unwrap();
        let files = SourceFiles::probe(&path).unwrap();
        assert_eq!(files.access, Access::Immutable);
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert!(SystemTime::now().duration_since(written).unwrap() >= MTIME_GRANULARITY);
    }
}
