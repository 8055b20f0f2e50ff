//! What becomes of each item of a source: it is hashed and written, or told and rejected.

use std::path::Path;

use super::json_lines::JsonLines;
use super::new_store::{FilledStore, NewStore, SharedIds};
use super::rejects::{RejectedLine, entry_line, row_line, text_line};
use super::{CopyOptions, OnInvalid};
use crate::codec::{Entry, KindDigest, KindTotals, encode_json};
use crate::compare::{Divergence, DivergenceClass, Judged, RowFacts, Side};
use crate::error::Result;
use crate::record::{PerKind, Record, RecordKind, Sequences};
use crate::sqlite::{IdRegister, InvalidRow, Reason, table_name};
use crate::store::{Batch, Item, StoreKind};

/// Takes in what the stream of a source yields.
pub(super) struct Intake<'o> {
    options: &'o CopyOptions,
    source: StoreKind,
    /// The target; none for a dry run.
    new: Option<NewStore>,
    /// Whether an item that is no record has failed the copy.
    failed: bool,
    pub(super) rejects: Option<JsonLines>,
    /// Who has which id, where no table keeps them apart.
    ids: Option<IdRegister>,
    /// Ids that are known to be shared, and those that came up.
    known_shared: &'o SharedIds,
    pub(super) found_shared: SharedIds,
    pub(super) largest_ids: Sequences,
    pub(super) rejected: PerKind<u64>,
    pub(super) unknown_keys: u64,
    pub(super) first: Vec<Divergence>,
    pub(super) told: u64,
    /// Records of this batch that go into a table.
    accepted: Vec<Record>,
    copied: KindDigest,
    /// All that was read, once that is more than what was copied.
    read: Option<KindDigest>,
}

impl<'o> Intake<'o> {
    pub(super) fn new(
        options: &'o CopyOptions,
        source: StoreKind,
        new: Option<NewStore>,
        rejects: Option<JsonLines>,
        known_shared: &'o SharedIds,
    ) -> Result<Self> {
        let wants_ids = source != StoreKind::Sqlite && new.is_none();
        Ok(Intake {
            options,
            source,
            new,
            failed: false,
            rejects,
            ids: wants_ids
                .then(|| IdRegister::create(options.temp_dir.as_deref()))
                .transpose()?,
            known_shared,
            found_shared: SharedIds::default(),
            largest_ids: Sequences::LOWEST,
            rejected: PerKind::default(),
            unknown_keys: 0,
            first: Vec::new(),
            told: 0,
            accepted: Vec::new(),
            copied: KindDigest::default(),
            read: None,
        })
    }

    pub(super) fn take(&mut self, kind: RecordKind, batch: Batch) -> Result<()> {
        for item in batch.iter() {
            match item {
                Item::Invalid(row) => self.reject_row(row)?,
                // The entries of a database were made of its rows just now.
                Item::Entry(entry) if self.source == StoreKind::Sqlite => self.copied.update(entry),
                Item::Entry(entry) => self.judge(kind, entry)?,
            }
        }
        let weight = batch.weight();
        match &mut self.new {
            Some(NewStore::Kv(worker)) if !self.failed => worker.send(batch, weight),
            Some(NewStore::Sqlite(worker)) => {
                drop(batch);
                worker.send(std::mem::take(&mut self.accepted), weight)
            }
            _ => Ok(()),
        }
    }

    /// The target with everything in it, unless there is to be none.
    pub(super) fn fill(&mut self) -> Result<Option<FilledStore>> {
        let filled = self.new.take().map(NewStore::fill).transpose()?;
        if let Some(filled) = &filled {
            self.found_shared = filled.shared_ids();
        }
        Ok(filled.filter(|_| !self.failed))
    }

    /// Ends a kind: the totals of what was copied and of what was read.
    pub(super) fn finish_kind(&mut self) -> (KindTotals, KindTotals) {
        let copied = std::mem::take(&mut self.copied).finish();
        let read = self.read.take().map_or(copied, KindDigest::finish);
        (copied, read)
    }

    /// An entry of a KV file, which may be anything.
    fn judge(&mut self, kind: RecordKind, entry: Entry<'_>) -> Result<()> {
        let judged = Judged::of(kind, entry);
        for divergence in judged.divergences(kind, Side::Left, entry.key) {
            let carried = divergence.class == DivergenceClass::Noncanonical
                && self.options.on_invalid == OnInvalid::Skip;
            match carried {
                true => self.tell(divergence),
                false => self.reject_entry(entry, divergence)?,
            }
        }
        let is_sound = judged.is_sound();
        let Some(record) = judged.into_record_of_its_key() else {
            self.keep_apart();
            return self.count_rejected(kind, entry);
        };
        if !self.gets_its_id(kind, entry, &record)? {
            self.keep_apart();
            return self.count_rejected(kind, entry);
        }
        if let Some(read) = &mut self.read {
            read.update(entry);
        }
        if is_sound {
            self.copied.update(entry);
        } else {
            if self.options.on_invalid == OnInvalid::Fail {
                *self.rejected.get_mut(kind) += 1;
            }
            self.keep_apart_before(entry);
            let value = encode_json(&record)?;
            self.copied.update(Entry {
                key: entry.key,
                value: &value,
            });
        }
        if let Some(NewStore::Sqlite(_)) = self.new {
            self.accepted.push(record);
        }
        Ok(())
    }

    /// From here on what is read is more than what is copied.
    fn keep_apart(&mut self) {
        if self.read.is_none() {
            self.read = Some(self.copied.clone());
        }
    }

    /// As [`Intake::keep_apart`], for an entry that is copied in other bytes.
    fn keep_apart_before(&mut self, entry: Entry<'_>) {
        if self.read.is_none() {
            let mut read = self.copied.clone();
            read.update(entry);
            self.read = Some(read);
        }
    }

    fn count_rejected(&mut self, kind: RecordKind, entry: Entry<'_>) -> Result<()> {
        *self.rejected.get_mut(kind) += 1;
        if let Some(read) = &mut self.read {
            read.update(entry);
        }
        Ok(())
    }

    /// Whether a record may have its id; `false` if it is known that another one has it too. A
    /// table finds that out itself, later.
    fn gets_its_id(&mut self, kind: RecordKind, entry: Entry<'_>, record: &Record) -> Result<bool> {
        let Some(id) = record.id() else {
            return Ok(true);
        };
        if self.known_shared.get(kind).contains(&id) {
            let row = RowFacts {
                table: table_name(kind),
                rowid: Some(id),
                column: "id",
                reason: Reason::DuplicateId,
            };
            self.reject_entry(entry, Divergence::refused(kind, entry.key, row))?;
            return Ok(false);
        }
        if let Some(ids) = &mut self.ids
            && ids.register(kind, id, entry.key)?.is_some()
        {
            self.found_shared.get_mut(kind).insert(id);
            return Ok(false);
        }
        self.largest_ids.raise(kind, id);
        Ok(true)
    }

    fn reject_row(&mut self, row: &InvalidRow) -> Result<()> {
        *self.rejected.get_mut(row.kind) += 1;
        self.refuse(Divergence::invalid_row(Side::Left, row));
        match &mut self.rejects {
            Some(rejects) => rejects.write(&row_line(row)),
            None => Ok(()),
        }
    }

    /// Takes note of an entry that is not copied.
    pub(super) fn reject_entry(&mut self, entry: Entry<'_>, why: Divergence) -> Result<()> {
        if let Some(rejects) = &mut self.rejects {
            rejects.write(&entry_line(entry, &why))?;
        }
        self.refuse(why);
        Ok(())
    }

    /// Takes note of a line of text that is no record.
    pub(super) fn reject_line(&mut self, line: RejectedLine<'_>) -> Result<()> {
        match line.why.kind {
            Some(kind) => *self.rejected.get_mut(kind) += 1,
            None => self.unknown_keys += 1,
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.write(&text_line(&line))?;
        }
        self.refuse(line.why);
        Ok(())
    }

    /// Takes note of something that fails the copy unless it may be skipped.
    pub(super) fn refuse(&mut self, divergence: Divergence) {
        self.fail_if_asked();
        self.tell(divergence);
    }

    /// Takes note of something that is not as it should be.
    fn tell(&mut self, divergence: Divergence) {
        self.told += 1;
        if self.first.len() < self.options.limit {
            self.first.push(divergence);
        }
    }

    /// Without leave to skip anything the rest is read only to tell of it.
    fn fail_if_asked(&mut self) {
        self.failed |= self.options.on_invalid == OnInvalid::Fail;
    }

    /// The folder of the rejects file.
    pub(super) fn rejects_folder(&self) -> Option<&Path> {
        self.rejects.as_ref().map(|r| r.destination().folder())
    }
}
