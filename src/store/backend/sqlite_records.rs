use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::selection::RecordFilter;
use super::{RecordStore, RecordTransaction};
use crate::error::{Error, Result};
use crate::record::{PerKind, Record, RecordKey, RecordKind};
use crate::sqlite::{RecordTable, SharedConnection};

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
        SqliteRecords {
            connection,
            tables: Mutex::default(),
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table of a kind; `None` if it does not exist.
    fn table(&self, connection: &Connection, kind: RecordKind) -> Result<Option<Arc<RecordTable>>> {
        let schema = RecordTable::schema_cookie(connection)?;
        let mut tables = self.tables();
        if tables.schema != Some(schema) {
            *tables = Tables {
                schema: Some(schema),
                seen: PerKind::default(),
            };
        }
        let seen = tables.seen.get_mut(kind);
        if seen.is_none() {
            *seen = RecordTable::read(connection, kind)?.map(Arc::new);
        }
        Ok(seen.clone())
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

    fn write(&self, write: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
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
        self.write(|connection| RecordTable::ensure(connection, kind))
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
        self.read(selection.kind(), |table, connection| {
            table.visit(connection, &selection.conditions(), visit)
        })
    }

    fn count(&self, selection: &RecordFilter<'_>) -> Result<u64> {
        self.read(selection.kind(), |table, connection| {
            table.count(connection, &selection.conditions())
        })
    }

    fn transaction(
        &self,
        kinds: &[RecordKind],
        write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>,
    ) -> Result<()> {
        self.write(|connection| {
            let mut tables = PerKind::default();
            for &kind in kinds {
                RecordTable::ensure(connection, kind)?;
                *tables.get_mut(kind) = self.table(connection, kind)?;
            }
            write(&mut SqliteRecordTransaction { connection, tables })
        })
    }
}

/// Converts the error for an invalid row to the one that a key-value backend returns.
fn of_either_mode(error: Error) -> Error {
    match error {
        Error::InvalidRow {
            path,
            table,
            rowid,
            key,
            message,
            ..
        } => Error::InvalidRecord {
            key: format!("row {rowid} of {table}"),
            detail: format!("{message} ({key}, in {})", path.display()),
        },
        error => error,
    }
}

struct SqliteRecordTransaction<'c> {
    connection: &'c Connection,
    tables: PerKind<Option<Arc<RecordTable>>>,
}

impl SqliteRecordTransaction<'_> {
    fn table(&self, kind: RecordKind) -> Result<&RecordTable> {
        let table = self.tables.get(kind).as_deref();
        table.ok_or_else(|| crate::Error::Internal(format!("no table of kind {kind}")))
    }
}

impl RecordTransaction for SqliteRecordTransaction<'_> {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        self.table(key.kind())?.get(self.connection, key)
    }

    fn replace(&mut self, record: Record) -> Result<i64> {
        let table = self.table(record.kind())?;
        table.delete(self.connection, &record.key())?;
        table.insert(self.connection, &record)
    }

    fn upsert(&mut self, record: &Record) -> Result<()> {
        self.table(record.kind())?.upsert(self.connection, record)
    }

    fn delete(&mut self, key: &RecordKey) -> Result<bool> {
        self.table(key.kind())?.delete(self.connection, key)
    }

    fn delete_all(&mut self, selection: &RecordFilter<'_>) -> Result<u64> {
        let table = self.table(selection.kind())?;
        table.delete_all(self.connection, &selection.conditions())
    }
}
