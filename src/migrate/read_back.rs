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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{encode_json, file_metrics_key};
    use crate::kv::{BulkLoad, ManifestSource};
    use crate::progress::NoProgress;
    use crate::record::{FileMetrics, Record};

    const KIND: RecordKind = RecordKind::FileMetrics;
    const SEQUENCES: Sequences = Sequences {
        code_chunks: 7,
        execution_log: 0,
    };

    type Entries = Vec<(Vec<u8>, String)>;

    fn entries() -> Entries {
        let value = |path: &str| {
            let record = Record::FileMetrics(FileMetrics {
                file_path: path.to_owned(),
                symbol_count: Some(1),
                loc: None,
                estimated_loc: Some(1.5),
                fan_in: None,
                fan_out: None,
                complexity_score: None,
                last_updated: 0,
            });
            String::from_utf8(encode_json(&record).unwrap()).unwrap()
        };
        let paths = ["a", "b", "c"];
        paths.map(|p| (file_metrics_key(p), value(p))).into()
    }

    fn totals(entries: &Entries) -> PerKind<KindTotals> {
        let mut digest = KindDigest::default();
        for (key, value) in entries {
            let value = value.as_bytes();
            digest.update(Entry { key, value });
        }
        let mut totals = PerKind::default();
        *totals.get_mut(KIND) = digest.finish();
        totals
    }

    fn manifest(totals: &PerKind<KindTotals>) -> Manifest {
        let source = ManifestSource {
            file_name: "code.db".to_owned(),
            store: "sqlite".to_owned(),
            schema_version: None,
        };
        Manifest::new(source, "2026-01-31T12:00:00Z".to_owned(), totals)
    }

    /// Whether a file of `written` holds what a stream of `streamed` would have brought.
    fn holds_what(written: &Entries, sequences: Sequences, streamed: &Entries) -> bool {
        let expected = totals(streamed);
        let manifest = manifest(&expected);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.kv");
        let mut load = BulkLoad::create(&path, 1 << 20).unwrap();
        let entries = written.iter().map(|(key, value)| Entry {
            key,
            value: value.as_bytes(),
        });
        load.append(entries).unwrap();
        load.finish(&sequences, &manifest).unwrap();
        let mut file = KvFile::open_trusted(&path).unwrap();
        holds(&mut file, &expected, &SEQUENCES, &manifest, &NoProgress).unwrap()
    }

    #[test]
    fn a_file_of_what_was_written_holds() {
        assert!(holds_what(&entries(), SEQUENCES, &entries()));
    }

    #[test]
    fn a_file_with_less_more_or_other_records_does_not_hold() {
        let mut less = entries();
        less.pop();
        let mut other = entries();
        other[1].1 = other[1].1.replace("1.5", "1.25");
        for changed in [less, other] {
            assert!(!holds_what(&changed, SEQUENCES, &entries()), "{changed:?}");
            assert!(!holds_what(&entries(), SEQUENCES, &changed), "{changed:?}");
        }
    }

    #[test]
    fn a_key_of_no_kind_does_not_hold() {
        let mut more = entries();
        more.push((b"stray".to_vec(), String::new()));
        assert!(!holds_what(&more, SEQUENCES, &entries()));
    }

    #[test]
    fn other_sequences_do_not_hold() {
        let sequences = Sequences {
            code_chunks: 8,
            ..SEQUENCES
        };
        assert!(!holds_what(&entries(), sequences, &entries()));
    }

    /// The stream had the same fault, so counts and digests are right.
    #[test]
    fn values_that_are_not_their_keys_record_in_canonical_form_do_not_hold() {
        let changes: [fn(&mut Entries); 3] = [
            |entries| entries[1].1 = entries[2].1.clone(),
            |entries| entries[1].1.push(' '),
            |entries| entries[1].1 = "{}".to_owned(),
        ];
        for change in changes {
            let mut changed = entries();
            change(&mut changed);
            assert!(!holds_what(&changed, SEQUENCES, &changed), "{changed:?}");
        }
    }
}
