use crate::codec::KindHasher;
use crate::error::Result;
use crate::progress::Progress;
use crate::stream::{Item, RecordStream, SortedStream};

/// Progress is reported once per this many items.
const PROGRESS_ITEMS: u64 = 1024;

/// A stream wrapper that counts and hashes the entries read through it.
pub(super) struct MeteredStream<'s, 'r> {
    stream: &'s mut RecordStream<'r, Vec<bool>>,
    pub(super) digest: Option<KindHasher>,
    progress: Option<&'s Progress>,
    items: u64,
}

impl<'s, 'r> MeteredStream<'s, 'r> {
    pub(super) fn new(
        stream: &'s mut RecordStream<'r, Vec<bool>>,
        is_hashed: bool,
        progress: Option<&'s Progress>,
    ) -> Self {
        MeteredStream { stream, digest: is_hashed.then(KindHasher::default), progress, items: 0 }
    }
}

impl SortedStream for MeteredStream<'_, '_> {
    fn advance(&mut self) -> Result<bool> {
        if !self.stream.advance()? {
            if let Some(progress) = self.progress.take() {
                progress.inc(self.items % PROGRESS_ITEMS);
            }
            return Ok(false);
        }
        if let (Some(digest), Some(Item::Entry(entry))) = (&mut self.digest, self.stream.current())
        {
            digest.update(entry);
        }
        self.items += 1;
        if let Some(progress) = self.progress
            && self.items.is_multiple_of(PROGRESS_ITEMS)
        {
            progress.inc(PROGRESS_ITEMS);
            progress.check_cancelled()?;
        }
        Ok(true)
    }

    fn current(&self) -> Option<Item<'_>> {
        self.stream.current()
    }

    fn is_known_sound(&self) -> bool {
        self.stream.is_known_sound()
    }
}
