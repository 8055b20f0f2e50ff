//! The file of a bulk load: written in large pieces, and brought to disk once, by whoever made it.
//!
//! redb writes page by page, in the order in which pages leave its cache, which is near their order
//! in the file but not that. A window of pages that wait puts them in order, so that neighbours
//! become one write. A piece of 64 KiB costs the kernel about a third of what its pages cost.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// So many bytes may wait; when there are more, those in front are written until half is left.
const WINDOW_BYTES: usize = 16 << 20;
/// Neighbours are written together up to so many bytes. What is larger by itself doesn't wait.
const PIECE_BYTES: usize = 64 << 10;

/// A file that is written through a window. Clones are the same file and the same window.
#[derive(Debug, Clone)]
pub(super) struct WriteBuffer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: File,
    window: Mutex<Window>,
}

/// Writes that wait, by their place in the file. They don't overlap.
#[derive(Debug, Default)]
struct Window {
    writes: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    /// The error of a write that was told to be done: from then on nothing works.
    failed: Option<CliError>,
}

/// What is kept of an error, to tell it again.
#[derive(Debug, Clone, Copy)]
struct CliError {
    kind: io::ErrorKind,
    os: Option<i32>,
}

impl WriteBuffer {
    pub(super) fn new(file: File) -> Self {
        WriteBuffer(Arc::new(Shared {
            file,
            window: Mutex::default(),
        }))
    }

    /// The file itself, to which all that was flushed is written.
    pub(super) fn file(&self) -> &File {
        &self.0.file
    }

    /// Writes everything that waits.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.window()?.write_until(&self.0.file, 0)
    }

    fn window(&self) -> io::Result<MutexGuard<'_, Window>> {
        let window = self.0.window.lock();
        let window = window.unwrap_or_else(PoisonError::into_inner);
        match window.failed {
            Some(failure) => Err(failure.into()),
            None => Ok(window),
        }
    }
}

impl Window {
    /// Writes what is in front until so many bytes are left.
    fn write_until(&mut self, file: &File, bytes_left: usize) -> io::Result<()> {
        let mut piece = Vec::new();
        let mut start = 0;
        while self.bytes > bytes_left
            && let Some((offset, data)) = self.writes.pop_first()
        {
            self.bytes -= data.len();
            let is_neighbour = offset == start + piece.len() as u64;
            if !is_neighbour || piece.len() + data.len() > PIECE_BYTES {
                self.write(file, start, &piece)?;
                piece.clear();
                start = offset;
            }
            piece.extend_from_slice(&data);
        }
        self.write(file, start, &piece)
    }

    fn write(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        let written = file.write_all_at(data, offset);
        if let Err(error) = &written {
            self.failed = Some(error.into());
        }
        written
    }

    /// Whether a write waits that has bytes in common with one at this place, and isn't one of just
    /// as many bytes, which it would replace.
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
        // Nobody writes behind the end: redb sets the length first.
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
        let mut window = self.window()?;
        let is_large = data.len() > PIECE_BYTES;
        if is_large || window.collides(offset, data.len()) {
            window.write_until(file, 0)?;
        }
        if is_large {
            return window.write(file, offset, data);
        }
        window.put(offset, data);
        match window.bytes > WINDOW_BYTES {
            true => window.write_until(file, WINDOW_BYTES / 2),
            false => Ok(()),
        }
    }

    fn close(&self) -> io::Result<()> {
        self.flush()
    }
}

impl From<&io::Error> for CliError {
    fn from(error: &io::Error) -> Self {
        CliError {
            kind: error.kind(),
            os: error.raw_os_error(),
        }
    }
}

impl From<CliError> for io::Error {
    fn from(failure: CliError) -> Self {
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

    /// Pages of a few sizes at places that collide often.
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
        for index in (0..2 * WINDOW_BYTES as u64 / 4096).rev() {
            file.write(index * 4096, &page).unwrap();
            assert!(file.window().unwrap().bytes <= WINDOW_BYTES);
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
