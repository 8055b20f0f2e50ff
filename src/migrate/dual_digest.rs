use crate::codec::{Entry, KindHasher, KindTotals};

/// Digests of what was read of a kind and of what was copied: one digest for as long as both are the
/// same.
#[derive(Default)]
pub(super) struct DualDigest {
    copied: KindHasher,
    /// What was read, once that is something else.
    read: Option<KindHasher>,
}

impl DualDigest {
    /// An entry is copied as it is.
    pub(super) fn copied(&mut self, entry: Entry<'_>) {
        if let Some(read) = &mut self.read {
            read.update(entry);
        }
        self.copied.update(entry);
    }

    /// An entry is copied with another value.
    pub(super) fn copied_as(&mut self, entry: Entry<'_>, value: &[u8]) {
        self.left_out(entry);
        let key = entry.key;
        self.copied.update(Entry { key, value });
    }

    /// An entry is not copied.
    pub(super) fn left_out(&mut self, entry: Entry<'_>) {
        let read = self.read.get_or_insert_with(|| self.copied.clone());
        read.update(entry);
    }

    /// The totals of what was copied and of what was read.
    pub(super) fn finish(self) -> (KindTotals, KindTotals) {
        let copied = self.copied.finish();
        (copied, self.read.map_or(copied, KindHasher::finish))
    }
}
