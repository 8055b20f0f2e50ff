//! Reads a file with read-ahead, to make fewer system calls for consecutive pages.
//!
//! A bulk load places entries that are adjacent in key order next to each other. So a full scan or
//! check of a KV file reads it almost front to back, one page per call, with a branch page in
//! between.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

/// Number of bytes to read at once during sequential reads.
const AHEAD_BYTES: usize = 64 << 10;

/// A file that must not be written meanwhile.
#[derive(Debug)]
pub(super) struct ReadAhead {
    file: File,
    len: u64,
    ahead: Mutex<Ahead>,
}

#[derive(Debug, Default)]
struct Ahead {
    start: u64,
    bytes: Vec<u8>,
    /// End offset of the last read of the sequential run.
    run: u64,
    /// End offset of the last read outside the run.
    elsewhere: u64,
}

impl ReadAhead {
    pub(super) fn new(file: File) -> io::Result<Self> {
        Ok(ReadAhead { len: file.metadata()?.len(), file, ahead: Mutex::default() })
    }

    /// Length of the file in bytes when it was opened.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `out` completely, or fails.
    pub(super) fn read_exact_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let end = offset.saturating_add(out.len() as u64);
        if ahead.copy(out, offset) {
            ahead.run = end;
            return Ok(());
        }
        if !ahead.goes_forward(offset) {
            ahead.elsewhere = end;
            drop(ahead);
            return self.file.read_exact_at(out, offset);
        }
        ahead.run = end;
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = AHEAD_BYTES.min(rest);
        if out.len() >= wanted {
            return self.file.read_exact_at(out, offset);
        }
        ahead.bytes.truncate(wanted);
        if ahead.bytes.len() < wanted {
            ahead.bytes = vec![0; wanted];
        }
        ahead.start = offset;
        let read = self.file.read_exact_at(&mut ahead.bytes, offset);
        if read.is_err() {
            ahead.bytes.clear();
        }
        read?;
        match ahead.copy(out, offset) {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Ahead {
    /// Whether a read continues the run, or the last read outside it, which then becomes the run.
    fn goes_forward(&self, offset: u64) -> bool {
        let near = |end: u64| offset.checked_sub(end).is_some_and(|gap| gap < AHEAD_BYTES as u64);
        near(self.run) || offset == self.elsewhere
    }

    /// Copies from the read-ahead buffer; returns `false` if it doesn't contain all bytes.
    fn copy(&self, out: &mut [u8], offset: u64) -> bool {
        let start = offset.checked_sub(self.start).map(usize::try_from);
        let Some(Ok(start)) = start else {
            return false;
        };
        let end = start.saturating_add(out.len());
        match self.bytes.get(start..end) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_in_any_order_return_the_bytes_of_the_file(
            len in 1_usize..300_000,
            reads in prop::collection::vec((0_usize..80, 1_usize..70_000, 0_usize..6), 1..60),
        ) {
            let content: Vec<u8> = (0..len).map(|at| (at * 31 / 7) as u8).collect();
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(&content, 0).unwrap();
            let ahead = ReadAhead::new(file).unwrap();
            for (page, size, follow) in reads {
                for index in 0..=follow {
                    let start = page * 4096 + index * size;
                    let mut out = vec![0; size];
                    let read = ahead.read_exact_at(&mut out, start as u64);
                    match content.get(start..start + size) {
                        Some(expected) => {
                            prop_assert!(read.is_ok());
                            prop_assert_eq!(out.as_slice(), expected);
                        }
                        None => prop_assert!(read.is_err()),
                    }
                }
            }
        }
    }
}
