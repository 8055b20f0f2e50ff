//! A storage backend that reads from a file and keeps every change in memory (copy-on-write).
//!
//! redb's read-only open verifies no checksums: corruption can make it panic, or return wrong
//! content. redb's full check needs a writable file, so it gets this overlay. A file whose writer
//! was killed is repaired the same way, and stays unchanged on disk.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use redb::StorageBackend;

use super::read_ahead::ReadAhead;

/// Changes are kept in blocks of this many bytes.
const BLOCK: u64 = 4096;

/// The unmodified file, with changes on top.
#[derive(Debug)]
pub(super) struct Overlay {
    file: ReadAhead,
    changes: Mutex<Changes>,
}

#[derive(Debug)]
struct Changes {
    len: u64,
    /// Length of the file's prefix that is still valid. A file that is truncated and extended again
    /// reads as zeros after it.
    valid: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK as usize]>>,
}

impl Overlay {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let file = ReadAhead::new(file)?;
        let len = file.len();
        Ok(Overlay {
            file,
            changes: Mutex::new(Changes { len, valid: len, blocks: BTreeMap::new() }),
        })
    }

    fn changes(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the underlying file, and zeros after its valid prefix.
    fn read_below(&self, valid: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = valid.min(self.file.len()).saturating_sub(offset);
        let there = usize::try_from(there).unwrap_or(usize::MAX).min(out.len());
        let (from_file, zeros) = out.split_at_mut(there);
        zeros.fill(0);
        self.file.read_exact_at(from_file, offset)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        let end = offset.checked_add(out.len() as u64);
        let end = end.filter(|end| *end <= changes.len).ok_or_else(|| {
            io::Error::new(io::ErrorKind::UnexpectedEof, "read past the end of the file")
        })?;
        self.read_below(changes.valid, offset, out)?;
        if changes.blocks.is_empty() {
            return Ok(());
        }
        for (index, block) in changes.blocks.range(offset / BLOCK..=end / BLOCK) {
            let block_start = index * BLOCK;
            let from = offset.max(block_start);
            let to = end.min(block_start + BLOCK);
            let target = slice_mut(out, from.saturating_sub(offset), to.saturating_sub(offset));
            let source =
                slice(block.as_slice(), from - block_start, to.saturating_sub(block_start));
            if let (Some(target), Some(source)) = (target, source) {
                target.copy_from_slice(source);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changes = self.changes();
        changes.valid = changes.valid.min(len);
        changes.blocks.split_off(&len.div_ceil(BLOCK));
        if let Some(block) = changes.blocks.get_mut(&(len / BLOCK))
            && let Some(tail) = slice_mut(block.as_mut_slice(), len % BLOCK, BLOCK)
        {
            tail.fill(0);
        }
        changes.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changes = self.changes();
        let valid = changes.valid;
        let end = offset + data.len() as u64;
        for index in offset / BLOCK..end.div_ceil(BLOCK) {
            let block_start = index * BLOCK;
            let block = match changes.blocks.entry(index) {
                Entry::Occupied(block) => block.into_mut(),
                Entry::Vacant(vacant) => {
                    let mut block = Box::new([0; BLOCK as usize]);
                    self.read_below(valid, block_start, block.as_mut_slice())?;
                    vacant.insert(block)
                }
            };
            let from = offset.max(block_start);
            let to = end.min(block_start + BLOCK);
            let target = slice_mut(block.as_mut_slice(), from - block_start, to - block_start);
            let source = slice(data, from - offset, to - offset);
            if let (Some(target), Some(source)) = (target, source) {
                target.copy_from_slice(source);
            }
        }
        changes.len = changes.len.max(end);
        Ok(())
    }
}

fn slice(bytes: &[u8], from: u64, to: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
}

fn slice_mut(bytes: &mut [u8], from: u64, to: u64) -> Option<&mut [u8]> {
    bytes.get_mut(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use redb::StorageBackend as _;

    use super::Overlay;

    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..20_000u64, prop::collection::vec(any::<u8>(), 0..9000))
                .prop_map(|(offset, data)| Step::Write(offset, data)),
            (0..20_000u64).prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn an_overlay_reads_like_the_changed_file(
            original in prop::collection::vec(any::<u8>(), 0..12_000),
            steps in prop::collection::vec(step(), 0..8),
        ) {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&original).unwrap();
            let overlay = Overlay::new(file.reopen().unwrap()).unwrap();
            let mut model = original.clone();
            for step in steps {
                match step {
                    Step::Write(offset, data) => {
                        overlay.write(offset, &data).unwrap();
                        let end = offset as usize + data.len();
                        model.resize(model.len().max(end), 0);
                        model[offset as usize..end].copy_from_slice(&data);
                    }
                    Step::SetLen(len) => {
                        overlay.set_len(len).unwrap();
                        model.resize(len as usize, 0);
                    }
                }
            }
            prop_assert_eq!(overlay.len().unwrap(), model.len() as u64);
            for start in [0, model.len() / 3, model.len() / 2] {
                let mut out = vec![0xAA; model.len() - start];
                overlay.read(start as u64, &mut out).unwrap();
                prop_assert_eq!(&out[..], &model[start..]);
            }
            prop_assert!(overlay.read(1, &mut vec![0; model.len()]).is_err());
            prop_assert_eq!(std::fs::read(file.path()).unwrap(), original);
        }
    }
}
