//! Proof of a finished KV file: everything that was written is read from it again.

use std::path::Path;

use crate::codec::{Entry, KindDigest, KindTotals, decode_json, is_canonical, record_key_into};
use crate::compare::{Divergence, compare_kind};
use crate::error::Result;
use crate::kv::{KvFile, Manifest};
use crate::progress::{Progress, Stage};
use crate::record::{PerKind, RecordKind, Sequences};
use crate::store::{Snapshot, pipe};

/// Whether a file holds exactly what was written: every value decodes, encodes again to the same
/// bytes and belongs to its key, counts and digests are those of the stream, and so are the
/// documents.
pub(super) fn holds(
    file: &mut KvFile,
    totals: &PerKind<KindTotals>,
    sequences: &Sequences,
    manifest: &Manifest,
    progress: &dyn Progress,
) -> Result<bool> {
    let written: u64 = totals.iter().map(|(_, totals)| totals.records).sum();
    let mut holds = file.len()? == written
        && KvFile::sequences(file)? == *sequences
        && file.manifest()?.as_ref() == Some(manifest);
    for (kind, expected) in totals.iter() {
        progress.start(Stage::ReadBack(kind), Some(expected.records));
        let (found, all_sound) = digest_checked(file, kind, progress)?;
        progress.finish();
        holds &= all_sound && found == *expected;
    }
    Ok(holds)
}

/// Joins source and file record by record, to name what [`holds`] found to differ. Returns the
/// first `limit` divergences and the number of all.
pub(super) fn name_divergences(
    source: &mut dyn Snapshot,
    file: &Path,
    limit: usize,
    progress: &dyn Progress,
) -> Result<(Vec<Divergence>, u64)> {
    let mut target = KvFile::open_checked(file)?;
    let (mut first, mut total) = (Vec::new(), 0);
    for kind in RecordKind::ALL {
        progress.start(Stage::Compare(kind), Some(source.count(kind)?));
        pipe(source, kind, progress, |left| {
            pipe(&mut target, kind, progress, |right| {
                compare_kind(kind, left, right, &mut |divergence| {
                    total += 1;
                    if first.len() < limit {
                        first.push(divergence);
                    }
                    Ok(())
                })
            })
        })?;
        progress.finish();
    }
    Ok((first, total))
}

fn digest_checked(
    file: &mut KvFile,
    kind: RecordKind,
    progress: &dyn Progress,
) -> Result<(KindTotals, bool)> {
    let mut digest = KindDigest::default();
    let mut own_key = Vec::new();
    let mut all_sound = true;
    pipe(file, kind, progress, |stream| {
        while let Some(batch) = stream.next_batch()? {
            for entry in batch.entries() {
                digest.update(entry);
                all_sound &= is_sound(kind, entry, &mut own_key);
            }
            progress.inc(batch.len() as u64);
        }
        Ok(())
    })?;
    Ok((digest.finish(), all_sound))
}

/// Whether a value decodes to a record that belongs to its key and has just these bytes.
fn is_sound(kind: RecordKind, entry: Entry<'_>, own_key: &mut Vec<u8>) -> bool {
    let Ok(record) = decode_json(kind, entry.value) else {
        return false;
    };
    own_key.clear();
    record_key_into(&record, own_key);
    own_key == entry.key && is_canonical(&record, entry.value)
}
