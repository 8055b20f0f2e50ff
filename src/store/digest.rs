use super::{Item, Visit, pipe};
use crate::codec::{KindDigest, KindTotals};
use crate::error::Result;
use crate::progress::{Progress, Stage, check_cancelled};
use crate::record::RecordKind;

/// What a store holds of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindContent {
    /// Counts and digest of the entries.
    pub totals: KindTotals,
    /// Number of rows that have none.
    pub invalid: u64,
}

/// Reads all of a kind to count and hash it; `stage` is what progress calls it.
///
/// # Errors
/// The store can't be read to its end.
pub fn digest_kind(
    store: &mut dyn Visit,
    kind: RecordKind,
    stage: Stage,
    progress: &dyn Progress,
) -> Result<KindContent> {
    progress.start(stage, store.expected_records(kind));
    let mut digest = KindDigest::default();
    let mut invalid = 0;
    pipe(store, kind, progress, |stream| {
        while let Some(batch) = stream.next_batch()? {
            for item in batch.iter() {
                match item {
                    Item::Entry(entry) => digest.update(entry),
                    Item::Invalid(_) => invalid += 1,
                }
            }
            check_cancelled(progress)?;
            progress.inc(batch.len() as u64);
        }
        Ok(())
    })?;
    progress.finish();
    Ok(KindContent {
        totals: digest.finish(),
        invalid,
    })
}
