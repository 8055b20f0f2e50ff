//! Reads back a finished store and compares it with what was written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::copy_job::Sums;
use super::{CarriedTable, CopyOptions, CopyOutcome};
use crate::codec::{EntrySum, KindHasher, KindTotals, is_canonical_of};
use crate::compare::{CompareOptions, FindingLog, Values, compare_stores, is_sound_batch};
use crate::error::{Error, Result};
use crate::kv::{KvReader, Manifest};
use crate::progress::{Progress, Stage};
use crate::record::{IdSequences, PerKind, RecordKind};
use crate::sqlite::{WrittenRows, describe};
use crate::stream::{
    Batch, Jobs, RecordStream, Source, Visited, check_kind, check_stream, check_table,
};
use crate::table::{CarriedTables, TableSchema};

/// The expected content of a finished store.
pub(super) struct Content<'c> {
    pub(super) totals: &'c PerKind<KindTotals>,
    pub(super) tables: &'c [CarriedTable],
    /// The same as sums, for a database.
    pub(super) sums: &'c Sums,
    pub(super) sequences: &'c IdSequences,
    /// The description of the carried tables, if there are any.
    pub(super) carried: Option<&'c CarriedTables>,
    /// The manifest of a KV file.
    pub(super) manifest: &'c Manifest,
}

/// Whether a KV file contains exactly what was written: every value decodes, is canonical and
/// belongs to its key, and counts, digests and metadata documents equal those of the stream.
pub(super) fn verify_kv(
    file: &mut KvReader,
    content: &Content<'_>,
    jobs: Jobs,
    progress: &Progress,
) -> Result<bool> {
    let of_kinds = content.totals.iter().map(|(_, totals)| totals.records);
    let of_tables = content.tables.iter().map(|table| table.totals.records);
    let written: u64 = of_kinds.chain(of_tables).sum();
    let mut holds = file.key_count()? == written
        && file.sequences()? == *content.sequences
        && file.manifest()?.as_ref() == Some(content.manifest)
        && file.carried() == content.carried;
    for (kind, expected) in content.totals.iter() {
        progress.start(Stage::ReadBack(kind), Some(expected.records));
        let (found, all_sound) = digest_checked(file, kind, jobs, progress)?;
        progress.finish();
        holds &= all_sound && found == *expected;
    }
    for (table, expected) in content.carried_tables() {
        progress.start(Stage::ReadBackTables, Some(expected.totals.records));
        let (found, all_sound) = digest_checked_table(file, &table, jobs, progress)?;
        progress.finish();
        holds &= all_sound && found == expected.totals;
    }
    Ok(holds)
}

/// Whether a finished database has the tables, and everything else, that it was to have.
pub(super) fn verify_schema(
    path: &Path,
    content: &Content<'_>,
    progress: &Progress,
) -> Result<bool> {
    let Some(carried) = content.carried else {
        return Ok(true);
    };
    let kinds = carried.described_kinds();
    let found = describe(path, &carried.selection(), kinds, progress)?;
    Ok(found.has_content_of(carried))
}

impl<'c> Content<'c> {
    /// The carried tables with what was written of them.
    fn carried_tables(
        &self,
    ) -> impl Iterator<Item = (Arc<TableSchema>, &'c CarriedTable)> + use<'c> {
        let tables = self.carried.map(CarriedTables::in_key_order).unwrap_or_default();
        let written = self.tables;
        tables.into_iter().filter_map(|table| {
            let written = written.iter().find(|written| written.name == table.name);
            written.map(|written| (table, written))
        })
    }
}

/// Whether a database contains exactly what was written, in whatever order. Each row is read with the
/// storage class of every value, and changes the sum of all rows if it is another one.
pub(super) fn verify_sqlite(
    rows: &mut WrittenRows,
    content: &Content<'_>,
    jobs: Jobs,
    progress: &Progress,
) -> Result<bool> {
    let mut holds = rows.sequences()? == *content.sequences;
    for (kind, expected) in content.sums.kinds.iter() {
        progress.start(Stage::ReadBack(kind), Some(expected.records));
        let (rows, are_valid) = (&mut *rows, AtomicBool::new(true));
        let found = sum_of(jobs, progress, {
            let are_valid = &are_valid;
            move |visit| {
                are_valid.store(rows.visit(kind, visit)?, Ordering::Relaxed);
                Ok(())
            }
        })?;
        progress.finish();
        holds &= are_valid.into_inner() && found == *expected;
    }
    for table in content.carried.map(CarriedTables::in_key_order).unwrap_or_default() {
        let expected = content.sums.tables.get(&table.name).copied().unwrap_or_default();
        progress.start(Stage::ReadBackTables, Some(expected.records));
        let rows = &mut *rows;
        let found = sum_of(jobs, progress, move |visit| rows.visit_table(&table, visit))?;
        progress.finish();
        holds &= found == expected;
    }
    Ok(holds)
}

/// The sum of all entries that `visit` calls its argument with.
fn sum_of(
    jobs: Jobs,
    progress: &Progress,
    visit: impl FnOnce(&mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> + Send,
) -> Result<EntrySum> {
    let sum = |batch: &mut Batch| {
        batch.encode_rows()?;
        Ok(batch.entries().collect::<EntrySum>())
    };
    check_stream(visit, jobs, progress, sum, |stream| {
        let mut sum = EntrySum::default();
        while let Some((batch, of_batch)) = stream.next_checked()? {
            progress.check_cancelled()?;
            progress.inc(batch.len() as u64);
            sum.merge(of_batch);
        }
        Ok(sum)
    })
}

/// Compares source and target record by record, to report the differences.
pub(super) fn find_divergences(
    source: &mut dyn Source,
    target: &mut dyn Source,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopyOutcome> {
    let compared =
        CompareOptions { only: options.only, jobs: options.jobs, ..CompareOptions::default() };
    let mut found = FindingLog::new(options.limit, Values::Full);
    compare_stores(source, target, &compared, progress, &mut |divergence| {
        if !divergence.class.is_warning() {
            found.take(divergence);
        }
        Ok(())
    })?;
    source.confirm()?;
    if found.counts().divergences() == 0 {
        return Err(Error::Internal(
            "the target differs from what was written, but not from the source".to_owned(),
        ));
    }
    Ok(CopyOutcome::read_back_differs(found))
}

/// Counts and digest of a kind, and whether each value is the canonical record of its key.
fn digest_checked(
    file: &mut KvReader,
    kind: RecordKind,
    jobs: Jobs,
    progress: &Progress,
) -> Result<(KindTotals, bool)> {
    let check = |batch: &mut Batch| {
        let mut own_key = Vec::new();
        let mut entries = batch.entries();
        Ok(entries.all(|entry| is_canonical_of(kind.schema(), entry, &mut own_key)))
    };
    check_kind(file, kind, jobs, progress, Some(check), |stream| digest_all(stream, progress))
}

/// As [`digest_checked`], for a carried table.
fn digest_checked_table(
    file: &mut KvReader,
    table: &TableSchema,
    jobs: Jobs,
    progress: &Progress,
) -> Result<(KindTotals, bool)> {
    let check = |batch: &mut Batch| Ok(is_sound_batch(table, batch));
    check_table(file, table, jobs, progress, Some(check), |stream| digest_all(stream, progress))
}

/// Counts and digest of all entries, and whether each batch is sound.
fn digest_all(
    stream: &mut RecordStream<'_, bool>,
    progress: &Progress,
) -> Result<(KindTotals, bool)> {
    let mut digest = KindHasher::default();
    let mut all_sound = true;
    while let Some((batch, is_sound)) = stream.next_checked()? {
        all_sound &= is_sound;
        batch.entries().for_each(|entry| digest.update(entry));
        progress.inc(batch.len() as u64);
    }
    Ok((digest.finish(), all_sound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::codec::{Entry, decode_values};
    use crate::kv::{BulkLoader, ManifestSource};
    use crate::progress::Progress;
    use crate::record::{FileMetrics, Record, RecordKey};
    use crate::sqlite::SqliteBulkLoader;
    use crate::stream::RowBatch;

    const KIND: RecordKind = RecordKind::FileMetrics;
    const SEQUENCES: IdSequences = IdSequences { code_chunks: 7, execution_log: 0 };

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
            String::from_utf8(record.to_json().unwrap()).unwrap()
        };
        let paths = ["a", "b", "c"];
        paths.map(|p| (RecordKey::FileMetrics { file_path: p.into() }.encode(), value(p))).into()
    }

    fn totals(entries: &Entries) -> PerKind<KindTotals> {
        let mut digest = KindHasher::default();
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
        Manifest::new(source, "2026-01-31T12:00:00Z".to_owned(), totals, BTreeMap::default())
    }

    /// Whether a file with `written` passes as the result of a stream of `streamed`.
    fn holds_what(written: &Entries, sequences: IdSequences, streamed: &Entries) -> bool {
        let expected = totals(streamed);
        let manifest = manifest(&expected);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.kv");
        let mut load = BulkLoader::create(&path, 1 << 20).unwrap();
        let entries = written.iter().map(|(key, value)| Entry { key, value: value.as_bytes() });
        load.append(entries).unwrap();
        load.finish(&sequences, Some(&manifest)).unwrap();
        let mut file = KvReader::open_unverified(&path).unwrap();
        let content = Content {
            totals: &expected,
            tables: &[],
            sums: &Sums::default(),
            sequences: &SEQUENCES,
            carried: None,
            manifest: &manifest,
        };
        verify_kv(&mut file, &content, Jobs::new(None), &Progress::none()).unwrap()
    }

    #[test]
    fn a_file_with_what_was_written_passes() {
        assert!(holds_what(&entries(), SEQUENCES, &entries()));
    }

    #[test]
    fn a_file_with_missing_extra_or_different_records_fails() {
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
    fn an_unknown_key_fails() {
        let mut more = entries();
        more.push((b"stray".to_vec(), String::new()));
        assert!(!holds_what(&more, SEQUENCES, &entries()));
    }

    #[test]
    fn different_id_sequences_fail() {
        let sequences = IdSequences { code_chunks: 8, ..SEQUENCES };
        assert!(!holds_what(&entries(), sequences, &entries()));
    }

    /// Whether a database with these records, changed by a statement, passes as what was written.
    fn holds_in_a_database(change: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut load = SqliteBulkLoader::create(&path, None, None, &Progress::none()).unwrap();
        let mut records = RowBatch::default();
        let values = entries();
        for (_, value) in &values {
            records.push(decode_values(KIND.schema(), value.as_bytes()).unwrap());
        }
        load.insert(KIND, &records).unwrap();
        load.commit_rows(SEQUENCES).unwrap();
        assert!(load.make_indexes().unwrap());
        rusqlite::Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let mut sums = Sums::default();
        let written = values.iter().map(|(key, value)| Entry { key, value: value.as_bytes() });
        *sums.kinds.get_mut(KIND) = written.collect();
        let content = Content {
            totals: &totals(&values),
            tables: &[],
            sums: &sums,
            sequences: &SEQUENCES,
            carried: None,
            manifest: &manifest(&totals(&values)),
        };
        let mut rows = WrittenRows::open(&path, None, &Progress::none()).unwrap();
        verify_sqlite(&mut rows, &content, Jobs::new(None), &Progress::none()).unwrap()
    }

    #[test]
    fn a_database_passes_only_with_exactly_the_rows_that_were_written() {
        assert!(holds_in_a_database(""));
        let moved = "UPDATE file_metrics SET rowid = 100 - rowid";
        assert!(holds_in_a_database(moved), "the order plays no part");
        for change in [
            "DELETE FROM file_metrics WHERE file_path = 'b'",
            "INSERT INTO file_metrics (file_path, last_updated) VALUES ('d', 0)",
            "INSERT INTO file_metrics (file_path, last_updated) VALUES ('d', 'x')",
            "UPDATE file_metrics SET symbol_count = 2 WHERE file_path = 'b'",
            "UPDATE file_metrics SET symbol_count = NULL WHERE file_path = 'b'",
            "UPDATE file_metrics SET symbol_count = 'x' WHERE file_path = 'b'",
            "UPDATE file_metrics SET file_path = 'c2' WHERE file_path = 'c'",
            "UPDATE sqlite_sequence SET seq = 8 WHERE name = 'code_chunks'",
            "INSERT INTO symbol_metrics (symbol_id, symbol_name, kind, file_path, last_updated)
                 VALUES (1, 's', 'Function', 'a', 0)",
        ] {
            assert!(!holds_in_a_database(change), "{change}");
        }
    }

    /// Whichever thread checks the batch.
    #[test]
    fn one_bad_value_anywhere_in_a_large_file_fails() {
        let long = "x".repeat(64 << 10);
        let sound: Entries = (0..96)
            .map(|number| {
                let path = format!("{number:02}{long}");
                let value = entries()[0].1.replace("\"a\"", &format!("\"{path}\""));
                (RecordKey::FileMetrics { file_path: path.clone() }.encode(), value)
            })
            .collect();
        assert!(holds_what(&sound, SEQUENCES, &sound));
        for place in (0..sound.len()).step_by(7) {
            let mut changed = sound.clone();
            changed[place].1.push(' ');
            assert!(!holds_what(&changed, SEQUENCES, &changed), "{place}");
        }
    }

    /// The stream had the same error, so counts and digests match.
    #[test]
    fn values_that_are_not_the_canonical_record_of_their_key_fail() {
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
