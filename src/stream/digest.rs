use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::{Batch, Item, Jobs, Source, Visited, check_stream};
use crate::codec::{Digest, KindHasher, KindTotals};
use crate::error::Result;
use crate::progress::{Progress, Stage};
use crate::record::RecordKind;
use crate::table::TableSchema;

/// Counts and digest of one kind in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KindContent {
    /// Counts and digest of the entries.
    pub totals: KindTotals,
    /// Number of invalid rows.
    pub invalid: u64,
}

impl KindContent {
    /// The digest; `None` if some of the rows are invalid.
    pub fn sha256(&self) -> Option<Digest> {
        (self.invalid == 0).then_some(self.totals.sha256)
    }
}

impl Serialize for KindContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("KindContent", 5)?;
        json.serialize_field("records", &self.totals.records)?;
        json.serialize_field("key_bytes", &self.totals.key_bytes)?;
        json.serialize_field("value_bytes", &self.totals.value_bytes)?;
        json.serialize_field("sha256", &self.sha256())?;
        json.serialize_field("invalid", &self.invalid)?;
        json.end()
    }
}

/// Reads all records of a kind to count and hash them; progress is reported as `stage`.
///
/// # Errors
/// The store can't be read to its end.
pub(crate) fn digest_kind(
    source: &mut dyn Source,
    kind: RecordKind,
    jobs: Jobs,
    stage: Stage,
    progress: &Progress,
) -> Result<KindContent> {
    let expected = source.expected_records(kind);
    let jobs = jobs.to_convert(source);
    let visit = move |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| source.visit(kind, visit);
    digest_stream(expected, visit, jobs, stage, progress)
}

/// As [`digest_kind`], for a carried table.
///
/// # Errors
/// As [`digest_kind`].
pub(crate) fn digest_table(
    source: &mut dyn Source,
    table: &TableSchema,
    stage: Stage,
    progress: &Progress,
) -> Result<KindContent> {
    let visit =
        move |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| source.visit_table(table, visit);
    digest_stream(None, visit, Jobs::IN_READER, stage, progress)
}

/// As [`digest_kind`], for any function that calls its argument for each item.
fn digest_stream(
    expected: Option<u64>,
    visit: impl FnOnce(&mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> + Send,
    jobs: Jobs,
    stage: Stage,
    progress: &Progress,
) -> Result<KindContent> {
    progress.start(stage, expected);
    let mut digest = KindHasher::default();
    let mut invalid = 0;
    let no_check = |_: &mut Batch| Ok(());
    check_stream(visit, jobs, progress, no_check, |stream| {
        while let Some(batch) = stream.next_batch()? {
            for item in batch.iter() {
                match item {
                    Item::Entry(entry) => digest.update(entry),
                    Item::Invalid(_) => invalid += 1,
                }
            }
            progress.check_cancelled()?;
            progress.inc(batch.len() as u64);
        }
        Ok(())
    })?;
    progress.finish();
    Ok(KindContent { totals: digest.finish(), invalid })
}
