//! Processes each item of a source: hashes and writes it, or rejects it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::CopyOptions;
use super::dual_digest::{DualDigest, Totals};
use super::reject_log::RejectLog;
use super::target_writer::{FilledTarget, Rows, TargetWriter};
use crate::codec::{Entry, encode_values, read_canonical_of};
use crate::compare::{EntryCheck, Finding, FindingClass, RowCheck, RowLocation, Side};
use crate::error::Result;
use crate::fsio::OutputFile;
use crate::fsio::StoreKind;
use crate::record::{IdSequences, RecordKind};
use crate::sqlite::{IdSet, Refusals, ScratchSet};
use crate::stream::{Batch, InvalidReason, Item, RowBatch, Visited};
use crate::table::{Kind, TableSchema, write_row};

/// The records of a batch whose values are all canonical and belong to their keys.
pub(super) struct SoundBatch {
    records: RowBatch,
    largest_id: Option<i64>,
}

impl SoundBatch {
    /// `None` if a value is not the canonical record of its key.
    pub(super) fn of(kind: RecordKind, batch: &Batch) -> Option<Self> {
        let schema = kind.schema();
        let values = batch.len() * schema.fields.len();
        let mut records = RowBatch::with_capacity(values, batch.weight());
        let mut largest_id = None;
        let mut own_key = Vec::new();
        for entry in batch.entries() {
            let record = read_canonical_of(schema, entry, &mut own_key, |_| true)?;
            largest_id = largest_id.max(record.id());
            records.push(record);
        }
        Some(SoundBatch { records, largest_id })
    }
}

/// Consumes the items of a source's stream.
pub(super) struct CopySink<'o> {
    options: &'o CopyOptions,
    source: StoreKind,
    /// The target; `None` for a dry run.
    new: Option<TargetWriter>,
    pub(super) reject_log: RejectLog<'o>,
    /// Tables that the target can't have: their rows are read, but not copied.
    pub(super) left_out: BTreeSet<String>,
    /// The ids so far, if no target table checks their uniqueness.
    ids: Option<IdSet>,
    /// What the tables are known to refuse, and what was found during this copy.
    known_refusals: &'o Refusals,
    pub(super) new_refusals: Refusals,
    /// The keys of the records whose ids are known to be duplicates.
    pub(super) keys_of_duplicates: ScratchSet,
    pub(super) largest_ids: IdSequences,
    /// Records of this batch to insert into a table.
    accepted: RowBatch,
    digests: DualDigest,
}

impl<'o> CopySink<'o> {
    pub(super) fn new(
        options: &'o CopyOptions,
        source: StoreKind,
        new: Option<TargetWriter>,
        rejects: Option<OutputFile>,
        known_refusals: &'o Refusals,
    ) -> Self {
        let temp_dir = options.temp_dir.as_deref();
        // Ids from a database or a text are already unique.
        let wants_ids = source == StoreKind::Kv && new.is_none();
        // A database is read back in the order of its tables.
        let wants_sum = options.verify && matches!(new, Some(TargetWriter::Sqlite(_)));
        CopySink {
            options,
            source,
            new,
            reject_log: RejectLog::new(options, rejects),
            left_out: BTreeSet::new(),
            ids: wants_ids.then(|| IdSet::new(temp_dir)),
            known_refusals,
            new_refusals: Refusals::new(temp_dir),
            keys_of_duplicates: ScratchSet::new(temp_dir),
            largest_ids: IdSequences::LOWEST,
            accepted: RowBatch::default(),
            digests: DualDigest::new(wants_sum),
        }
    }

    /// Whether records and rows can be taken without looking at them one by one.
    pub(super) fn takes_sound_batches(&self) -> bool {
        self.known_refusals.is_empty() && self.ids.is_none()
    }

    /// Takes a batch, if it [may](CopySink::takes_sound_batches) with its records.
    pub(super) fn take(
        &mut self,
        kind: RecordKind,
        batch: Batch,
        sound: Option<SoundBatch>,
    ) -> Result<()> {
        // Entries of a database are built from its rows and therefore valid.
        let mut are_valid = self.source == StoreKind::Sqlite;
        if let Some(sound) = sound {
            are_valid = true;
            if let Some(id) = sound.largest_id {
                self.largest_ids.raise(kind, id);
            }
            self.accepted = sound.records;
        }
        for item in batch.iter() {
            match item {
                Item::Invalid(row) => self.reject_log.reject_row(row)?,
                Item::Entry(entry) if are_valid => self.digests.unchanged(entry),
                Item::Entry(entry) => self.judge(kind, entry)?,
            }
        }
        let weight = batch.weight();
        match &mut self.new {
            Some(TargetWriter::Kv(worker)) if !self.reject_log.has_failed() => {
                worker.send(batch, weight)
            }
            Some(TargetWriter::Sqlite(worker)) => {
                drop(batch);
                worker.send(Rows::OfKind(kind, std::mem::take(&mut self.accepted)), weight)
            }
            _ => Ok(()),
        }
    }

    /// Takes a batch of rows of a carried table; returns the number of rejected rows.
    pub(super) fn take_rows(
        &mut self,
        table: &Arc<TableSchema>,
        batch: Batch,
        is_sound: bool,
    ) -> Result<u64> {
        if self.left_out.contains(&table.name) {
            // The table itself is the finding.
            for entry in batch.entries() {
                self.digests.skipped(entry);
                let message = "its table cannot be created".to_owned();
                let why =
                    Finding::new(FindingClass::Schema, Some(Kind::table(&table.name)), message);
                self.reject_log.write_entry(entry, &why.of_row(table, entry.key))?;
            }
            return Ok(0);
        }
        let (batch, rejected) = match is_sound && self.known_refusals.rows.is_empty() {
            true => {
                batch.entries().for_each(|entry| self.digests.unchanged(entry));
                (batch, 0)
            }
            false => self.accepted_rows(table, &batch)?,
        };
        let weight = batch.weight();
        match &mut self.new {
            Some(TargetWriter::Kv(worker)) if !self.reject_log.has_failed() => {
                worker.send(batch, weight)?;
            }
            Some(TargetWriter::Sqlite(worker)) => {
                worker.send(Rows::OfTable(Arc::clone(table), batch), weight)?;
            }
            _ => {}
        }
        Ok(rejected)
    }

    /// The rows of a batch that are copied, and the number of all others.
    fn accepted_rows(&mut self, table: &TableSchema, batch: &Batch) -> Result<(Batch, u64)> {
        let mut accepted = Batch::default();
        let mut rejected = 0;
        for entry in batch.entries() {
            let checked = RowCheck::of(table, entry);
            for finding in checked.findings(table, Side::Left, entry.key) {
                let carried =
                    finding.class == FindingClass::Noncanonical && self.options.skip_invalid;
                match carried {
                    true => self.reject_log.record(finding),
                    false => self.reject_log.reject_entry(entry, finding)?,
                }
            }
            let refused = self.known_refusals.rows.get(entry.key)?;
            if let Some(why) = &refused {
                let why = Finding::refused_row(table, entry.key, why);
                self.reject_log.reject_entry(entry, why)?;
            }
            let row = checked.row_if_key_matches().filter(|_| refused.is_none());
            let Some(row) = row else {
                rejected += 1;
                self.digests.skipped(entry);
                continue;
            };
            if checked.is_sound() {
                self.digests.unchanged(entry);
                accepted.push(entry.into());
                continue;
            }
            if !self.options.skip_invalid {
                rejected += 1;
            }
            let mut value = Vec::new();
            write_row(row, &mut value);
            self.digests.changed(entry, &value);
            accepted.push(Visited::Entry { key: entry.key, value: Cow::Owned(value) });
        }
        Ok((accepted, rejected))
    }

    /// The target with all records, unless this is a dry run.
    pub(super) fn fill(&mut self) -> Result<Option<FilledTarget>> {
        let mut filled = self.new.take().map(TargetWriter::fill).transpose()?;
        if let Some(filled) = &mut filled {
            self.new_refusals.extend(&filled.take_refusals())?;
        }
        Ok(filled.filter(|_| !self.reject_log.has_failed()))
    }

    /// Ends a kind or a table.
    pub(super) fn finish_kind(&mut self) -> Totals {
        self.digests.take()
    }

    /// Processes an entry of a KV file, which may be invalid.
    fn judge(&mut self, kind: RecordKind, entry: Entry<'_>) -> Result<()> {
        let judged = EntryCheck::of(kind, entry.key, entry.value);
        let is_sound = judged.is_sound();
        for divergence in judged.divergences(kind, Side::Left, entry.key) {
            let carried =
                divergence.class == FindingClass::Noncanonical && self.options.skip_invalid;
            match carried {
                true => self.reject_log.record(divergence),
                false => self.reject_log.reject_entry(entry, divergence)?,
            }
        }
        let record = match judged.into_record_of_its_key() {
            Some(record) if self.is_accepted(kind, entry, record.id())? => record,
            _ => {
                self.reject_log.count(kind);
                self.digests.skipped(entry);
                return Ok(());
            }
        };
        if is_sound {
            self.digests.unchanged(entry);
        } else {
            if !self.options.skip_invalid {
                self.reject_log.count(kind);
            }
            let mut value = Vec::new();
            encode_values(&record, &mut value)?;
            self.digests.changed(entry, &value);
        }
        if let Some(TargetWriter::Sqlite(_)) = self.new {
            self.accepted.push(record);
        }
        Ok(())
    }

    /// Whether a table accepts a record; `false` if it is known that it doesn't, or that the id is a
    /// duplicate. A target table detects that itself, later.
    fn is_accepted(&mut self, kind: RecordKind, entry: Entry<'_>, id: Option<i64>) -> Result<bool> {
        let refused_row =
            |rowid, column, reason| RowLocation { table: kind.table(), rowid, column, reason };
        if let Some(why) = self.known_refusals.rows.get(entry.key)? {
            let row = refused_row(None, "", InvalidReason::Constraint);
            let message = format!("table {} refuses it: {why}", kind.table());
            let why = Finding::rejected(kind, entry.key, row, message);
            self.reject_log.reject_entry(entry, why)?;
            return Ok(false);
        }
        let Some(id) = id else {
            return Ok(true);
        };
        if self.known_refusals.ids.contains(kind, id)? {
            let row = refused_row(Some(id), "id", InvalidReason::DuplicateId);
            self.keys_of_duplicates.insert(entry.key)?;
            let why = Finding::refused(kind, entry.key, row);
            self.reject_log.reject_entry(entry, why)?;
            return Ok(false);
        }
        if let Some(ids) = &mut self.ids
            && !ids.insert(kind, id)?
        {
            self.new_refusals.ids.insert(kind, id)?;
            return Ok(false);
        }
        self.largest_ids.raise(kind, id);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::test_entries::{TestEntry, entries_of_a_kind};
    use crate::record::Value;
    use crate::stream::test_batch::{Form, batch_of, forms};

    proptest! {
        #[test]
        fn a_batch_is_sound_if_and_only_if_each_of_its_entries_is(
            entries in entries_of_a_kind(),
            mut forms in forms(),
        ) {
            // A KV file has no rows.
            let rows = forms.iter_mut().filter(|form| **form == Form::Row);
            rows.for_each(|form| *form = Form::Borrowed);
            let kind = entries.first().map_or(RecordKind::Chunk, |entry| entry.kind);
            let items = entries.iter().zip(&forms);
            let batch = batch_of(items.clone());
            let valid = items.filter(|(_, form)| **form != Form::Invalid);
            let check = |(entry, _): (&'_ TestEntry, _)| {
                let checked = EntryCheck::of(kind, &entry.key, &entry.value);
                checked.is_sound().then(|| entry.record().unwrap())
            };
            let expected: Option<Vec<_>> = valid.map(check).collect();
            let sound = SoundBatch::of(kind, &batch);
            prop_assert_eq!(sound.is_some(), expected.is_some());
            if let (Some(sound), Some(records)) = (sound, expected) {
                let largest_id = records.iter().filter_map(|record| record.id()).max();
                prop_assert_eq!(sound.largest_id, largest_id);
                let found: Vec<Vec<Value<'_>>> =
                    sound.records.rows().map(|row| row.values().collect()).collect();
                let values = records.iter().map(|record| record.values());
                let expected: Vec<_> = values.map(|v| v.into_values().collect::<Vec<_>>()).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
