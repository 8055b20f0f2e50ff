//! What stands in a store beside its records.

use super::class::{DivergenceClass, Side};
use super::divergence::Divergence;
use crate::codec::key_kind;
use crate::error::Result;
use crate::record::RecordKind;
use crate::sqlite::table_name;
use crate::store::Snapshot;

/// Tells of keys of no known form; `counted` are the keys that were read and are of a known one.
pub(super) fn tell_unknown_keys(
    snapshot: &dyn Snapshot,
    side: Side,
    counted: u64,
    tell: &mut dyn FnMut(Divergence) -> Result<()>,
) -> Result<u64> {
    if snapshot.total_keys()?.is_none_or(|keys| keys == counted) {
        return Ok(0);
    }
    let mut unknown = 0;
    snapshot.visit_unknown(&mut |entry| {
        unknown += 1;
        let message = match key_kind(entry.key) {
            Err(error) => error.to_string(),
            Ok(_) => "the key is of a known form".to_owned(),
        };
        tell(
            Divergence::new(DivergenceClass::UnknownKey, None, message)
                .on(side)
                .of_key(entry.key),
        )
    })?;
    Ok(unknown)
}

/// Compares the id high-water marks of the kinds that are asked for.
pub(super) fn compare_sequences(
    left: &dyn Snapshot,
    right: &dyn Snapshot,
    is_asked_for: impl Fn(RecordKind) -> bool,
    tell: &mut dyn FnMut(Divergence) -> Result<()>,
) -> Result<()> {
    let (left, right) = (left.sequences()?, right.sequences()?);
    for kind in RecordKind::ALL {
        let (left, right) = (left.get(kind), right.get(kind));
        if left == right || !is_asked_for(kind) {
            continue;
        }
        let message = format!(
            "the highest id ever given in {} is {left} on the left and {right} on the right",
            table_name(kind)
        );
        let class = DivergenceClass::Sequence;
        tell(Divergence::new(class, Some(kind), message))?;
    }
    Ok(())
}
