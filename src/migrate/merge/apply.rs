//! Writing what a merge changes, in one transaction that is read back before it ends.

use super::plan::{Plan, target_options};
use crate::codec::{Entry, decode_json};
use crate::compare::{CompareOptions, Divergence, DivergenceClass, RowFacts, Side, compare_stores};
use crate::error::{Error, Result};
use crate::kv::{KvFile, KvMerge};
use crate::migrate::existing::check_unlocked;
use crate::migrate::job::Job;
use crate::migrate::{CopySummary, OnInvalid};
use crate::progress::{Stage, check_cancelled};
use crate::record::{Record, RecordKind};
use crate::sqlite::{SqliteMerge, SqliteSnapshot, side_files, table_name};
use crate::store::{StoreKind, digest_kind};

/// Progress is told once for so many records.
const PROGRESS_RECORDS: u64 = 512;

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
    /// The target can't keep high-water marks; nothing is written.
    MarksLost(Vec<Divergence>),
    /// As `Done`, but for high-water marks that the target can't keep.
    DoneWithoutMarks(Vec<Divergence>),
}

pub(super) fn apply(job: &Job<'_>, plan: &mut Plan, summary: &mut CopySummary) -> Result<Outcome> {
    match job.target_store {
        StoreKind::Sqlite => apply_to_sqlite(job, plan, summary),
        _ => apply_to_kv(job, plan, summary),
    }
}

/// Rolls back what a transaction that failed has written already. SQLite leaves that to whoever opens
/// the database next, if its own attempt failed, or if it made none. This follows a failure that is
/// told; where it fails too, it is still left to the next one.
fn roll_back(job: &Job<'_>) {
    let path = job.destination.path();
    let [_, _, journal] = side_files(path);
    if journal.exists() {
        let _ = SqliteMerge::roll_back(path, job.progress);
    }
}

fn apply_to_kv(job: &Job<'_>, plan: &Plan, summary: &CopySummary) -> Result<Outcome> {
    let path = job.destination.given();
    check_unlocked(path, StoreKind::Kv)?;
    let merge = KvMerge {
        changes: &plan.changes,
        sequences: &plan.sequences,
        manifest: &job.manifest_of(summary, &plan.expected)?,
        expected: &plan.expected,
    };
    Ok(match merge.apply(path, job.progress.as_ref())? {
        true => Outcome::Done,
        false => Outcome::Changed,
    })
}

fn apply_to_sqlite(job: &Job<'_>, plan: &mut Plan, summary: &mut CopySummary) -> Result<Outcome> {
    let path = job.destination.given();
    let needed = plan.changed_kinds();
    let temp_dir = job.options.temp_dir.as_deref();
    let merge = SqliteMerge::begin(path, &needed, temp_dir, job.progress)?;
    let written = write_and_prove(job, plan, merge, summary);
    written.inspect_err(|_| roll_back(job))
}

fn write_and_prove(
    job: &Job<'_>,
    plan: &mut Plan,
    mut merge: SqliteMerge,
    summary: &mut CopySummary,
) -> Result<Outcome> {
    let refused = write_changes(job, plan, &mut merge)?;
    if !refused.is_empty() {
        return Ok(Outcome::Refused(refused));
    }
    merge.set_sequences(&job.options.kinds(), plan.sequences)?;
    let mut snapshot = merge.into_snapshot(&target_options(job), job.progress)?;
    if !holds(job, plan, &mut snapshot)? {
        return name_divergences(job, plan, &mut snapshot, summary);
    }
    let lost = lost_marks(job, plan, &snapshot)?;
    if !lost.is_empty() && job.options.on_invalid == OnInvalid::Fail {
        return Ok(Outcome::MarksLost(lost));
    }
    check_cancelled(job.progress.as_ref())?;
    snapshot.commit()?;
    Ok(match lost.is_empty() {
        true => Outcome::Done,
        false => Outcome::DoneWithoutMarks(lost),
    })
}

fn write_changes(job: &Job<'_>, plan: &mut Plan, merge: &mut SqliteMerge) -> Result<Vec<Refused>> {
    let progress = job.progress.as_ref();
    let mut refused = Vec::new();
    for kind in plan.changed_kinds() {
        let total = plan.counts.get(kind).changed();
        progress.start(Stage::Merge(kind), Some(total));
        let (changes, ids) = (&plan.changes, &mut plan.ids);
        each_record(changes, kind, &mut |_, record| {
            merge.make_way(record, &mut |id| ids.is_registered(kind, id))
        })?;
        let mut written = 0;
        each_record(changes, kind, &mut |entry, record| {
            written += 1;
            if written % PROGRESS_RECORDS == 0 {
                progress.inc(PROGRESS_RECORDS);
            }
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
fn holds(job: &Job<'_>, plan: &Plan, snapshot: &mut SqliteSnapshot) -> Result<bool> {
    let mut holds = true;
    for kind in job.options.kinds() {
        let stage = Stage::ReadBack(kind);
        let found = digest_kind(snapshot, kind, stage, job.progress.as_ref())?;
        holds &= found.totals == *plan.expected.get(kind);
    }
    Ok(holds)
}

/// The high-water marks that the target can't keep: its tables don't have AUTOINCREMENT.
fn lost_marks(job: &Job<'_>, plan: &Plan, snapshot: &SqliteSnapshot) -> Result<Vec<Divergence>> {
    let marks = SqliteSnapshot::sequences(snapshot)?;
    let kinds = job.options.kinds().into_iter();
    let lost = kinds.filter(|kind| marks.get(*kind) != plan.sequences.get(*kind));
    let told = lost.map(|kind| {
        let (table, mark) = (table_name(kind), plan.sequences.get(kind));
        let message = format!(
            "{table} of the target has no AUTOINCREMENT and can't keep {mark}, the highest id ever \
             given"
        );
        Divergence::new(DivergenceClass::Sequence, Some(kind), message).on(Side::Left)
    });
    Ok(told.collect())
}

/// Names what the target would not hold as it was written. If there is nothing, somebody wrote the
/// target since the merge was planned.
fn name_divergences(
    job: &Job<'_>,
    plan: &mut Plan,
    target: &mut SqliteSnapshot,
    summary: &mut CopySummary,
) -> Result<Outcome> {
    let options = CompareOptions {
        only: plan.changed_kinds(),
        quick: false,
    };
    let (mut first, mut total) = (Vec::new(), 0);
    let progress = job.progress.as_ref();
    compare_stores(
        &mut plan.changes,
        target,
        &options,
        progress,
        &mut |found| {
            if !is_targets_own(&found) {
                total += 1;
                if first.len() < job.options.limit {
                    first.push(found);
                }
            }
            Ok(())
        },
    )?;
    if total == 0 {
        return Ok(Outcome::Changed);
    }
    summary.divergences = first;
    summary.divergences_total = total;
    summary.sha256 = None;
    summary.merged = None;
    Ok(Outcome::Diverged)
}

/// Whether a divergence is no loss to the records that were written.
fn is_targets_own(divergence: &Divergence) -> bool {
    let beside = matches!(
        divergence.class,
        DivergenceClass::Sequence | DivergenceClass::ContentHash
    );
    beside || divergence.side == Some(Side::Right)
}
