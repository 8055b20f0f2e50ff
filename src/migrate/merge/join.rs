//! Determines what the target will contain under each key.

use serde::Serialize;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::codec::{Entry, KindHasher, KindTotals};
use crate::compare::EntryCheck;
use crate::error::Result;
use crate::record::RecordKind;
use crate::sqlite::record_id;
use crate::stream::{InvalidRow, Item, RecordStream, SortedStream as _};

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
pub(super) struct Joined {
    pub(super) counts: MergeCounts,
    /// Counts and digest of the records from the source.
    pub(super) totals: KindTotals,
    /// Counts and digest of the target after the merge.
    pub(super) expected: KindTotals,
}

/// What the source has under a key.
struct Brought {
    key: Vec<u8>,
    /// The canonical bytes of the record; `None` if it is invalid or rejected.
    value: Option<Vec<u8>>,
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

    pub(super) fn finish(self) -> Joined {
        Joined {
            counts: self.counts,
            totals: self.totals.finish(),
            expected: self.expected.finish(),
        }
    }

    /// Joins two streams and determines for each key what the target will contain.
    pub(super) fn run(
        &mut self,
        source: &mut RecordStream,
        target: &mut RecordStream,
        sink: &mut dyn JoinSink,
    ) -> Result<()> {
        let mut brought = self.next_brought(source, sink)?;
        let mut there = target.advance()?;
        while brought.is_some() || there {
            let order = match (&brought, key_of(target)) {
                _ if !there => Ordering::Less,
                (Some(brought), Some(key)) => brought.key.as_slice().cmp(key),
                // Rows without a key come first.
                _ => Ordering::Greater,
            };
            match brought.as_ref().filter(|_| order.is_le()) {
                Some(new) if order.is_eq() => there = self.meet(new, target, sink)?,
                Some(new) => self.write(new, &Before::Nothing, sink)?,
                None => {
                    self.keep(target, sink, true)?;
                    there = target.advance()?;
                }
            }
            if order.is_le() {
                brought = self.next_brought(source, sink)?;
            }
        }
        Ok(())
    }

    /// Handles a key of the source that the target has too. Moves past everything under that key in
    /// the target, and returns whether there is more.
    fn meet(
        &mut self,
        new: &Brought,
        target: &mut RecordStream,
        sink: &mut dyn JoinSink,
    ) -> Result<bool> {
        let row = match target.current() {
            Some(Item::Entry(there)) => {
                match &new.value {
                    Some(value) if value == there.value => {
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
            None => return Ok(false),
        };
        let mut there = target.advance()?;
        if there && key_of(target) == Some(new.key.as_slice()) {
            sink.keep_row(&row)?;
            let mut second = None;
            while there && key_of(target) == Some(new.key.as_slice()) {
                if let Some(Item::Invalid(other)) = target.current() {
                    second.get_or_insert(other.rowid);
                }
                self.keep(target, sink, false)?;
                there = target.advance()?;
            }
            let rows = Before::Rows([row.rowid, second.unwrap_or(row.rowid)]);
            self.write(new, &rows, sink)?;
        } else {
            match &new.value {
                Some(_) => self.write(new, &Before::Row(row), sink)?,
                None => sink.keep_row(&row)?,
            }
        }
        Ok(there)
    }

    fn write(&mut self, new: &Brought, before: &Before<'_>, sink: &mut dyn JoinSink) -> Result<()> {
        let Brought {
            key,
            value: Some(value),
        } = new
        else {
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
    fn keep(&mut self, target: &RecordStream, sink: &mut dyn JoinSink, alone: bool) -> Result<()> {
        match target.current() {
            Some(Item::Entry(there)) => {
                self.counts.kept += u64::from(alone);
                self.expected.update(there);
                sink.keep(there)
            }
            Some(Item::Invalid(row)) => sink.keep_row(&RowBefore::of(row)),
            None => Ok(()),
        }
    }

    /// What the source has under its next key.
    fn next_brought(
        &self,
        source: &mut RecordStream,
        sink: &dyn JoinSink,
    ) -> Result<Option<Brought>> {
        while source.advance()? {
            let (key, value) = match source.current() {
                Some(Item::Entry(entry)) if sink.is_rejected(entry.key)? => (entry.key, None),
                Some(Item::Entry(entry)) => (entry.key, self.canonical(entry)?),
                Some(Item::Invalid(row)) => match row.key.as_deref() {
                    Some(key) => (key, None),
                    None => continue,
                },
                None => break,
            };
            return Ok(Some(Brought {
                key: key.to_vec(),
                value: value.map(Cow::into_owned),
            }));
        }
        Ok(None)
    }

    fn canonical<'e>(&self, entry: Entry<'e>) -> Result<Option<Cow<'e, [u8]>>> {
        if !self.judges {
            return Ok(Some(Cow::Borrowed(entry.value)));
        }
        EntryCheck::of(self.kind, entry).canonical_of_its_key(entry.value)
    }
}

impl RowBefore {
    fn of(row: &InvalidRow) -> Self {
        RowBefore {
            rowid: row.rowid,
            id: record_id(row),
        }
    }
}

fn key_of(stream: &RecordStream) -> Option<&[u8]> {
    match stream.current()? {
        Item::Entry(entry) => Some(entry.key),
        Item::Invalid(row) => row.key.as_deref(),
    }
}
