//! The files of a database as they lie on disk: which way to open them leaves no trace, and
//! whether somebody changed them meanwhile.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::{IoContext as _, Result};
use crate::sqlite::error::SqliteError;
use crate::sqlite::open::fingerprint::{FileState, Fingerprint};
use crate::sqlite::open::sidecars::{WAL_HEADER_BYTES, beside, has_journal_header, has_wal_header};

/// Length of the header of a database.
const HEADER_BYTES: usize = 100;
/// How often a database that has not settled is looked at again, and how long after.
const LOOKS: usize = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How a database is opened so that nothing beside it appears, changes or goes.
///
/// Judged by the files beside the database and not by its header alone: SQLite reads the frames
/// of a `-wal` whatever the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Access {
    /// Rollback-journal mode: opened plainly. SQLite's own lock keeps writers out while we read.
    Plain,
    /// WAL mode, closed cleanly: opened as immutable, since a plain open would create `-wal` and
    /// `-shm`. So is one whose `-wal` is a header without frames, as a kill leaves it: with the
    /// `-shm` read-only SQLite would wait in vain for a writer to finish it. No lock.
    Immutable,
    /// WAL mode with its `-shm`, in use or left by a kill: opened with the `-shm` read-only.
    SharedWal,
    /// WAL mode with frames in the `-wal` and no `-shm`: the index of the `-wal` is built on the
    /// heap. No lock.
    HeapWal,
    /// A new database that only this process knows of and appends to: opened as immutable. No lock.
    Appended,
}

impl Access {
    /// Whether no writer can come along that SQLite doesn't see. Where one can, the files must be
    /// looked at again before what was read is believed.
    pub(in crate::sqlite) const fn sees_writers(self) -> bool {
        !matches!(self, Access::Immutable | Access::HeapWal)
    }
}

/// A database and what lies beside it.
#[derive(Debug)]
pub(crate) struct SourceFiles {
    /// As it was given; this is what messages name.
    pub(in crate::sqlite) given: PathBuf,
    /// Without symbolic links: SQLite keeps its `-wal` beside the real file.
    pub(in crate::sqlite) real_path: PathBuf,
    pub(in crate::sqlite) access: Access,
    pub(in crate::sqlite) hot_journal: bool,
    /// The length that the header tells of, in bytes, if it can be believed.
    header_len: Option<u64>,
    signature: Fingerprint,
    /// The main file when the lock was taken that keeps writers out, if one was.
    locked: Option<FileState>,
}

impl SourceFiles {
    /// Looks at a database that no connection of this process has open: reading its header closes
    /// a descriptor, which would drop the locks of such a connection.
    ///
    /// Where only the times of its files tell whether it is written, waits until they can.
    pub(crate) fn classify(given: &Path) -> Result<Self> {
        Self::classify_as(given, given)
    }

    /// As [`SourceFiles::classify`], of a database that messages call by another name.
    pub(crate) fn classify_as(given: &Path, path: &Path) -> Result<Self> {
        for _ in 0..LOOKS {
            let files = Self::look(given, path)?;
            if files.access.sees_writers() || files.signature.mtime_is_old_enough() {
                return Ok(files);
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(SqliteError::Changed {
            path: given.to_owned(),
        }
        .into())
    }

    fn look(given: &Path, path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).io_context("resolve", given)?;
        let signature = Fingerprint::take(&path)?;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        File::open(&path)
            .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header))
            .io_context("read", given)?;
        if header.len() < HEADER_BYTES {
            return Err(SqliteError::NotADatabase {
                path: given.to_owned(),
            }
            .into());
        }
        // Bytes 18 and 19, write and read version: 1 for a rollback journal, 2 for a WAL.
        let wal_mode = header.get(18..20) != Some(&[1, 1]);
        let access = match (signature.wal_len(), signature.shm) {
            (Some(1..=WAL_HEADER_BYTES), _) => Access::Immutable,
            // With its `-shm`, SQLite would try again and again for ten seconds.
            (Some(1..), true) if !has_wal_header(&beside(&path, "-wal"))? => Access::HeapWal,
            (Some(_), true) => Access::SharedWal,
            (Some(1..), false) => Access::HeapWal,
            _ if wal_mode => Access::Immutable,
            _ => Access::Plain,
        };
        let hot_journal = !access.sees_writers() && has_journal_header(&beside(&path, "-journal"))?;
        Ok(SourceFiles {
            given: given.to_owned(),
            real_path: path,
            access,
            hot_journal,
            header_len: header_len(&header),
            signature,
            locked: None,
        })
    }

    /// Takes note of the main file, once SQLite's lock keeps writers out of it. In WAL mode its lock
    /// doesn't.
    pub(in crate::sqlite) fn record_locked_state(&mut self) -> Result<()> {
        if self.access == Access::Plain {
            self.locked = FileState::take(&self.real_path)?;
        }
        Ok(())
    }

    /// Whether what was read is of one state: no writer came that SQLite doesn't see, nor one that
    /// doesn't heed its locks, such as a file that is copied over the database. Reads no file, so
    /// that no lock is dropped.
    pub(in crate::sqlite) fn is_consistent(&self) -> Result<bool> {
        match &self.locked {
            Some(locked) => Ok(FileState::take(&self.real_path)?.as_ref() == Some(locked)),
            None => Ok(self.access.sees_writers() || self.unchanged()?),
        }
    }

    /// The same files, of which this process holds a lock that keeps writers out.
    pub(in crate::sqlite) fn locked_by_us(mut self) -> Self {
        self.access = Access::Plain;
        self
    }

    /// The same files, to whose end this process appends pages of other tables and indexes.
    pub(in crate::sqlite) fn appended_by_us(mut self) -> Self {
        self.access = Access::Appended;
        self
    }

    /// Whether the file is shorter than its header told, where that can be known.
    pub(in crate::sqlite) fn is_truncated(&self) -> Option<(u64, u64)> {
        let told = self.header_len.filter(|_| !self.has_frames())?;
        let len = self.signature.main.as_ref()?.len;
        (len < told).then_some((told, len))
    }

    /// Whether part of the content is in the `-wal`.
    fn has_frames(&self) -> bool {
        self.signature.wal_len() > Some(WAL_HEADER_BYTES)
    }

    /// Whether the files are as they were. Reads no file, so that no lock is dropped.
    pub(in crate::sqlite) fn unchanged(&self) -> Result<bool> {
        Ok(Fingerprint::take(&self.real_path)? == self.signature)
    }

    /// Length of the main file in bytes.
    pub(in crate::sqlite) fn len(&self) -> Result<u64> {
        let metadata = fs::metadata(&self.real_path).io_context("stat", &self.real_path)?;
        Ok(metadata.len())
    }
}

/// Page size times number of pages. The number is valid only if the change counter beside it is the
/// file's (offsets 92 and 24 of the header).
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

    /// Two writes within a step of the file system's clock look like one.
    #[test]
    fn a_database_is_read_without_a_lock_if_a_later_write_would_be_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.close().unwrap();
        let files = SourceFiles::classify(&path).unwrap();
        assert_eq!(files.access, Access::Immutable);
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert!(SystemTime::now().duration_since(written).unwrap() >= MTIME_GRANULARITY);
    }
}
