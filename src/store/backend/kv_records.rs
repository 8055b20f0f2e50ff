use std::fmt;
use std::sync::Arc;

use super::entry_filter::EntryFilter;
use super::selection::RecordFilter;
use super::{RecordStore, RecordTransaction};
use crate::codec::{decode_json, encode_json, encode_key, record_key};
use crate::error::{Error, Result};
use crate::kv::{KvBackend, KvTransaction};
use crate::record::{IdSequences, Record, RecordError, RecordKey, RecordKind};

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
        let encoded = encode_key(key);
        let value = self.backend.get(&encoded)?;
        value
            .map(|value| decode(key.kind(), &encoded, &value))
            .transpose()
    }

    fn visit(
        &self,
        selection: &RecordFilter<'_>,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        let kind = selection.kind();
        let filter = EntryFilter::new(selection)?;
        self.backend
            .scan_prefix(&selection.key_prefix(), &mut |entry| {
                filter.step(entry, || visit(decode(kind, entry.key, entry.value)?))
            })
    }

    fn count(&self, selection: &RecordFilter<'_>) -> Result<u64> {
        let filter = EntryFilter::new(selection)?;
        let mut count = 0;
        self.backend
            .scan_prefix(&selection.key_prefix(), &mut |entry| {
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
            let mut records = KvRecordTransaction {
                transaction,
                assigned: None,
            };
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
        let id = next.ok_or(RecordError::NoIdLeft { kind: kind.name() })?;
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
        let encoded = encode_key(key);
        let value = self.transaction.get(&encoded)?;
        value
            .map(|value| decode(key.kind(), &encoded, &value))
            .transpose()
    }

    fn replace(&mut self, record: Record) -> Result<i64> {
        let id = self.next_id(record.kind())?;
        self.upsert(&record.with_id(id))?;
        Ok(id)
    }

    fn upsert(&mut self, record: &Record) -> Result<()> {
        let value = encode_json(record)?;
        self.transaction.put(&record_key(record), &value)
    }

    fn delete(&mut self, key: &RecordKey) -> Result<bool> {
        self.transaction.delete(&encode_key(key))
    }

    fn delete_all(&mut self, selection: &RecordFilter<'_>) -> Result<u64> {
        let filter = EntryFilter::new(selection)?;
        let mut keys = Vec::new();
        self.transaction
            .scan_prefix(&selection.key_prefix(), &mut |entry| {
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

fn decode(kind: RecordKind, key: &[u8], value: &[u8]) -> Result<Record> {
    let undecodable = |detail| Error::InvalidRecord {
        key: String::from_utf8_lossy(key).into_owned(),
        detail,
    };
    let record = decode_json(kind, value).map_err(|error| undecodable(error.to_string()))?;
    let own_key = record_key(&record);
    if own_key != key {
        let own_key = String::from_utf8_lossy(&own_key);
        return Err(undecodable(format!("it belongs to {own_key:?}")));
    }
    Ok(record)
}
