//! Records that are read and written in place, in a key-value backend or in a SQLite database.
//!
//! The rule: **the key-value backend is used when there is one, SQLite otherwise; an error of the
//! backend is an error, never a fallback and never "not found".** It is kept here and nowhere else:
//! which of the two a store has is settled when it is made, and what it asks of a [`RecordStore`]
//! goes there alone.

mod kv_records;
mod selection;
mod sqlite_records;

pub(super) use selection::RecordFilter;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::fsio::IfMissing;
use crate::kv::KvBackend;
use crate::record::{Record, RecordKey, RecordKind};
use crate::sqlite::SharedConnection;

use kv_records::KvRecords;
use sqlite_records::SqliteRecords;

/// Records in one of the two places.
pub(super) trait RecordStore: Send + Sync + fmt::Debug {
    /// Whether the records are in a key-value backend.
    fn has_kv_backend(&self) -> bool;

    /// Makes room for a kind of record, where that takes anything.
    fn ensure_schema(&self, kind: RecordKind) -> Result<()>;

    /// Whether no id of a kind is ever given twice.
    fn keeps_ids(&self, kind: RecordKind) -> Result<bool>;

    /// The record of a key.
    fn get(&self, key: &RecordKey) -> Result<Option<Record>>;

    /// Hands every record of a selection to `visit`, all of one state, in no order that could be
    /// relied on.
    fn visit(
        &self,
        selection: &RecordFilter<'_>,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()>;

    /// The number of records of a selection.
    fn count(&self, selection: &RecordFilter<'_>) -> Result<u64>;

    /// Runs `write` in a transaction over records of a kind: all that it writes remains, or nothing
    /// if it or the commit fails.
    fn transaction(
        &self,
        kinds: &[RecordKind],
        write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>,
    ) -> Result<()>;
}

/// A write transaction of a [`RecordStore`].
pub(super) trait RecordTransaction {
    /// The record of a key.
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>>;

    /// Adds a record under a new id, whatever its own, in place of the one of its key, if there is
    /// one; returns the id.
    fn replace(&mut self, record: Record) -> Result<i64>;

    /// Writes a record with its own id over the one of its key, or adds it.
    fn upsert(&mut self, record: &Record) -> Result<()>;

    /// Takes the record of a key away; `false` if there is none.
    fn delete(&mut self, key: &RecordKey) -> Result<bool>;

    /// Takes all records of a selection away; returns how many.
    fn delete_all(&mut self, selection: &RecordFilter<'_>) -> Result<u64>;
}

/// The records of a SQLite file.
pub(super) fn in_sqlite_file(path: &Path, if_missing: IfMissing) -> Result<Arc<dyn RecordStore>> {
    Ok(over_connection(SharedConnection::open(path, if_missing)?))
}

/// The records of a SQLite database that is open already.
pub(super) fn over_connection(connection: SharedConnection) -> Arc<dyn RecordStore> {
    Arc::new(SqliteRecords::new(connection))
}

/// The records of a key-value backend.
pub(super) fn over_kv_backend(backend: Arc<dyn KvBackend>) -> Arc<dyn RecordStore> {
    Arc::new(KvRecords::new(backend))
}

/// The records of a backend if there is one, else of a new SQLite database in memory.
pub(super) fn in_memory(backend: Option<Arc<dyn KvBackend>>) -> Result<Arc<dyn RecordStore>> {
    match backend {
        Some(backend) => Ok(over_kv_backend(backend)),
        None => Ok(over_connection(SharedConnection::in_memory()?)),
    }
}

/// The values of a record's fields can all be kept.
pub(super) fn checked(record: Record) -> Result<Record> {
    record.check()?;
    Ok(record)
}
