//! Writing what a merge changes, in one transaction that is read back before it ends.

use super::plan::{Plan, target_options};
use crate::codec::{Entry, decode_json};
use crate::compare::{CompareOptions, Divergence, DivergenceClass, RowFacts, Side, compare_stores};
use crate::error::{Error, Result};
use crate::kv::{KvFile, KvMerge};
use crate::migrate::CopySummary;
use crate::migrate::copy::Copy;
use crate::migrate::existing::check_unlocked;
use crate::progress::{Stage, check_cancelled};
use crate::record::{Record, RecordKind, Sequences};
use crate::sqlite::{SqliteMerge, SqliteSnapshot, table_name};
use crate::store::{Snapshot, StoreKind, digest_kind};

/// A record that the constraints of the target refuse.
pub(super) struct Refused {
    pub(super) kind: RecordKind,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) row: RowFacts,
}

/// What came of an attempt to write.
pub(super) enum Outcome {
    /// Everything is written and was read back.
    Done,
    /// Somebody wrote the target since the merge was planned; nothing is written.
    Changed,
    /// Read back, the target differs from the source; nothing is written.
    Diverged,
    /// The constraints of the target refuse records; nothing is written.
    Refused(Vec<Refused>),
}

pub(super) fn apply(
    copy: &Copy<'_>,
    source: &mut dyn Snapshot,
    plan: &mut Plan,
    summary: &mut CopySummary,
) -> Result<Outcome> {
    match copy.target_store {
        StoreKind::Sqlite => apply_to_sqlite(copy, source, plan, summary),
        _ => apply_to_kv(copy, plan, summary),
    }
}

fn apply_to_kv(copy: &Copy<'_>, plan: &Plan, summary: &CopySummary) -> Result<Outcome> {
    let path = copy.destination.given();
    check_unlocked(path, StoreKind::Kv)?;
    let merge = KvMerge {
        changes: &plan.changes,
        sequences: &plan.sequences,
        manifest: &copy.manifest_of(summary, &plan.expected)?,
        expected: &plan.expected,
    };
    Ok(match merge.apply(path, copy.progress.as_ref())? {
        true => Outcome::Done,
        false => Outcome::Changed,
    })
}

fn apply_to_sqlite(
    copy: &Copy<'_>,
    source: &mut dyn Snapshot,
    plan: &mut Plan,
    summary: &mut CopySummary,
) -> Result<Outcome> {
    let path = copy.destination.given();
    let kinds: Vec<RecordKind> = RecordKind::ALL
        .into_iter()
        .filter(|kind| copy.options.asks_for(*kind))
        .collect();
    let needed = plan.changed_kinds();
    let temp_dir = copy.options.temp_dir.as_deref();
    let mut merge = SqliteMerge::begin(path, &needed, temp_dir, copy.progress)?;
    let refused = write_changes(copy, plan, &mut merge)?;
    if !refused.is_empty() {
        return Ok(Outcome::Refused(refused));
    }
    merge.set_sequences(&kinds, plan.sequences)?;
    let mut snapshot = merge.into_snapshot(&target_options(copy), copy.progress)?;
    if !holds(copy, &kinds, plan, &mut snapshot)? {
        return name_divergences(copy, source, &mut snapshot, summary);
    }
    check_cancelled(copy.progress.as_ref())?;
    snapshot.commit()?;
    Ok(Outcome::Done)
}

fn write_changes(
    copy: &Copy<'_>,
    plan: &mut Plan,
    merge: &mut SqliteMerge,
) -> Result<Vec<Refused>> {
    let progress = copy.progress.as_ref();
    let mut refused = Vec::new();
    for kind in plan.changed_kinds() {
        let counts = plan.counts.get(kind);
        let total = counts.inserted + counts.updated;
        progress.start(Stage::Merge(kind), Some(total));
        let (changes, ids) = (&plan.changes, &mut plan.ids);
        each_record(changes, kind, &mut |_, record| {
            merge.make_way(record, &mut |id| ids.is_registered(kind, id))
        })?;
        each_record(changes, kind, &mut |entry, record| {
            progress.inc(1);
            if let Some(refusal) = merge.write(record)? {
                let row = RowFacts {
                    table: table_name(kind),
                    rowid: row_id(record),
                    column: refusal.column,
                    reason: refusal.reason,
                };
                refused.push(Refused {
                    kind,
                    key: entry.key.to_vec(),
                    value: entry.value.to_vec(),
                    row,
                });
            }
            Ok(())
        })?;
        progress.finish();
    }
    Ok(refused)
}

/// The row id that a record asks for.
fn row_id(record: &Record) -> Option<i64> {
    match record {
        Record::SymbolMetrics(metrics) => Some(metrics.symbol_id),
        Record::Chunk(_) | Record::ExecutionLog(_) | Record::FileMetrics(_) => record.id(),
    }
}

fn each_record(
    changes: &KvFile,
    kind: RecordKind,
    visit: &mut dyn FnMut(Entry<'_>, &Record) -> Result<()>,
) -> Result<()> {
    changes.visit(kind, &mut |entry| {
        let record = decode_json(kind, entry.value);
        let record = record.map_err(|error| Error::Internal(error.to_string()))?;
        visit(entry, &record)
    })
}

/// Whether the target holds in the end what it should, with the records that were there before.
fn holds(
    copy: &Copy<'_>,
    kinds: &[RecordKind],
    plan: &Plan,
    snapshot: &mut SqliteSnapshot,
) -> Result<bool> {
    let marks = SqliteSnapshot::sequences(snapshot)?;
    let mut holds = true;
    for &kind in kinds {
        let stage = Stage::ReadBack(kind);
        let found = digest_kind(snapshot, kind, stage, copy.progress.as_ref())?;
        holds &= found.totals == *plan.expected.get(kind);
        holds &= marks.get(kind) == plan.sequences.get(kind);
    }
    Ok(holds)
}

/// Names what the target would not hold as the source does. If there is nothing, somebody wrote
/// the target since the merge was planned.
fn name_divergences(
    copy: &Copy<'_>,
    source: &mut dyn Snapshot,
    target: &mut SqliteSnapshot,
    summary: &mut CopySummary,
) -> Result<Outcome> {
    let options = CompareOptions {
        only: copy.options.only.clone(),
        quick: false,
    };
    let (mut first, mut total) = (Vec::new(), 0);
    let marks = (source.sequences()?, SqliteSnapshot::sequences(target)?);
    let progress = copy.progress.as_ref();
    compare_stores(source, target, &options, progress, &mut |divergence| {
        if !is_targets_own(&divergence, marks) {
            total += 1;
            if first.len() < copy.options.limit {
                first.push(divergence);
            }
        }
        Ok(())
    })?;
    // What was rejected before is not in the target either.
    if total <= summary.rejected_total() {
        return Ok(Outcome::Changed);
    }
    summary.divergences = first;
    summary.divergences_total = total;
    summary.sha256 = None;
    summary.merged = None;
    Ok(Outcome::Diverged)
}

/// Whether a divergence is no loss to the source's records.
fn is_targets_own(divergence: &Divergence, (source, target): (Sequences, Sequences)) -> bool {
    let on_right = divergence.side == Some(Side::Right);
    match divergence.class {
        DivergenceClass::OnlyRight => true,
        DivergenceClass::Sequence => RecordKind::ALL
            .into_iter()
            .all(|kind| target.get(kind) >= source.get(kind)),
        class => on_right || class.is_warning(),
    }
}
