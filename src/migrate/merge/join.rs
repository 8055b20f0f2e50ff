//! Determines what the target will contain under each key.

use serde::Serialize;

use std::borrow::Cow;

use crate::codec::{Entry, KindHasher, KindTotals};
use crate::compare::EntryCheck;
use crate::error::Result;
use crate::record::RecordKind;
use crate::sqlite::record_id;
use crate::stream::{Cursor, InvalidRow, Item, MergeJoin, RecordStream};

/// Number of records of a kind by what a merge does with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MergeCounts {
    /// Records that were missing in the target.
    pub inserted: u64,
    /// Records that differed in the target.
    pub updated: u64,
    /// Records that were equal in the target.
    pub unchanged: u64,
    /// Records that exist only in the target.
    pub kept: u64,
}

impl MergeCounts {
    /// Number of records that are written.
    pub const fn changed(&self) -> u64 {
        self.inserted + self.updated
    }
}

/// What the target has under the key of a record to be written.
pub(super) enum Before<'t> {
    /// Nothing.
    Nothing,
    /// A different record.
    Record(Entry<'t>),
    /// An invalid row.
    Row(RowBefore),
    /// Several rows; these are the ids of two of them.
    Rows([i64; 2]),
}

/// An invalid row of the target, with the properties that matter for replacing it.
pub(super) struct RowBefore {
    pub(super) rowid: i64,
    pub(super) id: Option<i64>,
}

/// Receives the results of a join in key order.
pub(super) trait JoinSink {
    /// Whether the record with a key is rejected and must not be written.
    fn is_rejected(&self, key: &[u8]) -> Result<bool>;

    /// The target keeps a record.
    fn keep(&mut self, entry: Entry<'_>) -> Result<()>;

    /// The target keeps an invalid row.
    fn keep_row(&mut self, row: &RowBefore) -> Result<()>;

    /// A record is to be written to the target; returns `false` if it has to be rejected.
    fn write(&mut self, entry: Entry<'_>, before: &Before<'_>) -> Result<bool>;
}

pub(super) struct KindJoin {
    kind: RecordKind,
    judges: bool,
    totals: KindHasher,
    expected: KindHasher,
    counts: MergeCounts,
}

/// The result of joining source and target.
pub(super) struct JoinResult {
    pub(super) counts: MergeCounts,
    /// Counts and digest of the records from the source.
    pub(super) totals: KindTotals,
    /// Counts and digest of the target after the merge.
    pub(super) expected: KindTotals,
}

/// What the source has under a key.
struct Brought<'s> {
    key: &'s [u8],
    /// The canonical bytes of the record; `None` if it is invalid or rejected.
    value: Option<Cow<'s, [u8]>>,
}

impl KindJoin {
    /// `judges` is true if the source's entries may be invalid.
    pub(super) fn new(kind: RecordKind, judges: bool) -> Self {
        KindJoin {
            kind,
            judges,
            totals: KindHasher::default(),
            expected: KindHasher::default(),
            counts: MergeCounts::default(),
        }
    }

    pub(super) fn finish(self) -> JoinResult {
        JoinResult {
            counts: self.counts,
            totals: self.totals.finish(),
            expected: self.expected.finish(),
        }
    }

    /// Joins two streams and determines for each key what the target will contain.
    pub(super) fn run(
        &mut self,
        source: &mut RecordStream<'_, Vec<bool>>,
        target: &mut RecordStream<'_, Vec<bool>>,
        sink: &mut dyn JoinSink,
    ) -> Result<()> {
        let mut join = MergeJoin::start(source, target)?;
        while let Some(order) = join.order() {
            let MergeJoin { left, right } = &mut join;
            if order.is_gt() {
                self.keep(right, sink, true)?;
                right.advance()?;
                continue;
            }
            match self.brought(left, sink)? {
                Some(new) if order.is_eq() => self.meet(&new, right, sink)?,
                Some(new) => self.write(&new, &Before::Nothing, sink)?,
                None => {}
            }
            left.advance()?;
        }
        Ok(())
    }

    /// Handles a key of the source that the target has too, and moves past everything under that key
    /// in the target.
    fn meet(
        &mut self,
        new: &Brought<'_>,
        target: &mut Cursor<'_>,
        sink: &mut dyn JoinSink,
    ) -> Result<()> {
        let row = match target.item() {
            Some(Item::Entry(there)) => {
                match &new.value {
                    Some(value) if **value == *there.value => {
                        self.counts.unchanged += 1;
                        self.totals.update(there);
                        self.expected.update(there);
                        sink.keep(there)?;
                    }
                    Some(_) => self.write(new, &Before::Record(there), sink)?,
                    None => self.keep(target, sink, false)?,
                }
                return target.advance();
            }
            Some(Item::Invalid(row)) => RowBefore::of(row),
            None => return Ok(()),
        };
        target.advance()?;
        let has_key = |item: Item<'_>| item.key() == Some(new.key);
        if !target.item().is_some_and(has_key) {
            return match &new.value {
                Some(_) => self.write(new, &Before::Row(row), sink),
                None => sink.keep_row(&row),
            };
        }
        sink.keep_row(&row)?;
        let mut second = None;
        while target.item().is_some_and(has_key) {
            if let Some(other) = target.row() {
                second.get_or_insert(other.rowid);
            }
            self.keep(target, sink, false)?;
            target.advance()?;
        }
        let rows = Before::Rows([row.rowid, second.unwrap_or(row.rowid)]);
        self.write(new, &rows, sink)
    }

    fn write(
        &mut self,
        new: &Brought<'_>,
        before: &Before<'_>,
        sink: &mut dyn JoinSink,
    ) -> Result<()> {
        let Brought { key, value: Some(value) } = new else {
            return Ok(());
        };
        let entry = Entry { key, value };
        if sink.write(entry, before)? {
            self.totals.update(entry);
            self.expected.update(entry);
            match before {
                Before::Record(_) => self.counts.updated += 1,
                _ => self.counts.inserted += 1,
            }
            return Ok(());
        }
        match before {
            Before::Record(there) => {
                self.expected.update(*there);
                sink.keep(*there)
            }
            Before::Row(row) => sink.keep_row(row),
            Before::Nothing | Before::Rows(_) => Ok(()),
        }
    }

    /// The target keeps its current item; `alone` if the source has nothing under its key.
    fn keep(&mut self, target: &Cursor<'_>, sink: &mut dyn JoinSink, alone: bool) -> Result<()> {
        match target.item() {
            Some(Item::Entry(there)) => {
                self.counts.kept += u64::from(alone);
                self.expected.update(there);
                sink.keep(there)
            }
            Some(Item::Invalid(row)) => sink.keep_row(&RowBefore::of(row)),
            None => Ok(()),
        }
    }

    /// What the source has; `None` for a row without a key.
    fn brought<'s>(
        &self,
        source: &'s Cursor<'_>,
        sink: &dyn JoinSink,
    ) -> Result<Option<Brought<'s>>> {
        let (key, value) = match source.item() {
            Some(Item::Entry(entry)) if sink.is_rejected(entry.key)? => (Some(entry.key), None),
            Some(Item::Entry(entry)) => (Some(entry.key), self.canonical(entry)?),
            Some(Item::Invalid(row)) => (row.key.as_deref(), None),
            None => (None, None),
        };
        Ok(key.map(|key| Brought { key, value }))
    }

    fn canonical<'e>(&self, entry: Entry<'e>) -> Result<Option<Cow<'e, [u8]>>> {
        if !self.judges {
            return Ok(Some(Cow::Borrowed(entry.value)));
        }
        EntryCheck::of(self.kind, entry.key, entry.value).canonical_of_its_key(entry.value)
    }
}

impl RowBefore {
    fn of(row: &InvalidRow) -> Self {
        RowBefore { rowid: row.rowid, id: record_id(row) }
    }
}
