//! Whether what a store says of its content holds.

use super::finding::Finding;
use super::finding_class::{FindingClass, Side};
use crate::codec::{KindTotals, combined_digest};
use crate::record::RecordKind;
use crate::stream::ManifestTotals;

/// Checks what a store claims, kind by kind as it is read.
#[derive(Debug)]
pub(crate) struct ManifestCheck {
    side: Side,
    claims: Option<ManifestTotals>,
    holds: bool,
}

impl ManifestCheck {
    pub(crate) fn new(side: Side, claims: Option<ManifestTotals>) -> Self {
        ManifestCheck {
            side,
            claims,
            holds: true,
        }
    }

    /// Checks what is told of a kind against what was found.
    pub(crate) fn kind(&mut self, kind: RecordKind, found: &KindTotals) -> Option<Finding> {
        let told = self.claims.as_ref()?.kinds.get(kind);
        let differing = |what: &str, told: u64, found: u64| {
            let message = format!("the manifest says {told} {what}, the contents have {found}");
            (told != found).then_some(message)
        };
        let message = differing("records", told.records, found.records)
            .or_else(|| differing("key bytes", told.key_bytes, found.key_bytes))
            .or_else(|| differing("value bytes", told.value_bytes, found.value_bytes))
            .or_else(|| {
                let (told, found) = (told.sha256, found.sha256);
                let message = format!(
                    "the manifest's digest is {told}, that of the contents is \
                    {found}"
                );
                (told != found).then_some(message)
            })?;
        self.holds = false;
        let class = FindingClass::Manifest;
        Some(Finding::new(class, Some(kind), message).on(self.side))
    }

    /// Whether there are claims, and all that were checked kind by kind hold.
    pub(crate) fn holds(&self) -> bool {
        self.claims.is_some() && self.holds
    }

    /// Checks that the combined digest is that of the kinds. Nothing more is told where a kind has
    /// been found wrong, which makes the combined digest wrong as well.
    pub(crate) fn combined(&self) -> Option<Finding> {
        let claims = self.claims.as_ref().filter(|_| self.holds)?;
        let (told, combined) = (claims.sha256, combined_digest(&claims.kinds));
        let message =
            format!("the manifest's combined digest is {told}, that of its kinds is {combined}");
        let class = FindingClass::Manifest;
        (told != combined).then(|| Finding::new(class, None, message).on(self.side))
    }
}
