use std::collections::BTreeSet;

use crate::record::{PerKind, RecordKind};

/// Ids that several entries of a source have, which no table can hold.
///
/// Only the second record with an id shows that it is shared. The first one is named, and left out,
/// in another attempt that knows the ids from the start.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedIds(PerKind<BTreeSet<i64>>);

impl SharedIds {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, ids)| ids.is_empty())
    }

    pub(super) fn contains(&self, kind: RecordKind, id: i64) -> bool {
        self.0.get(kind).contains(&id)
    }

    pub(super) fn insert(&mut self, kind: RecordKind, id: i64) {
        self.0.get_mut(kind).insert(id);
    }

    pub(super) fn extend(&mut self, found: &SharedIds) {
        for (kind, ids) in found.0.iter() {
            self.0.get_mut(kind).extend(ids);
        }
    }
}

impl From<PerKind<BTreeSet<i64>>> for SharedIds {
    fn from(ids: PerKind<BTreeSet<i64>>) -> Self {
        SharedIds(ids)
    }
}
