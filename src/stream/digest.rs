use super::{Item, RecordStream, Source, read_kind};
use crate::codec::{KindHasher, KindTotals};
use crate::error::Result;
use crate::progress::{Progress, Stage, check_cancelled};
use crate::record::RecordKind;

/// Counts and digest of one kind in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KindContent {
    /// Counts and digest of the entries.
    pub totals: KindTotals,
    /// Number of invalid rows.
    pub invalid: u64,
}

/// Reads all records of a kind to count and hash them; progress is reported as `stage`.
///
/// # Errors
/// The store can't be read to its end.
pub fn digest_kind(
    source: &mut dyn Source,
    kind: RecordKind,
    stage: Stage,
    progress: &dyn Progress,
) -> Result<KindContent> {
    progress.start(stage, source.expected_records(kind));
    let content = read_kind(source, kind, progress, |stream| {
        digest_stream(stream, progress)
    })?;
    progress.finish();
    Ok(content)
}

/// Counts and hashes the rest of a stream.
///
/// # Errors
/// The store can't be read to its end.
pub fn digest_stream(stream: &mut RecordStream, progress: &dyn Progress) -> Result<KindContent> {
    let mut digest = KindHasher::default();
    let mut invalid = 0;
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
    Ok(KindContent {
        totals: digest.finish(),
        invalid,
    })
}
