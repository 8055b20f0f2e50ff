//! The output file of a bulk load: written in large extents and synced once by its creator.
//!
//! redb writes page by page, in the order in which pages leave its cache, which is close to their
//! order in the file but not the same. A buffer of pending writes sorts them, so that adjacent
//! pages become one write. One 64 KiB write costs the kernel about a third of writing its pages
//! individually.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// Maximum number of pending bytes. Above it, the writes with the lowest offsets are written until
/// half remains.
const MAX_PENDING_BYTES: usize = 16 << 20;
/// Adjacent writes are combined up to this many bytes. Larger writes are not buffered.
const EXTENT_BYTES: usize = 64 << 10;

/// A file with a write buffer. Clones share both.
#[derive(Debug, Clone)]
pub(super) struct WriteBuffer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: File,
    pending: Mutex<PendingWrites>,
}

/// Pending writes by file offset. They don't overlap.
#[derive(Debug, Default)]
struct PendingWrites {
    writes: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    /// The error of an earlier buffered write; every later operation fails with it.
    failed: Option<StickyError>,
}

/// The parts of an error that are kept to report it again.
#[derive(Debug, Clone, Copy)]
struct StickyError {
    kind: io::ErrorKind,
    os: Option<i32>,
}

impl WriteBuffer {
    pub(super) fn new(file: File) -> Self {
        WriteBuffer(Arc::new(Shared { file, pending: Mutex::default() }))
    }

    /// The underlying file, which contains all flushed writes.
    pub(super) fn file(&self) -> &File {
        &self.0.file
    }

    /// Writes all pending writes.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.pending()?.write_until(&self.0.file, 0)
    }

    fn pending(&self) -> io::Result<MutexGuard<'_, PendingWrites>> {
        let pending = self.0.pending.lock();
        let pending = pending.unwrap_or_else(PoisonError::into_inner);
        match pending.failed {
            Some(failure) => Err(failure.into()),
            None => Ok(pending),
        }
    }
}

impl PendingWrites {
    /// Writes the pending writes with the lowest offsets until at most `bytes_left` bytes remain.
    fn write_until(&mut self, file: &File, bytes_left: usize) -> io::Result<()> {
        let mut extent = Vec::new();
        let mut start = 0;
        while self.bytes > bytes_left
            && let Some((offset, data)) = self.writes.pop_first()
        {
            self.bytes -= data.len();
            let is_neighbour = offset == start + extent.len() as u64;
            if !is_neighbour || extent.len() + data.len() > EXTENT_BYTES {
                self.write(file, start, &extent)?;
                extent.clear();
                start = offset;
            }
            extent.extend_from_slice(&data);
        }
        self.write(file, start, &extent)
    }

    fn write(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        let written = file.write_all_at(data, offset);
        if let Err(error) = &written {
            self.failed = Some(error.into());
        }
        written
    }

    /// Whether a pending write overlaps this range, except for one of exactly the same range, which
    /// it would replace.
    fn collides(&self, offset: u64, len: usize) -> bool {
        let end = offset + len as u64;
        let before_end = self.writes.range(..end).next_back();
        before_end.is_some_and(|(start, data)| {
            start + data.len() as u64 > offset && (*start, data.len()) != (offset, len)
        })
    }

    fn put(&mut self, offset: u64, data: &[u8]) {
        self.bytes += data.len();
        if let Some(replaced) = self.writes.insert(offset, data.to_vec()) {
            self.bytes -= replaced.len();
        }
    }
}

impl StorageBackend for WriteBuffer {
    fn len(&self) -> io::Result<u64> {
        // redb sets the length before it writes, so no pending write is beyond the end.
        Ok(self.0.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.flush()?;
        self.0.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.flush()?;
        self.0.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let file = &self.0.file;
        let mut pending = self.pending()?;
        let is_large = data.len() > EXTENT_BYTES;
        if is_large || pending.collides(offset, data.len()) {
            pending.write_until(file, 0)?;
        }
        if is_large {
            return pending.write(file, offset, data);
        }
        pending.put(offset, data);
        match pending.bytes > MAX_PENDING_BYTES {
            true => pending.write_until(file, MAX_PENDING_BYTES / 2),
            false => Ok(()),
        }
    }

    fn close(&self) -> io::Result<()> {
        self.flush()
    }
}

impl From<&io::Error> for StickyError {
    fn from(error: &io::Error) -> Self {
        StickyError { kind: error.kind(), os: error.raw_os_error() }
    }
}

impl From<StickyError> for io::Error {
    fn from(failure: StickyError) -> Self {
        match failure.os {
            Some(code) => io::Error::from_raw_os_error(code),
            None => failure.kind.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pages of various sizes at offsets that often overlap.
    fn write() -> impl Strategy<Value = (u64, usize, u8)> {
        let len = prop_oneof![Just(512_usize), Just(4096), Just(8192), Just(80_000)];
        (0_u64..64, len, any::<u8>()).prop_map(|(at, len, byte)| (at * 2048, len, byte))
    }

    proptest! {
        #[test]
        fn reads_and_the_file_have_the_last_written_bytes(
            writes in prop::collection::vec((write(), prop::bool::weighted(0.1)), 1..200),
        ) {
            const LEN: usize = 64 * 2048 + 80_000;
            let file = WriteBuffer::new(tempfile::tempfile().unwrap());
            file.set_len(LEN as u64).unwrap();
            let mut expected = vec![0; LEN];
            for ((offset, len, byte), reads) in writes {
                file.write(offset, &vec![byte; len]).unwrap();
                expected[offset as usize..offset as usize + len].fill(byte);
                if reads {
                    let mut found = vec![0; LEN];
                    file.read(0, &mut found).unwrap();
                    prop_assert_eq!(&found, &expected);
                }
            }
            file.close().unwrap();
            let mut found = vec![0; LEN];
            file.file().read_exact_at(&mut found, 0).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn pending_writes_never_exceed_the_window() {
        let file = WriteBuffer::new(tempfile::tempfile().unwrap());
        let page = vec![7; 4096];
        for index in (0..2 * MAX_PENDING_BYTES as u64 / 4096).rev() {
            file.write(index * 4096, &page).unwrap();
            assert!(file.pending().unwrap().bytes <= MAX_PENDING_BYTES);
        }
    }

    #[test]
    fn a_late_write_error_fails_every_later_call() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let read_only = File::open(path.path()).unwrap();
        let file = WriteBuffer::new(read_only);
        file.write(0, b"waits").unwrap();
        let cause = file.close().unwrap_err().raw_os_error();
        assert!(cause.is_some());
        for again in [file.write(9, b"x"), file.read(0, &mut []), file.close()] {
            assert_eq!(again.unwrap_err().raw_os_error(), cause);
        }
    }
}
