//! Checks a store's manifest against its content.

use super::finding::Finding;
use super::finding_class::{FindingClass, Side};
use crate::codec::{KindTotals, combined_digest};
use crate::record::RecordKind;
use crate::stream::ManifestTotals;
use crate::table::{Kind, in_key_order};

/// Checks the manifest's totals kind by kind as the store is read.
#[derive(Debug)]
pub(crate) struct ManifestCheck {
    side: Side,
    claims: Option<ManifestTotals>,
    holds: bool,
}

impl ManifestCheck {
    pub(crate) fn new(side: Side, claims: Option<ManifestTotals>) -> Self {
        ManifestCheck { side, claims, holds: true }
    }

    /// Compares the manifest's totals of a kind with those found.
    pub(crate) fn kind(&mut self, kind: RecordKind, found: &KindTotals) -> Option<Finding> {
        let claimed = *self.claims.as_ref()?.kinds.get(kind);
        self.check(kind.into(), &claimed, found)
    }

    /// As [`kind`](ManifestCheck::kind), for a carried table. One that the manifest lacks has no
    /// rows.
    pub(crate) fn table(&mut self, table: &str, found: &KindTotals) -> Option<Finding> {
        let claimed = self.claims.as_ref()?.tables.get(table).copied().unwrap_or_default();
        self.check(Kind::table(table), &claimed, found)
    }

    fn check(&mut self, kind: Kind, claimed: &KindTotals, found: &KindTotals) -> Option<Finding> {
        let differing = |what: &str, claimed: u64, found: u64| {
            let message = format!("the manifest says {claimed} {what}, the contents have {found}");
            (claimed != found).then_some(message)
        };
        let message = differing("records", claimed.records, found.records)
            .or_else(|| differing("key bytes", claimed.key_bytes, found.key_bytes))
            .or_else(|| differing("value bytes", claimed.value_bytes, found.value_bytes))
            .or_else(|| {
                let (claimed, found) = (claimed.sha256, found.sha256);
                let message = format!(
                    "the manifest's digest is {claimed}, that of the contents is \
                    {found}"
                );
                (claimed != found).then_some(message)
            })?;
        self.holds = false;
        let class = FindingClass::Manifest;
        Some(Finding::new(class, Some(kind), message).on(self.side))
    }

    /// Whether there is a manifest and all totals checked so far match.
    pub(crate) fn holds(&self) -> bool {
        self.claims.is_some() && self.holds
    }

    /// Checks the combined digest. If the totals of a kind already differ, reports nothing more,
    /// since the combined digest is then wrong as well.
    pub(crate) fn combined(&self) -> Option<Finding> {
        let claims = self.claims.as_ref().filter(|_| self.holds)?;
        let (claimed, combined) =
            (claims.sha256, combined_digest(&claims.kinds, in_key_order(&claims.tables)));
        let message =
            format!("the manifest's combined digest is {claimed}, that of its kinds is {combined}");
        let class = FindingClass::Manifest;
        (claimed != combined).then(|| Finding::new(class, None::<Kind>, message).on(self.side))
    }
}
