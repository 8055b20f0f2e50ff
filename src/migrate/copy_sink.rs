//! Processes each item of a source: hashes and writes it, or rejects it.

use super::dual_digest::DualDigest;
use super::reject_log::RejectLog;
use super::target_writer::{FilledTarget, TargetWriter};
use super::{CopyOptions, OnInvalid};
use crate::codec::{Entry, KindTotals, encode_values};
use crate::compare::{EntryCheck, Finding, FindingClass, RowLocation, Side};
use crate::error::Result;
use crate::fsio::JsonLines;
use crate::fsio::StoreKind;
use crate::record::{IdSequences, RecordKind};
use crate::sqlite::{IdSet, ScratchSet};
use crate::stream::{Batch, InvalidReason, Item, RowBatch};

/// Consumes the items of a source's stream.
pub(super) struct CopySink<'o> {
    options: &'o CopyOptions,
    source: StoreKind,
    /// The target; `None` for a dry run.
    new: Option<TargetWriter>,
    pub(super) refusals: RejectLog<'o>,
    /// The ids so far, if no target table checks their uniqueness.
    ids: Option<IdSet>,
    /// Ids known to be duplicates, and those found during this copy.
    known_shared: &'o IdSet,
    pub(super) found_shared: IdSet,
    /// The keys of the records whose ids are known to be duplicates.
    pub(super) keys_of_shared: ScratchSet,
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
        rejects: Option<JsonLines>,
        known_shared: &'o IdSet,
    ) -> Self {
        let temp_dir = options.temp_dir.as_deref();
        // Ids from a database or a text are already unique.
        let wants_ids = source == StoreKind::Kv && new.is_none();
        CopySink {
            options,
            source,
            new,
            refusals: RejectLog::new(options, rejects),
            ids: wants_ids.then(|| IdSet::new(temp_dir)),
            known_shared,
            found_shared: IdSet::new(temp_dir),
            keys_of_shared: ScratchSet::new(temp_dir),
            largest_ids: IdSequences::LOWEST,
            accepted: RowBatch::default(),
            digests: DualDigest::default(),
        }
    }

    pub(super) fn take(&mut self, kind: RecordKind, batch: Batch) -> Result<()> {
        for item in batch.iter() {
            match item {
                Item::Invalid(row) => self.refusals.reject_row(row)?,
                // Entries of a database are built from its rows and therefore valid.
                Item::Entry(entry) if self.source == StoreKind::Sqlite => {
                    self.digests.copied(entry);
                }
                Item::Entry(entry) => self.judge(kind, entry)?,
            }
        }
        let weight = batch.weight();
        match &mut self.new {
            Some(TargetWriter::Kv(worker)) if !self.refusals.have_failed => {
                worker.send(batch, weight)
            }
            Some(TargetWriter::Sqlite(worker)) => {
                drop(batch);
                worker.send((kind, std::mem::take(&mut self.accepted)), weight)
            }
            _ => Ok(()),
        }
    }

    /// The target with all records, unless this is a dry run.
    pub(super) fn fill(&mut self) -> Result<Option<FilledTarget>> {
        let mut filled = self.new.take().map(TargetWriter::fill).transpose()?;
        if let Some(filled) = &mut filled {
            self.found_shared = filled.take_shared_ids();
        }
        Ok(filled.filter(|_| !self.refusals.have_failed))
    }

    /// Ends a kind; returns the totals of what was copied and of what was read.
    pub(super) fn finish_kind(&mut self) -> (KindTotals, KindTotals) {
        std::mem::take(&mut self.digests).finish()
    }

    /// Processes an entry of a KV file, which may be invalid.
    fn judge(&mut self, kind: RecordKind, entry: Entry<'_>) -> Result<()> {
        let judged = EntryCheck::of(kind, entry.key, entry.value);
        let is_sound = judged.is_sound();
        for divergence in judged.divergences(kind, Side::Left, entry.key) {
            let carried = divergence.class == FindingClass::Noncanonical
                && self.options.on_invalid == OnInvalid::Skip;
            match carried {
                true => self.refusals.tell(divergence),
                false => self.refusals.reject_entry(entry, divergence)?,
            }
        }
        let record = match judged.into_record_of_its_key() {
            Some(record) if self.gets_its_id(kind, entry, record.id())? => record,
            _ => {
                self.refusals.count(kind);
                self.digests.left_out(entry);
                return Ok(());
            }
        };
        if is_sound {
            self.digests.copied(entry);
        } else {
            if self.options.on_invalid == OnInvalid::Fail {
                self.refusals.count(kind);
            }
            let mut value = Vec::new();
            encode_values(&record, &mut value)?;
            self.digests.copied_as(entry, &value);
        }
        if let Some(TargetWriter::Sqlite(_)) = self.new {
            self.accepted.push(record);
        }
        Ok(())
    }

    /// Whether a record may keep its id; `false` if the id is known to be a duplicate. A target
    /// table detects new duplicates itself, later.
    fn gets_its_id(&mut self, kind: RecordKind, entry: Entry<'_>, id: Option<i64>) -> Result<bool> {
        let Some(id) = id else {
            return Ok(true);
        };
        if self.known_shared.contains(kind, id)? {
            let row = RowLocation {
                table: kind.table(),
                rowid: Some(id),
                column: "id",
                reason: InvalidReason::DuplicateId,
            };
            self.keys_of_shared.insert(entry.key)?;
            let why = Finding::refused(kind, entry.key, row);
            self.refusals.reject_entry(entry, why)?;
            return Ok(false);
        }
        if let Some(ids) = &mut self.ids
            && !ids.insert(kind, id)?
        {
            self.found_shared.insert(kind, id)?;
            return Ok(false);
        }
        self.largest_ids.raise(kind, id);
        Ok(true)
    }
}
