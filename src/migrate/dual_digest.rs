use crate::codec::{Entry, EntrySum, KindHasher, KindTotals};

/// Digests of the entries read and of the entries copied: a single digest as long as both are the
/// same.
#[derive(Default)]
pub(super) struct DualDigest {
    copied: KindHasher,
    /// The sum of the entries copied, if the target is read back in another order.
    sum: Option<EntrySum>,
    /// The digest of the entries read, once it differs.
    read: Option<KindHasher>,
}

/// What was read and copied of a kind or a table.
pub(super) struct Totals {
    pub(super) copied: KindTotals,
    pub(super) read: KindTotals,
    /// The sum of the entries copied, if it was wanted.
    pub(super) sum: EntrySum,
}

impl DualDigest {
    pub(super) fn new(wants_sum: bool) -> Self {
        DualDigest { sum: wants_sum.then(EntrySum::default), ..DualDigest::default() }
    }

    /// Adds an entry that is copied unchanged.
    pub(super) fn unchanged(&mut self, entry: Entry<'_>) {
        if let Some(read) = &mut self.read {
            read.update(entry);
        }
        self.copy(entry);
    }

    /// Adds an entry that is copied with a different value.
    pub(super) fn changed(&mut self, entry: Entry<'_>, value: &[u8]) {
        self.skipped(entry);
        let key = entry.key;
        self.copy(Entry { key, value });
    }

    fn copy(&mut self, entry: Entry<'_>) {
        self.copied.update(entry);
        if let Some(sum) = &mut self.sum {
            sum.add(entry);
        }
    }

    /// Adds an entry that is not copied.
    pub(super) fn skipped(&mut self, entry: Entry<'_>) {
        let read = self.read.get_or_insert_with(|| self.copied.clone());
        read.update(entry);
    }

    /// The totals of the entries so far; the next entries are those of another kind or table.
    pub(super) fn take(&mut self) -> Totals {
        let next = DualDigest::new(self.sum.is_some());
        let DualDigest { copied, sum, read } = std::mem::replace(self, next);
        let copied = copied.finish();
        let read = read.map_or(copied, KindHasher::finish);
        Totals { copied, read, sum: sum.unwrap_or_default() }
    }
}
