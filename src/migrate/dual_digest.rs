use crate::codec::{Entry, KindHasher, KindTotals};

/// Digests of the entries read and of the entries copied: a single digest as long as both are the
/// same.
#[derive(Default)]
pub(super) struct DualDigest {
    copied: KindHasher,
    /// The digest of the entries read, once it differs.
    read: Option<KindHasher>,
}

impl DualDigest {
    /// Adds an entry that is copied unchanged.
    pub(super) fn unchanged(&mut self, entry: Entry<'_>) {
        if let Some(read) = &mut self.read {
            read.update(entry);
        }
        self.copied.update(entry);
    }

    /// Adds an entry that is copied with a different value.
    pub(super) fn changed(&mut self, entry: Entry<'_>, value: &[u8]) {
        self.skipped(entry);
        let key = entry.key;
        self.copied.update(Entry { key, value });
    }

    /// Adds an entry that is not copied.
    pub(super) fn skipped(&mut self, entry: Entry<'_>) {
        let read = self.read.get_or_insert_with(|| self.copied.clone());
        read.update(entry);
    }

    /// The totals of what was copied and of what was read.
    pub(super) fn finish(self) -> (KindTotals, KindTotals) {
        let copied = self.copied.finish();
        (copied, self.read.map_or(copied, KindHasher::finish))
    }
}
