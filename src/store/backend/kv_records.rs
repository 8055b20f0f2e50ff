use std::fmt;
use std::sync::Arc;

use super::entry_filter::EntryFilter;
use super::selection::RecordFilter;
use super::{RecordStore, RecordTransaction};
use crate::codec::{Entry, decode_entry, record_key};
use crate::error::{Error, Result};
use crate::kv::{KvBackend, KvTransaction};
use crate::record::{IdSequences, Record, RecordKey, RecordKind};

/// Records in a key-value backend: canonical JSON under the record's key.
pub(super) struct KvRecords {
    backend: Arc<dyn KvBackend>,
}

impl KvRecords {
    pub(super) fn new(backend: Arc<dyn KvBackend>) -> Self {
        KvRecords { backend }
    }
}

impl fmt::Debug for KvRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KvRecords").finish_non_exhaustive()
    }
}

impl RecordStore for KvRecords {
    fn has_kv_backend(&self) -> bool {
        true
    }

    fn ensure_schema(&self, _: RecordKind) -> Result<()> {
        Ok(())
    }

    fn keeps_ids(&self, _: RecordKind) -> Result<bool> {
        Ok(true)
    }

    fn get(&self, key: &RecordKey) -> Result<Option<Record>> {
        let encoded = key.encode();
        let value = self.backend.get(&encoded)?;
        decode(key, &encoded, value)
    }

    fn visit(
        &self,
        selection: &RecordFilter<'_>,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        let kind = selection.kind;
        let filter = EntryFilter::new(selection);
        self.backend.scan_prefix(&selection.key_prefix(), &mut |entry| {
            filter.step(entry, || visit(decode_entry(kind, entry)?))
        })
    }

    fn count(&self, selection: &RecordFilter<'_>) -> Result<u64> {
        let filter = EntryFilter::new(selection);
        let mut count = 0;
        self.backend.scan_prefix(&selection.key_prefix(), &mut |entry| {
            filter.step(entry, || {
                count += 1;
                Ok(())
            })
        })?;
        Ok(count)
    }

    fn transaction(
        &self,
        _: &[RecordKind],
        write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>,
    ) -> Result<()> {
        self.backend.transaction(&mut |transaction| {
            let mut records = KvRecordTransaction { transaction, assigned: None };
            write(&mut records)?;
            records.keep_sequences()
        })
    }
}

struct KvRecordTransaction<'t> {
    transaction: &'t mut dyn KvTransaction,
    /// The sequences including the ids assigned in this transaction; `None` if none was assigned.
    assigned: Option<IdSequences>,
}

impl KvRecordTransaction<'_> {
    /// The next id by AUTOINCREMENT's rule: one above the highest ever assigned.
    fn next_id(&mut self, kind: RecordKind) -> Result<i64> {
        let mut sequences = match self.assigned {
            Some(sequences) => sequences,
            None => self.transaction.sequences()?,
        };
        let next = sequences.get(kind).max(0).checked_add(1);
        let id = next.ok_or(Error::NoIdLeft { kind: kind.name() })?;
        sequences.raise(kind, id);
        self.assigned = Some(sequences);
        Ok(id)
    }

    fn keep_sequences(&mut self) -> Result<()> {
        match self.assigned {
            Some(sequences) => self.transaction.set_sequences(sequences),
            None => Ok(()),
        }
    }
}

impl RecordTransaction for KvRecordTransaction<'_> {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        let encoded = key.encode();
        let value = self.transaction.get(&encoded)?;
        decode(key, &encoded, value)
    }

    fn replace(&mut self, record: Record) -> Result<i64> {
        let id = self.next_id(record.kind())?;
        self.upsert(&record.with_id(id))?;
        Ok(id)
    }

    fn upsert(&mut self, record: &Record) -> Result<()> {
        let value = record.to_json()?;
        self.transaction.put(&record_key(record), &value)
    }

    fn delete(&mut self, key: &RecordKey) -> Result<bool> {
        self.transaction.delete(&key.encode())
    }

    fn delete_all(&mut self, selection: &RecordFilter<'_>) -> Result<u64> {
        let filter = EntryFilter::new(selection);
        let mut keys = Vec::new();
        self.transaction.scan_prefix(&selection.key_prefix(), &mut |entry| {
            filter.step(entry, || {
                keys.push(entry.key.to_vec());
                Ok(())
            })
        })?;
        let mut count = 0;
        for key in keys {
            count += u64::from(self.transaction.delete(&key)?);
        }
        Ok(count)
    }
}

fn decode(key: &RecordKey, encoded: &[u8], value: Option<Vec<u8>>) -> Result<Option<Record>> {
    let decode = |value: Vec<u8>| {
        let entry = Entry { key: encoded, value: &value };
        decode_entry(key.kind(), entry)
    };
    value.map(decode).transpose()
}
