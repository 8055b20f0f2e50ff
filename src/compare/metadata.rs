//! Compares what stores contain in addition to records.

use super::finding::Finding;
use super::finding_class::{FindingClass, Side};
use crate::codec::{key_kind, may_be_of};
use crate::error::Result;
use crate::record::{IdSequences, KindSet, RecordKey, RecordKind};
use crate::stream::Source;

/// Reports unknown keys that may belong to the selected kinds; `counted` is the number of valid
/// keys read.
pub(super) fn tell_unknown_keys(
    snapshot: &dyn Source,
    side: Side,
    counted: u64,
    only: KindSet,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<u64> {
    if snapshot.total_keys()?.is_none_or(|keys| keys == counted) {
        return Ok(0);
    }
    let mut unknown = 0;
    snapshot.visit_unknown(&mut |entry| {
        if !may_be_of(entry.key, only) {
            return Ok(());
        }
        unknown += 1;
        let message = match key_kind(entry.key) {
            Err(error) => error.to_string(),
            Ok(_) => "the key is of a known form".to_owned(),
        };
        tell(
            Finding::new(FindingClass::UnknownKey, None::<RecordKind>, message)
                .on(side)
                .of_key(entry.key),
        )
    })?;
    Ok(unknown)
}

/// Compares the id sequences of the selected kinds, and returns those of both sides.
pub(super) fn compare_sequences(
    left: &dyn Source,
    right: &dyn Source,
    only: KindSet,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<(IdSequences, IdSequences)> {
    let mut asked_for = (IdSequences::default(), IdSequences::default());
    let (left, right) = (left.sequences()?, right.sequences()?);
    for kind in only.iter() {
        let (left, right) = (left.get(kind), right.get(kind));
        asked_for.0.raise(kind, left);
        asked_for.1.raise(kind, right);
        if left == right {
            continue;
        }
        let message =
            format!("id sequence of {}: {left} on the left, {right} on the right", kind.table());
        let class = FindingClass::Sequence;
        tell(Finding::new(class, Some(kind), message))?;
    }
    Ok(asked_for)
}

/// Warns of metrics stored under the id of a different symbol in the store's own graph.
pub(super) fn warn_of_wrong_symbols(
    snapshot: &dyn Source,
    side: Side,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    snapshot.visit_wrong_symbols(&mut |symbol_id, message| {
        let kind = Some(RecordKind::SymbolMetrics);
        let warning = Finding::new(FindingClass::Graph, kind, message);
        let key = RecordKey::SymbolMetrics { symbol_id };
        tell(warning.on(side).of_key(&key.encode()))
    })
}
