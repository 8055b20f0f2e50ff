//! Writes the changes of a merge in one transaction, which is read back before it commits.

use super::plan::Plan;
use super::report::MergeReport;
use super::target::MergeTarget;
use crate::codec::{Entry, decode_values};
use crate::compare::{
    CompareOptions, Finding, FindingClass, FindingLog, Side, Values, compare_stores,
};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::fsio::sidecar_paths;
use crate::kv::{KvMerge, KvReader};
use crate::migrate::CopyOutcome;
use crate::migrate::copy_job::Job;
use crate::migrate::target_check::check_unlocked;
use crate::progress::Stage;
use crate::record::{FieldValues, RecordKind, Value};
use crate::sqlite::{Derived, Rejection, SqliteMerge, SqliteSnapshot, roll_back, stale_in};
use crate::stream::{Source as _, Visited, digest_kind, digest_table};
use crate::table::TableSchema;

/// Progress is reported once per this many records.
const PROGRESS_RECORDS: u64 = 512;

/// The result of an attempt to write.
pub(super) enum Outcome {
    /// Everything was written and read back.
    Done(Derived),
    /// The target changed after the merge was planned; nothing was written.
    Changed,
    /// The target rejects some of the records; nothing was written.
    Rejected,
    /// The read-back found differences between source and target; nothing was written.
    Diverged(CopyOutcome),
    /// The findings don't allow anything to be written.
    GivenUp,
}

pub(super) struct Apply<'a, 'j> {
    pub(super) job: &'a Job<'j>,
    pub(super) target: &'a MergeTarget<'j>,
    pub(super) plan: &'a mut Plan,
    pub(super) report: &'a mut MergeReport<'j>,
}

impl Apply<'_, '_> {
    pub(super) fn run(&mut self) -> Result<Outcome> {
        if self.job.target_store == StoreKind::Kv {
            return self.run_on_kv();
        }
        let written = self.run_on_sqlite();
        written.inspect_err(|_| self.roll_back())
    }

    fn run_on_kv(&self) -> Result<Outcome> {
        if self.report.fails() {
            return Ok(Outcome::GivenUp);
        }
        let path = self.target.path().path;
        check_unlocked(path, StoreKind::Kv)?;
        let merge = KvMerge {
            changes: &self.plan.changes,
            sequences: &self.plan.sequences,
            manifest: &self.job.manifest_of(
                &self.report.summary,
                &self.plan.expected,
                self.plan.expected_tables.clone(),
            )?,
            expected: &self.plan.expected,
            tables: &self.plan.expected_tables,
            carried: self.plan.carried.as_ref().filter(|_| self.plan.raises_sequences),
        };
        Ok(match merge.apply(path, self.job.progress)? {
            true => Outcome::Done(self.stale_in_kv()),
            false => Outcome::Changed,
        })
    }

    /// The full-text tables that the target carries and that are out of date now.
    fn stale_in_kv(&self) -> Derived {
        let kinds = self.plan.changed_kinds();
        let mut changed: Vec<&str> = kinds.iter().map(RecordKind::table).collect();
        changed.extend(self.plan.written_tables().iter().map(|table| table.name.as_str()));
        let stale = self.plan.carried.as_ref().map(|carried| stale_in(carried, &changed));
        Derived { stale: stale.unwrap_or_default(), ..Derived::default() }
    }

    /// Rolls back what a failed transaction has already written. If SQLite's own rollback failed or
    /// didn't happen, it would leave the work to the next process that opens the database. This
    /// follows a failure that is reported; if it fails too, the next process still has to do it.
    fn roll_back(&self) {
        let target = self.target.path();
        let [_, _, journal] = sidecar_paths(target.path);
        if journal.exists() {
            let _ = roll_back(target, self.job.progress);
        }
    }

    fn run_on_sqlite(&mut self) -> Result<Outcome> {
        let temp_dir = self.job.options.temp_dir.as_deref();
        let needed = self.plan.needed_kinds();
        let target = self.target.path();
        let mut merge = SqliteMerge::begin(target, needed, temp_dir, self.job.progress)?;
        let reference = self.changing_reference(&merge)?;
        let reference = match (reference, self.job.options.skip_invalid) {
            (Some(error), false) => return Err(error),
            (reference, _) => reference,
        };
        let before = self.report.by_target();
        self.write(&merge)?;
        self.write_tables(&merge)?;
        if self.report.by_target() > before {
            return Ok(Outcome::Rejected);
        }
        // Checked only now: a rejected record changes no id.
        if let Some(error) = reference {
            return Err(error);
        }
        if self.report.fails() {
            return Ok(Outcome::GivenUp);
        }
        merge.set_sequences(self.job.options.only, self.plan.sequences)?;
        if let Some(carried) = self.plan.carried.as_ref().filter(|_| self.plan.raises_sequences) {
            merge.set_sequences_of_tables(&carried.sequences)?;
        }
        let progress = self.job.progress;
        progress.start(Stage::Index, None);
        let tables = self.plan.written_tables();
        let derived = merge.update_derived(self.plan.changed_kinds(), &tables)?;
        progress.finish();
        let mut snapshot = merge.into_snapshot(&self.target.options(), self.job.progress)?;
        if !self.holds(&mut snapshot)? {
            return self.report_divergences(&mut snapshot);
        }
        let lost = self.lost_sequences(&snapshot)?;
        let gives_up = !lost.is_empty() && !self.job.options.skip_invalid;
        lost.into_iter().for_each(|lost| self.report.find(lost));
        if gives_up {
            return Ok(Outcome::GivenUp);
        }
        progress.check_cancelled()?;
        snapshot.commit(target)?;
        Ok(Outcome::Done(derived))
    }

    /// The error for a row that refers to a value which the merge would change.
    fn changing_reference(&self, merge: &SqliteMerge) -> Result<Option<Error>> {
        for kind in self.plan.changed_kinds().iter() {
            let found = merge.find_reference(kind, &mut |visit| {
                each_record(&self.plan.changes, kind, &mut |entry, record| visit(entry.key, record))
            })?;
            if let Some(found) = found {
                return Ok(Some(Error::Referenced {
                    path: self.job.destination.given().to_owned(),
                    table: found.table,
                    columns: found.columns,
                    key: String::from_utf8_lossy(&found.key).into_owned(),
                }));
            }
        }
        Ok(None)
    }

    /// Writes all records, and rejects those that the target doesn't accept.
    fn write(&mut self, merge: &SqliteMerge) -> Result<()> {
        let kinds = self.plan.changed_kinds();
        for kind in kinds.iter() {
            let progress = self.job.progress;
            let total = self.plan.counts.get(kind).changed();
            progress.start(Stage::Merge(kind), Some(total));
            self.move_rows(merge, kind)?;
            let mut written = 0;
            let report = &mut *self.report;
            each_record(&self.plan.changes, kind, &mut |entry, record| {
                written += 1;
                if written % PROGRESS_RECORDS == 0 {
                    progress.inc(PROGRESS_RECORDS);
                }
                match merge.write(kind, entry.key, record)? {
                    Some(why) => report.reject(kind, entry, row_id(record), why),
                    None => Ok(()),
                }
            })?;
            progress.finish();
        }
        for kind in kinds.iter() {
            let (changes, report) = (&self.plan.changes, &mut *self.report);
            merge.check_rows(kind, &mut |key, why| reject(report, changes, kind, key, why))?;
        }
        Ok(())
    }

    /// Writes the rows of all tables that are merged, and rejects those that the target doesn't
    /// accept.
    fn write_tables(&mut self, merge: &SqliteMerge) -> Result<()> {
        let written = self.plan.written_tables();
        if written.is_empty() {
            return Ok(());
        }
        let before = merge.missing_parents(&written)?;
        let (changes, progress) = (&self.plan.changes, self.job.progress);
        progress.start(Stage::MergeTables, None);
        for table in &written {
            merge.delete_rows(table, &mut |visit| visit_rows(changes, table, visit))?;
        }
        for table in &written {
            let report = &mut *self.report;
            merge.insert_rows(
                table,
                &mut |visit| visit_rows(changes, table, visit),
                &mut |entry, why| report.reject_row(table, entry, why),
            )?;
        }
        progress.finish();
        for (table, rows) in merge.missing_parents(&written)? {
            let rows = rows.saturating_sub(before.get(&table).copied().unwrap_or(0));
            if rows > 0 {
                let path = self.job.destination.given().to_owned();
                return Err(Error::MissingParents { path, table, rows });
            }
        }
        Ok(())
    }

    /// Moves rows whose ids change out of each other's way.
    fn move_rows(&mut self, merge: &SqliteMerge, kind: RecordKind) -> Result<()> {
        let count = self.plan.ids.moves(kind)?;
        if count == 0 {
            return Ok(());
        }
        let (ids, changes, report) = (&self.plan.ids, &self.plan.changes, &mut *self.report);
        let free = merge.free_ids(kind, count, &mut |first, last| ids.has_id(kind, first, last))?;
        let Some(mut free) = free else {
            return Ok(());
        };
        merge.ignore_checks(true)?;
        ids.visit_moves(kind, &mut |key, record_key| {
            free += 1;
            let Some(why) = merge.move_aside(kind, record_key, free)? else {
                return Ok(());
            };
            reject(report, changes, kind, key, why)
        })?;
        merge.ignore_checks(false)
    }

    /// Whether the target contains the expected records, including those that were there before.
    fn holds(&self, snapshot: &mut SqliteSnapshot) -> Result<bool> {
        let mut holds = true;
        for kind in self.job.options.only.iter() {
            let stage = Stage::ReadBack(kind);
            let jobs = self.job.options.threads();
            let found = digest_kind(snapshot, kind, jobs, stage, self.job.progress)?;
            holds &= found.totals == *self.plan.expected.get(kind);
        }
        for planned in &self.plan.tables {
            let stage = Stage::ReadBackTables;
            let found = digest_table(snapshot, &planned.table, stage, self.job.progress)?;
            holds &= found.totals == planned.expected;
        }
        Ok(holds)
    }

    /// The id sequences that the target can't store because its tables lack AUTOINCREMENT.
    fn lost_sequences(&self, snapshot: &SqliteSnapshot) -> Result<Vec<Finding>> {
        let kept = snapshot.sequences()?;
        let wanted = self.plan.sequences;
        let kinds = self.job.options.only.iter();
        let lost = kinds.filter(|kind| kept.get(*kind) != wanted.get(*kind));
        let findings = lost.map(|kind| {
            let message = format!(
                "{} of the target has no AUTOINCREMENT and cannot keep the id sequence {}",
                kind.table(),
                wanted.get(kind)
            );
            Finding::new(FindingClass::Sequence, Some(kind), message).on(Side::Left)
        });
        Ok(findings.collect())
    }

    /// Reports what the target would not store as written. If there is nothing to report, another
    /// process wrote the target after the merge was planned.
    fn report_divergences(&mut self, target: &mut SqliteSnapshot) -> Result<Outcome> {
        let options = CompareOptions {
            only: self.plan.changed_kinds(),
            jobs: self.job.options.jobs,
            ..CompareOptions::default()
        };
        let mut found = FindingLog::new(self.job.options.limit, Values::Full);
        let progress = self.job.progress;
        let changes = &mut self.plan.changes;
        compare_stores(changes, target, &options, progress, &mut |finding| {
            if !is_targets_own(&finding) {
                found.take(finding);
            }
            Ok(())
        })?;
        Ok(match found.counts().divergences() {
            0 => Outcome::Changed,
            _ => Outcome::Diverged(CopyOutcome::read_back_differs(found)),
        })
    }
}

/// Rejects a record to be written, by its key.
fn reject(
    report: &mut MergeReport<'_>,
    changes: &KvReader,
    kind: RecordKind,
    key: &[u8],
    why: Rejection,
) -> Result<()> {
    let value = changes.get(key)?.unwrap_or_default();
    let rowid = row_id(&decode(kind, &value)?);
    let value = &value;
    report.reject(kind, Entry { key, value }, rowid, why)
}

/// The row id that a record requires.
fn row_id(record: &FieldValues<'_>) -> Option<i64> {
    let mut key = record.key();
    match (key.next(), key.next()) {
        // An integer as the whole key is the row id.
        (Some(Value::Integer(id)), None) => Some(*id),
        _ => record.id(),
    }
}

fn each_record(
    changes: &KvReader,
    kind: RecordKind,
    visit: &mut dyn FnMut(Entry<'_>, &FieldValues<'_>) -> Result<()>,
) -> Result<()> {
    changes.visit_kind(kind, &mut |entry| visit(entry, &decode(kind, entry.value)?))
}

/// Calls `visit` for each row to be written into a table.
fn visit_rows(
    changes: &KvReader,
    table: &TableSchema,
    visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
) -> Result<()> {
    changes.visit_table(table, &mut |visited| match visited {
        Visited::Entry { key, value } => visit(Entry { key, value: &value }),
        _ => Ok(()),
    })
}

fn decode(kind: RecordKind, value: &[u8]) -> Result<FieldValues<'_>> {
    decode_values(kind.schema(), value).map_err(|error| Error::Internal(error.to_string()))
}

/// Whether a finding means no loss for the written records.
fn is_targets_own(divergence: &Finding) -> bool {
    divergence.class.is_warning()
        || divergence.class == FindingClass::Sequence
        || divergence.is_only_of(Side::Right)
}
