//! What the target is to have under each key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::codec::{Entry, KindDigest, KindTotals};
use crate::compare::Judged;
use crate::error::Result;
use crate::record::RecordKind;
use crate::store::{Item, RecordStream, SortedItems as _};

/// What a merge does with the records of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeCounts {
    /// Records that the target did not have.
    pub inserted: u64,
    /// Records that the target had otherwise.
    pub updated: u64,
    /// Records that the target had just so.
    pub unchanged: u64,
}

impl MergeCounts {
    /// Number of records that are written.
    pub const fn changed(&self) -> u64 {
        self.inserted + self.updated
    }
}

/// What the target is to have under a key.
pub(super) enum Step<'e> {
    /// What it has.
    Keep(Entry<'e>),
    /// What the source has.
    Write(Entry<'e>),
}

pub(super) struct KindJoin<'j> {
    kind: RecordKind,
    judges: bool,
    refused: &'j BTreeSet<Vec<u8>>,
    totals: KindDigest,
    expected: KindDigest,
    counts: MergeCounts,
}

/// What a join of source and target came to.
pub(super) struct Joined {
    pub(super) counts: MergeCounts,
    /// Counts and digest of what the source brings.
    pub(super) totals: KindTotals,
    /// Counts and digest of what the target holds in the end.
    pub(super) expected: KindTotals,
}

impl<'j> KindJoin<'j> {
    /// `judges` tells that the source's entries may be anything; records whose keys are `refused`
    /// stay out.
    pub(super) fn new(kind: RecordKind, judges: bool, refused: &'j BTreeSet<Vec<u8>>) -> Self {
        KindJoin {
            kind,
            judges,
            refused,
            totals: KindDigest::default(),
            expected: KindDigest::default(),
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

    /// Joins two streams, and says of each key what the target is to have.
    pub(super) fn run(
        &mut self,
        source: &mut RecordStream,
        target: &mut RecordStream,
        settle: &mut dyn FnMut(Step<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut brought = self.next_brought(source)?;
        let mut kept = next_entry(target)?;
        while brought.is_some() || kept {
            let there = entry(target).filter(|_| kept);
            let order = match (&brought, there) {
                (Some((key, _)), Some(there)) => key.as_slice().cmp(there.key),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let new = brought.as_ref().map(|(key, value)| Entry { key, value });
            let step = match (order, new, there) {
                (Ordering::Greater, _, Some(there)) => Step::Keep(there),
                (Ordering::Equal, Some(new), Some(there)) if new.value == there.value => {
                    self.counts.unchanged += 1;
                    Step::Keep(there)
                }
                (Ordering::Equal, Some(new), _) => {
                    self.counts.updated += 1;
                    Step::Write(new)
                }
                (_, Some(new), _) => {
                    self.counts.inserted += 1;
                    Step::Write(new)
                }
                _ => break,
            };
            let (Step::Keep(last) | Step::Write(last)) = &step;
            self.expected.update(*last);
            if let Some(new) = new.filter(|_| order.is_le()) {
                self.totals.update(new);
            }
            settle(step)?;
            if order.is_le() {
                brought = self.next_brought(source)?;
            }
            if order.is_ge() {
                kept = next_entry(target)?;
            }
        }
        Ok(())
    }

    /// The next record of the source that takes part, in its canonical bytes.
    fn next_brought(&self, source: &mut RecordStream) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        while next_entry(source)? {
            let Some(entry) = entry(source) else { break };
            if self.refused.contains(entry.key) {
                continue;
            }
            let Some(value) = self.canonical(entry)? else {
                continue;
            };
            return Ok(Some((entry.key.to_vec(), value.into_owned())));
        }
        Ok(None)
    }

    fn canonical<'e>(&self, entry: Entry<'e>) -> Result<Option<Cow<'e, [u8]>>> {
        if !self.judges {
            return Ok(Some(Cow::Borrowed(entry.value)));
        }
        Judged::of(self.kind, entry).canonical_of_its_key(entry.value)
    }
}

/// Moves to the next entry, past rows that are no records.
fn next_entry(stream: &mut RecordStream) -> Result<bool> {
    while stream.advance()? {
        if entry(stream).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn entry<'s>(stream: &'s RecordStream) -> Option<Entry<'s>> {
    match stream.current() {
        Some(Item::Entry(entry)) => Some(entry),
        _ => None,
    }
}
