use super::{Item, RecordStream, Source, read_kind};
use crate::codec::{KindDigest, KindTotals};
use crate::error::Result;
use crate::progress::{Progress, Stage, check_cancelled};
use crate::record::RecordKind;

/// What a store holds of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
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
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use chunkmigrate::record::{CodeChunk, RecordKind};
/// use chunkmigrate::sqlite::SqliteSnapshot;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::stream::{Source as _, digest_kind};
/// use chunkmigrate::{NoProgress, Progress, Stage};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("code.db");
/// ChunkStore::new(&path)?.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fn"))?;
///
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let mut snapshot = SqliteSnapshot::open(&path, &Default::default(), &progress)?;
/// let (kind, stage) = (RecordKind::Chunk, Stage::Digest(RecordKind::Chunk));
/// let content = digest_kind(&mut snapshot, kind, stage, progress.as_ref())?;
/// snapshot.confirm()?;
/// assert_eq!((content.totals.records, content.invalid), (1, 0));
/// # Ok(())
/// # }
/// ```
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

/// Counts and hashes what is left of a stream.
///
/// # Errors
/// The store can't be read to its end.
pub fn digest_stream(stream: &mut RecordStream, progress: &dyn Progress) -> Result<KindContent> {
    let mut digest = KindDigest::default();
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
