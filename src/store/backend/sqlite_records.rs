use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::selection::RecordFilter;
use super::{RecordStore, RecordTransaction};
use crate::error::{Error, Result};
use crate::record::{PerKind, Record, RecordKey, RecordKind};
use crate::sqlite::{RecordTable, Replacement, SharedConnection, TransactionOwner};

/// Records in the tables of a SQLite database. A missing table counts as empty and is created by
/// the first write.
#[derive(Debug)]
pub(super) struct SqliteRecords {
    connection: SharedConnection,
    tables: Mutex<Tables>,
}

/// Cache of the tables.
#[derive(Debug, Default)]
struct Tables {
    /// The schema cookie for which the cache is valid.
    schema: Option<i64>,
    seen: PerKind<Option<Arc<RecordTable>>>,
}

impl SqliteRecords {
    pub(super) fn new(connection: SharedConnection) -> Self {
        SqliteRecords { connection, tables: Mutex::default() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table of a kind; `None` if it does not exist.
    fn table(&self, connection: &Connection, kind: RecordKind) -> Result<Option<Arc<RecordTable>>> {
        let schema = RecordTable::schema_cookie(connection)?;
        let mut tables = self.tables();
        if tables.schema != Some(schema) {
            *tables = Tables { schema: Some(schema), seen: PerKind::default() };
        }
        let seen = tables.seen.get_mut(kind);
        if seen.is_none() {
            *seen = RecordTable::read(connection, kind)?.map(Arc::new);
        }
        Ok(seen.clone())
    }

    /// The table of a kind, which is created if it does not exist.
    fn table_for_writing(
        &self,
        connection: &Connection,
        kind: RecordKind,
    ) -> Result<Arc<RecordTable>> {
        if let Some(table) = self.table(connection, kind)? {
            return Ok(table);
        }
        RecordTable::ensure(connection, kind)?;
        let created = self.table(connection, kind)?;
        created.ok_or_else(|| no_table(kind))
    }

    /// Reads from the table of a kind; returns the default if the table does not exist.
    fn read<T: Default>(
        &self,
        kind: RecordKind,
        read: impl FnOnce(&RecordTable, &Connection) -> Result<T>,
    ) -> Result<T> {
        let connection = self.connection.lock();
        match self.table(&connection, kind)? {
            Some(table) => read(&table, &connection).map_err(of_either_mode),
            None => Ok(T::default()),
        }
    }

    fn write(&self, write: impl FnOnce(&Connection, TransactionOwner) -> Result<()>) -> Result<()> {
        let written = self.connection.transaction(write).map_err(of_either_mode);
        if written.is_err() {
            // Tables created in the transaction were rolled back.
            *self.tables() = Tables::default();
        }
        written
    }
}

impl RecordStore for SqliteRecords {
    fn has_kv_backend(&self) -> bool {
        false
    }

    fn ensure_schema(&self, kind: RecordKind) -> Result<()> {
        self.write(|connection, _| RecordTable::ensure(connection, kind))
    }

    fn keeps_ids(&self, kind: RecordKind) -> Result<bool> {
        let connection = self.connection.lock();
        match self.table(&connection, kind)? {
            Some(table) => table.keeps_ids(&connection),
            // The first write creates an AUTOINCREMENT table.
            None => Ok(true),
        }
    }

    fn get(&self, key: &RecordKey) -> Result<Option<Record>> {
        self.read(key.kind(), |table, connection| table.get(connection, key))
    }

    fn visit(
        &self,
        selection: &RecordFilter<'_>,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        self.read(selection.kind, |table, connection| {
            table.visit(connection, &selection.conditions(), visit)
        })
    }

    fn count(&self, selection: &RecordFilter<'_>) -> Result<u64> {
        self.read(selection.kind, |table, connection| {
            table.count(connection, &selection.conditions())
        })
    }

    fn transaction(
        &self,
        kinds: &[RecordKind],
        write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>,
    ) -> Result<()> {
        self.write(|connection, owner| {
            let mut tables = PerKind::default();
            for &kind in kinds {
                *tables.get_mut(kind) = Some(self.table_for_writing(connection, kind)?);
            }
            write(&mut SqliteRecordTransaction {
                connection,
                owner,
                tables,
                replacements: PerKind::default(),
            })
        })
    }
}

/// Converts the error for an invalid row to the one that a key-value backend returns.
fn of_either_mode(error: Error) -> Error {
    match error {
        Error::InvalidRow { path, table, rowid, key, message, .. } => Error::InvalidRecord {
            key: format!("row {rowid} of {table}"),
            detail: format!("{message} ({key}, in {})", path.display()),
        },
        error => error,
    }
}

struct SqliteRecordTransaction<'c> {
    connection: &'c Connection,
    owner: TransactionOwner,
    tables: PerKind<Option<Arc<RecordTable>>>,
    /// Prepared when the first record of their kind is replaced.
    replacements: PerKind<Option<Replacement<'c>>>,
}

impl SqliteRecordTransaction<'_> {
    fn table(&self, kind: RecordKind) -> Result<&Arc<RecordTable>> {
        let table = self.tables.get(kind).as_ref();
        table.ok_or_else(|| no_table(kind))
    }
}

fn no_table(kind: RecordKind) -> Error {
    Error::Internal(format!("no table of kind {kind}"))
}

impl RecordTransaction for SqliteRecordTransaction<'_> {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        self.table(key.kind())?.get(self.connection, key)
    }

    fn replace(&mut self, record: Record) -> Result<i64> {
        let kind = record.kind();
        if let Some(replacement) = self.replacements.get_mut(kind) {
            return replacement.write(&record);
        }
        let replacement = self.table(kind)?.replacement(self.connection, self.owner)?;
        let kept = self.replacements.get_mut(kind).insert(replacement);
        kept.write(&record)
    }

    fn upsert(&mut self, record: &Record) -> Result<()> {
        self.table(record.kind())?.upsert(self.connection, record)
    }

    fn delete(&mut self, key: &RecordKey) -> Result<bool> {
        self.table(key.kind())?.delete(self.connection, key)
    }

    fn delete_all(&mut self, selection: &RecordFilter<'_>) -> Result<u64> {
        let table = self.table(selection.kind)?;
        table.delete_all(self.connection, &selection.conditions())
    }
}
