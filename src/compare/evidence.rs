//! Evidence of which of two stores is newer, collected during a comparison: a few numbers per side,
//! regardless of the number of records.

use super::finding_class::Side;
use crate::record::{FieldValues, IdSequences, PerKind, RecordKind};

/// Evidence of whether a store is newer than the one that it was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SideEvidence {
    /// The id sequences of the compared kinds.
    pub ids: IdSequences,
    /// The lowest and the highest id of the records that exist only on this side.
    pub only_ids: PerKind<Option<(i64, i64)>>,
    /// The latest time in the records that exist only on this side or differ: when a chunk was
    /// stored, metrics were computed, or a run started.
    pub latest: PerKind<Option<i64>>,
    /// When a migration created the store, in Unix seconds, if its content is unchanged since: a KV
    /// file with a matching manifest.
    pub made_at: Option<i64>,
    /// Whether the source file in that manifest has the name of the other store.
    pub is_made_of_other: bool,
    /// Number of findings on this side that no merge resolves: invalid rows and entries,
    /// noncanonical values, malformed keys, a wrong manifest.
    pub faults: u64,
}

/// Evidence of which of two stores is newer, and of obstacles to merging them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// Evidence for the left store.
    pub left: SideEvidence,
    /// Evidence for the right store.
    pub right: SideEvidence,
    /// Whether a record has different ids on the two sides.
    pub ids_differ: bool,
}

/// The store that is newer, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Newer {
    /// The side of the newer store.
    pub side: Side,
    /// Its id sequences are higher.
    pub by_ids: bool,
    /// Records that differ or exist only in this store are later than those of the other store, or
    /// than the migration that created the other store.
    pub by_times: bool,
    /// The other store is an unchanged copy of a file with this store's name.
    pub by_origin: bool,
}

impl Evidence {
    /// The store that is newer; `None` if there is no evidence, or if it is contradictory.
    pub fn newer(&self) -> Option<Newer> {
        let (left, right) = (self.newer_than_other(Side::Left), self.newer_than_other(Side::Right));
        match (left, right) {
            (Some(newer), None) | (None, Some(newer)) => Some(newer),
            _ => None,
        }
    }

    /// Whether merging both stores may produce duplicate ids: records that exist only on one side,
    /// as after a chunk was moved, or whose ids differ.
    pub fn ids_may_clash(&self) -> bool {
        let clash = |kind| match (self.left.only_ids.get(kind), self.right.only_ids.get(kind)) {
            (Some((left_low, left_high)), Some((right_low, right_high))) => {
                left_low <= right_high && right_low <= left_high
            }
            _ => false,
        };
        self.ids_differ || RecordKind::ALL.into_iter().any(clash)
    }

    /// The evidence of a side.
    pub const fn of(&self, side: Side) -> &SideEvidence {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    pub(super) const fn of_mut(&mut self, side: Side) -> &mut SideEvidence {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    /// The evidence that a side is newer, if there is any.
    fn newer_than_other(&self, side: Side) -> Option<Newer> {
        let (own, other) = (self.of(side), self.of(side.other()));
        let mut kinds = RecordKind::ALL.into_iter();
        let by_ids = kinds.any(|kind| own.ids.get(kind) > other.ids.get(kind));
        let by_times = own.latest.iter().any(|(kind, own)| {
            let of_other = *other.latest.get(kind);
            let is_later = |than: Option<i64>| own.zip(than).is_some_and(|(own, than)| own > than);
            is_later(of_other) || is_later(other.made_at)
        });
        let by_origin = other.is_made_of_other;
        (by_ids || by_times || by_origin).then_some(Newer { side, by_ids, by_times, by_origin })
    }
}

impl SideEvidence {
    /// Adds a record that exists only on this side.
    pub(super) fn only(&mut self, kind: RecordKind, record: &FieldValues<'_>) {
        self.differs(kind, record);
        if let Some(id) = record.id() {
            let ids = self.only_ids.get_mut(kind);
            *ids = Some(match *ids {
                Some((low, high)) => (low.min(id), high.max(id)),
                None => (id, id),
            });
        }
    }

    /// Adds a record that differs on the other side.
    pub(super) fn differs(&mut self, kind: RecordKind, record: &FieldValues<'_>) {
        let latest = self.latest.get_mut(kind);
        *latest = (*latest).max(record.time());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictory_evidence_is_none() {
        let mut evidence = Evidence::default();
        let newer = |evidence: &Evidence| evidence.newer().map(|newer| newer.side);
        assert_eq!(newer(&evidence), None);
        evidence.right.ids.code_chunks = 7;
        assert_eq!(newer(&evidence), Some(Side::Right));
        // But the left side has a later record.
        evidence.left.latest.file_metrics = Some(1_700_000_009);
        evidence.right.latest.file_metrics = Some(1_700_000_000);
        assert_eq!(newer(&evidence), None);
    }
}
