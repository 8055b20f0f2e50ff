//! Determines what a merge would change, without a trace on the target.

use std::collections::BTreeMap;

use super::change_set::ChangeSet;
use super::join::{Before, JoinSink, KindJoin, MergeCounts, RowBefore};
use super::report::MergeReport;
use super::tables::{PlannedTable, tables_to_merge};
use super::target::{MergeTarget, Workplace};
use crate::codec::{Entry, KindTotals, decode_json, decode_values};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::kv::KvReader;
use crate::migrate::copy_job::Job;
use crate::progress::Stage;
use crate::record::{IdSequences, KindSet, PerKind, Record, RecordKind};
use crate::sqlite::{FinalIds, Holder, IdClash, Rejection, other_symbol};
use crate::stream::{InvalidReason, ManifestTotals, Source, digest_kind, digest_table, read_kind};
use crate::table::{CarriedTables, TableSchema};

/// The planned changes of a merge.
pub(super) struct Plan {
    /// The entries to write, in a file of their own in the private directory.
    pub(super) changes: KvReader,
    pub(super) counts: PerKind<MergeCounts>,
    /// Counts and digests of the records from the source.
    pub(super) totals: PerKind<KindTotals>,
    /// Counts and digests of the target after the merge.
    pub(super) expected: PerKind<KindTotals>,
    pub(super) sequences: IdSequences,
    /// The current id sequences of the target.
    sequences_before: IdSequences,
    /// The holders of all ids after the merge.
    pub(super) ids: FinalIds,
    /// The tables that are merged.
    pub(super) tables: Vec<PlannedTable>,
    /// Counts and digests of all tables that a KV file carries, after the merge.
    pub(super) expected_tables: BTreeMap<String, KindTotals>,
    /// The description of the target's tables after the merge, if it carries any.
    pub(super) carried: Option<CarriedTables>,
    /// Whether sequences in that description are higher than before.
    pub(super) raises_sequences: bool,
    /// Whether metadata changes: an id sequence or the manifest.
    pub(super) changes_metadata: bool,
    // Dropped last: this removes the file with the changes.
    _folder: Workplace,
}

impl Plan {
    /// Joins source and target, without the records that are already rejected. Returns `None` if
    /// more records had to be rejected, because the plan is then outdated.
    pub(super) fn make(
        job: &Job<'_>,
        source: &mut dyn Source,
        target: &MergeTarget<'_>,
        report: &mut MergeReport<'_>,
    ) -> Result<Option<Self>> {
        let folder = target.workplace()?;
        let mut target = target.open()?;
        let target = target.as_mut();
        report.summary.target.closed_cleanly = target.closed_cleanly();
        let mut planned = PlanBuilder {
            changes: ChangeSet::create(folder.file(), source.expected_bytes())?,
            ids: FinalIds::create(job.options.temp_dir.as_deref())?,
            counts: PerKind::default(),
            totals: PerKind::default(),
            expected: PerKind::default(),
        };
        let tables_to_merge = tables_to_merge(job, source, target)?;
        for kind in RecordKind::ALL {
            if job.options.only.contains(kind) {
                planned.join(job, kind, source, target, report)?;
            } else if target.store() == StoreKind::Kv {
                let progress = job.progress;
                let jobs = job.options.threads();
                let content = digest_kind(target, kind, jobs, Stage::Digest(kind), progress)?;
                *planned.expected.get_mut(kind) = content.totals;
            }
        }
        let mut tables = Vec::new();
        for table in tables_to_merge {
            tables.push(table.plan(job, source, target, &mut planned.changes, report)?);
        }
        let mut expected_tables = BTreeMap::new();
        if target.store() == StoreKind::Kv {
            let carried = target.carried().map(CarriedTables::in_key_order);
            for table in carried.unwrap_or_default() {
                let merged = tables.iter().find(|merged| merged.table.name == table.name);
                let totals = match merged {
                    Some(merged) => merged.expected,
                    None => digest_table(target, &table, Stage::DigestTables, job.progress)?.totals,
                };
                expected_tables.insert(table.name.clone(), totals);
            }
        }
        for kind in job.options.only.iter() {
            let carried = target.carried().filter(|_| target.store() == StoreKind::Kv);
            let is_carried = carried.is_none_or(|carried| carried.takes_records_of(kind));
            if !is_carried && planned.counts.get(kind).changed() > 0 {
                return Err(Error::NotCarriedAsRecords {
                    path: job.destination.given().to_owned(),
                    kind: kind.name(),
                    table: kind.table(),
                });
            }
        }
        let (claims, before) = (target.manifest_totals()?, target.sequences()?);
        target.confirm()?;
        let mut sequences = before;
        let brought = job.source_sequences(source, planned.largest_ids(source)?)?;
        for kind in job.options.only.iter() {
            sequences.raise(kind, brought.get(kind));
        }
        let is_kv = target.store() == StoreKind::Kv;
        let stale = is_kv && !tells(claims, &planned.expected, &expected_tables);
        let names = |name: &str| tables.iter().any(|merged| merged.table.name == *name);
        let carried = target.carried().map(|carried| match source.carried() {
            Some(source) => carried.with_sequences_of(source, names),
            None => carried.clone(),
        });
        let merged = carried.as_ref().map(|carried| carried.of_tables(|table| names(&table.name)));
        let raises_sequences = carried.as_ref() != target.carried();
        let mut plan = Plan {
            changes_metadata: sequences != before || stale || raises_sequences,
            changes: planned.changes.finish(merged.as_ref())?,
            counts: planned.counts,
            totals: planned.totals,
            expected: planned.expected,
            tables,
            expected_tables,
            carried,
            raises_sequences,
            sequences,
            sequences_before: before,
            ids: planned.ids,
            _folder: folder,
        };
        let has_clashes = plan.reject_clashes(report)?;
        Ok((!has_clashes).then_some(plan))
    }

    /// Rejects the records whose ids are taken.
    fn reject_clashes(&mut self, report: &mut MergeReport<'_>) -> Result<bool> {
        let before = report.by_target();
        let changes = &self.changes;
        for kind in RecordKind::ALL {
            self.ids.visit_clashes(kind, &mut |IdClash { id, key, other }| {
                let other = other.as_deref().map(String::from_utf8_lossy);
                let other = other.as_deref().unwrap_or("an invalid row");
                let message = format!("the target already has the id {id}, for {other}");
                let why = Rejection::new("id", InvalidReason::DuplicateId, message);
                let value = changes.get(key)?.unwrap_or_default();
                let value = &value;
                report.reject(kind, Entry { key, value }, Some(id), why)
            })?;
        }
        Ok(report.by_target() > before)
    }

    pub(super) fn changes_anything(&self) -> bool {
        let mut counts = self.counts.iter();
        self.changes_metadata
            || counts.any(|(_, counts)| counts.changed() > 0)
            || !self.written_tables().is_empty()
    }

    /// The tables with rows to write.
    pub(super) fn written_tables(&self) -> Vec<&TableSchema> {
        let written = self.tables.iter().filter(|planned| planned.counts.changed() > 0);
        written.map(|planned| planned.table.as_ref()).collect()
    }

    /// The kinds with records to write.
    pub(super) fn changed_kinds(&self) -> KindSet {
        let counts = self.counts.iter();
        let changed = counts.filter(|(_, counts)| counts.changed() > 0);
        changed.map(|(kind, _)| kind).collect()
    }

    /// The kinds whose tables are needed, for records or for an id sequence.
    pub(super) fn needed_kinds(&self) -> KindSet {
        let counts = self.counts.iter();
        let is_raised = |kind| self.sequences.get(kind) > self.sequences_before.get(kind);
        let needed = counts.filter(|(kind, counts)| counts.changed() > 0 || is_raised(*kind));
        needed.map(|(kind, _)| kind).collect()
    }
}

fn tells(
    claims: Option<ManifestTotals>,
    content: &PerKind<KindTotals>,
    tables: &BTreeMap<String, KindTotals>,
) -> bool {
    claims.is_some_and(|claims| claims.kinds == *content && claims.tables == *tables)
}

struct PlanBuilder {
    changes: ChangeSet,
    ids: FinalIds,
    counts: PerKind<MergeCounts>,
    totals: PerKind<KindTotals>,
    expected: PerKind<KindTotals>,
}

impl PlanBuilder {
    fn join(
        &mut self,
        job: &Job<'_>,
        kind: RecordKind,
        source: &mut dyn Source,
        target: &mut dyn Source,
        report: &mut MergeReport<'_>,
    ) -> Result<()> {
        let progress = job.progress;
        progress.start(Stage::Compare(kind), source.expected_records(kind));
        let mut join = KindJoin::new(kind, source.store() == StoreKind::Kv);
        let mut sink = Sink { kind, changes: &mut self.changes, ids: &mut self.ids, report };
        let jobs = job.options.threads().shared_by([source, target]);
        read_kind(source, kind, jobs, progress, |source| {
            read_kind(target, kind, jobs, progress, |target| join.run(source, target, &mut sink))
        })?;
        progress.finish();
        let joined = join.finish();
        *self.counts.get_mut(kind) = joined.counts;
        *self.totals.get_mut(kind) = joined.totals;
        *self.expected.get_mut(kind) = joined.expected;
        Ok(())
    }

    fn largest_ids(&self, source: &dyn Source) -> Result<IdSequences> {
        match source.store() {
            // The id sequences of a database are never below its ids.
            StoreKind::Sqlite => Ok(IdSequences::LOWEST),
            _ => self.ids.largest(),
        }
    }
}

/// Collects the records to write and the holders of ids, and rejects records that don't fit into
/// the target.
struct Sink<'s, 'r> {
    kind: RecordKind,
    changes: &'s mut ChangeSet,
    ids: &'s mut FinalIds,
    report: &'s mut MergeReport<'r>,
}

impl JoinSink for Sink<'_, '_> {
    fn is_rejected(&self, key: &[u8]) -> Result<bool> {
        self.report.is_rejected(key)
    }

    fn keep(&mut self, entry: Entry<'_>) -> Result<()> {
        match self.id(entry) {
            Some(id) => self.ids.hold(self.kind, id, Holder::Kept(entry.key)),
            None => Ok(()),
        }
    }

    fn keep_row(&mut self, row: &RowBefore) -> Result<()> {
        match row.id {
            Some(id) => self.ids.hold(self.kind, id, Holder::Invalid),
            None => Ok(()),
        }
    }

    fn write(&mut self, entry: Entry<'_>, before: &Before<'_>) -> Result<bool> {
        let why_not = match before {
            Before::Rows(rows) => Some((rows[0], self.has_rows(*rows))),
            Before::Record(there) => self.is_other_symbol(entry, *there)?,
            Before::Nothing | Before::Row(_) => None,
        };
        if let Some((rowid, why)) = why_not {
            self.report.reject(self.kind, entry, Some(rowid), why)?;
            return Ok(false);
        }
        self.changes.push(entry)?;
        if let Some(id) = self.id(entry) {
            self.ids.hold(self.kind, id, Holder::Written(entry.key))?;
            let from = match before {
                Before::Record(there) => self.id(*there),
                Before::Row(row) => row.id,
                Before::Nothing | Before::Rows(_) => None,
            };
            if let Some(from) = from.filter(|from| *from != id) {
                self.ids.note_move(self.kind, entry.key, from)?;
            }
        }
        Ok(true)
    }
}

impl Sink<'_, '_> {
    /// The id of a record, if it has one. An invalid value has none.
    fn id(&self, entry: Entry<'_>) -> Option<i64> {
        match self.kind.has_ids() {
            true => decode_values(self.kind.schema(), entry.value).ok()?.id(),
            false => None,
        }
    }

    fn has_rows(&self, [first, second]: [i64; 2]) -> Rejection {
        let column = self.kind.schema().first_of_key().name;
        let message =
            format!("the target has several rows with this key, among them {first} and {second}");
        Rejection::new(column, InvalidReason::DuplicateKey, message)
    }

    /// The id, and why metrics can't overwrite those that the target has under that id, if these
    /// belong to a different symbol.
    fn is_other_symbol(
        &self,
        entry: Entry<'_>,
        there: Entry<'_>,
    ) -> Result<Option<(i64, Rejection)>> {
        if self.kind != RecordKind::SymbolMetrics {
            return Ok(None);
        }
        let record =
            |value| decode_json(self.kind, value).ok().and_then(Record::into_symbol_metrics);
        let own = record(entry.value)
            .ok_or_else(|| Error::Internal("a record to merge does not decode".to_owned()))?;
        // An invalid value contains no symbol.
        let Some(there) = record(there.value) else {
            return Ok(None);
        };
        let own_symbol = [own.symbol_name, own.file_path];
        let other = [there.symbol_name, there.file_path];
        Ok((own_symbol != other).then(|| {
            let message = other_symbol("the target", own.symbol_id, other, own_symbol);
            let why = Rejection::new("symbol_id", InvalidReason::WrongSymbol, message);
            (own.symbol_id, why)
        }))
    }
}
