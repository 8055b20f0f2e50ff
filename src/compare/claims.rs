//! Whether what a store says of its content holds.

use super::divergence::{Divergence, DivergenceClass, Side};
use crate::codec::{KindTotals, combined_digest};
use crate::error::Result;
use crate::record::RecordKind;
use crate::store::Claims;

/// Whether what is told of a kind is what was found.
pub(crate) fn check_claim(
    kind: RecordKind,
    side: Side,
    told: &KindTotals,
    found: &KindTotals,
    tell: &mut dyn FnMut(Divergence) -> Result<()>,
) -> Result<()> {
    let differing = |what: &str, told: u64, found: u64| {
        (told != found).then(|| format!("the manifest tells of {told} {what}, there are {found}"))
    };
    let message = differing("records", told.records, found.records)
        .or_else(|| differing("bytes of keys", told.key_bytes, found.key_bytes))
        .or_else(|| differing("bytes of values", told.value_bytes, found.value_bytes));
    let message = message.or_else(|| {
        let (told, found) = (told.sha256, found.sha256);
        let differs = told != found;
        differs.then(|| format!("the manifest's digest is {told}, the content's is {found}"))
    });
    match message {
        None => Ok(()),
        Some(message) => {
            tell(Divergence::new(DivergenceClass::Manifest, Some(kind), message).on(side))
        }
    }
}

/// Whether the combined digest is that of the kinds' digests.
pub(super) fn check_combined(
    side: Side,
    claims: &Claims,
    tell: &mut dyn FnMut(Divergence) -> Result<()>,
) -> Result<()> {
    let (told, combined) = (claims.sha256, combined_digest(&claims.kinds));
    if told == combined {
        return Ok(());
    }
    let message =
        format!("the manifest's combined digest is {told}, that of its kinds would be {combined}");
    tell(Divergence::new(DivergenceClass::Manifest, None, message).on(side))
}
