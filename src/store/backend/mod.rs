//! Reads and writes individual records in place, in a key-value backend or in a SQLite database.
//!
//! The rule: **the key-value backend is used if there is one, SQLite otherwise; an error of the
//! backend is an error, never a fallback and never "not found".** It is enforced only here: each
//! store chooses one of the two when it is created, and every operation on its [`RecordStore`] goes
//! to that one alone.

mod entry_filter;
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

/// Records in one of the two kinds of storage.
pub(super) trait RecordStore: Send + Sync + fmt::Debug {
    /// Whether the records are in a key-value backend.
    fn has_kv_backend(&self) -> bool;

    /// Creates the storage for a kind of record, where that is necessary.
    fn ensure_schema(&self, kind: RecordKind) -> Result<()>;

    /// Whether the ids of a kind are never reused.
    fn keeps_ids(&self, kind: RecordKind) -> Result<bool>;

    /// The record with a key.
    fn get(&self, key: &RecordKey) -> Result<Option<Record>>;

    /// Calls `visit` for every record that matches the filter, from one snapshot and in unspecified
    /// order.
    fn visit(
        &self,
        selection: &RecordFilter<'_>,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()>;

    /// The number of records that match the filter.
    fn count(&self, selection: &RecordFilter<'_>) -> Result<u64>;

    /// Runs `write` in a transaction over records of a kind. If `write` or the commit fails,
    /// everything it wrote is rolled back.
    fn transaction(
        &self,
        kinds: &[RecordKind],
        write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>,
    ) -> Result<()>;
}

/// A write transaction of a [`RecordStore`].
pub(super) trait RecordTransaction {
    /// The record with a key.
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>>;

    /// Adds a record under a new id, ignoring its own, and replaces the record with the same key,
    /// if there is one. Returns the new id.
    fn replace(&mut self, record: Record) -> Result<i64>;

    /// Overwrites the record with the same key, or adds it, keeping the record's own id.
    fn upsert(&mut self, record: &Record) -> Result<()>;

    /// Deletes the record with a key; returns `false` if there is none.
    fn delete(&mut self, key: &RecordKey) -> Result<bool>;

    /// Deletes all records that match the filter; returns their number.
    fn delete_all(&mut self, selection: &RecordFilter<'_>) -> Result<u64>;
}

/// The records of a SQLite file.
pub(super) fn in_sqlite_file(path: &Path, if_missing: IfMissing) -> Result<Arc<dyn RecordStore>> {
    Ok(over_connection(SharedConnection::open(path, if_missing)?))
}

/// The records of a SQLite database that is already open.
pub(super) fn over_connection(connection: SharedConnection) -> Arc<dyn RecordStore> {
    Arc::new(SqliteRecords::new(connection))
}

/// The records of a key-value backend.
pub(super) fn over_kv_backend(backend: Arc<dyn KvBackend>) -> Arc<dyn RecordStore> {
    Arc::new(KvRecords::new(backend))
}

/// The records of a backend if there is one, otherwise of a new in-memory SQLite database.
pub(super) fn in_memory(backend: Option<Arc<dyn KvBackend>>) -> Result<Arc<dyn RecordStore>> {
    match backend {
        Some(backend) => Ok(over_kv_backend(backend)),
        None => Ok(over_connection(SharedConnection::in_memory()?)),
    }
}

/// Checks that either kind of store can keep the record's values.
pub(super) fn checked(record: Record) -> Result<Record> {
    record.check()?;
    Ok(record)
}
