//! Reads and writes individual records of a table in place.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, ErrorCode, Params, Row, params_from_iter};

use super::open::connection::{reading, writing};
use super::read::invalid_field::{same_key_message, value_message};
use super::read::other_tables;
use super::read::row::{InvalidField, read_raw, read_values};
use super::read::table_columns::{TableColumns, all_equal};
use super::read::text_encoding::TextEncoding;
use super::shared_connection::{TransactionOwner, path_of};
use super::write::key_lookup::KeyLookup;
use super::write::rejection::Rejection;
use super::write::upsert::Upsert;
use super::write::writer::{create_indexes, create_table};
use crate::codec::record_key;
use crate::error::{Error, Result};
use crate::record::{FieldValues, Record, RecordKey, RecordKind, Value};
use crate::stream::{InvalidReason, RawValue, key_text};

/// Columns with the text that each must equal.
pub(crate) type Conditions<'a> = [(&'static str, &'a str)];

/// A table of records as seen by a connection. It must be reread when the schema changes.
#[derive(Debug)]
pub(crate) struct RecordTable {
    kind: RecordKind,
    path: PathBuf,
    encoding: TextEncoding,
    layout: TableColumns,
    upsert: Upsert,
    /// SQL statements that are completed with a condition.
    select: String,
    count: String,
    delete: String,
    /// SQL statements for the rows of a key.
    select_key: String,
    has_key: String,
    delete_key: String,
    /// SQL that inserts a row under a new id.
    insert: String,
}

impl RecordTable {
    /// The table of a kind; `None` if it does not exist.
    pub(crate) fn read(connection: &Connection, kind: RecordKind) -> Result<Option<Self>> {
        let path = path_of(connection);
        let encoding = TextEncoding::of(connection, &path)?;
        let layout = TableColumns::read(connection, &path, kind, encoding.is_utf16())?;
        let Some(layout) = layout else {
            return Ok(None);
        };
        let table = layout.schema.table;
        let names = layout.present_columns();
        let names: Vec<&str> = names.filter(|name| Some(*name) != layout.schema.id()).collect();
        let select =
            format!("SELECT {}, t.{} FROM main.{table} AS t", layout.select_list(), layout.rowid);
        let delete = format!("DELETE FROM main.{table} AS t");
        let of_key = where_all_equal(layout.schema.key_names());
        Ok(Some(RecordTable {
            kind,
            encoding,
            upsert: Upsert::new(&layout, KeyLookup::of_table(&layout)),
            count: format!("SELECT count(*) FROM main.{table} AS t"),
            select_key: [select.as_str(), &of_key].concat(),
            has_key: format!("SELECT 1 FROM main.{table} AS t{of_key}"),
            delete_key: [delete.as_str(), &of_key].concat(),
            select,
            delete,
            insert: format!(
                "INSERT OR ABORT INTO main.{table} ({}) VALUES ({})",
                names.join(", "),
                vec!["?"; names.len()].join(", "),
            ),
            layout,
            path,
        }))
    }

    /// Creates the table of a kind with its indexes if it does not exist.
    pub(crate) fn ensure(connection: &Connection, kind: RecordKind) -> Result<()> {
        let path = path_of(connection);
        if other_tables::exists(connection, kind).map_err(reading(&path))? {
            return Ok(());
        }
        create_table(connection, kind)
            .and_then(|()| create_indexes(connection, kind))
            .map_err(writing(&path))
    }

    /// A number that changes whenever the schema does.
    pub(crate) fn schema_cookie(connection: &Connection) -> Result<i64> {
        connection
            .prepare_cached("PRAGMA main.schema_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| reading(&path_of(connection))(error))
    }

    /// Whether SQLite never reuses an id of the table.
    pub(crate) fn keeps_ids(&self, connection: &Connection) -> Result<bool> {
        other_tables::is_autoincrement(connection, self.layout.schema).map_err(reading(&self.path))
    }

    /// Whether no row can match because the table lacks a column of the conditions.
    fn lacks_column_of(&self, conditions: &Conditions<'_>) -> bool {
        let has = |column: &str| self.layout.present_columns().any(|present| present == column);
        !conditions.iter().all(|(column, _)| has(column))
    }

    /// The record with a key.
    pub(crate) fn get(&self, connection: &Connection, key: &RecordKey) -> Result<Option<Record>> {
        let values = key.values();
        let mut found = None;
        self.query(
            connection,
            &self.select_key,
            params_from_iter(&values),
            &mut |record, rowid| match found.replace((record, rowid)) {
                Some((_, first)) => Err(self.same_key(&values, first, rowid)),
                None => Ok(()),
            },
        )?;
        Ok(found.map(|(record, _)| record))
    }

    /// Calls `visit` for every record that matches the conditions, in unspecified order.
    pub(crate) fn visit(
        &self,
        connection: &Connection,
        conditions: &Conditions<'_>,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        if self.lacks_column_of(conditions) {
            return Ok(());
        }
        let sql = [self.select.as_str(), &where_clause(conditions)].concat();
        let values = params_from_iter(conditions.iter().map(|(_, value)| value));
        self.query(connection, &sql, values, &mut |record, _| visit(record))
    }

    /// The number of rows that match the conditions.
    pub(crate) fn count(
        &self,
        connection: &Connection,
        conditions: &Conditions<'_>,
    ) -> Result<u64> {
        if self.lacks_column_of(conditions) {
            return Ok(0);
        }
        let sql = [self.count.as_str(), &where_clause(conditions)].concat();
        let values = params_from_iter(conditions.iter().map(|(_, value)| value));
        connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row(values, |row| row.get(0)))
            .map_err(reading(&self.path))
    }

    /// Prepares replacing records of the table, in a transaction.
    pub(crate) fn replacement<'c>(
        self: &Arc<Self>,
        connection: &'c Connection,
        owner: TransactionOwner,
    ) -> Result<Replacement<'c>> {
        let prepare = |sql: &str| {
            let statement = connection.prepare_cached(sql);
            statement.map_err(writing(&self.path))
        };
        let (has_key, delete_key) = (prepare(&self.has_key)?, prepare(&self.delete_key)?);
        if !self.layout.id_is_rowid {
            return Err(Error::NotATable {
                path: self.path.clone(),
                table: self.layout.schema.table,
                found: "a table whose id is not its rowid",
            });
        }
        let undoes_itself = owner == TransactionOwner::Caller;
        let insert = match undoes_itself {
            true => prepare(&[&self.insert, " RETURNING ", self.layout.rowid].concat())?,
            false => prepare(&self.insert)?,
        };
        Ok(Replacement {
            connection,
            table: Arc::clone(self),
            has_key,
            delete_key,
            insert,
            undoes_itself,
            has_assigned_last_id: false,
        })
    }

    /// The error for a record that was not written.
    fn not_written(&self, record: &Record, error: rusqlite::Error) -> Error {
        match Rejection::constraint(self.layout.schema, &error) {
            Rejection { column, reason: InvalidReason::Null, .. } if !column.is_empty() => {
                Error::NotNull {
                    path: self.path.clone(),
                    table: self.layout.schema.table,
                    column,
                    key: String::from_utf8_lossy(&record_key(record)).into_owned(),
                }
            }
            _ => writing(&self.path)(error),
        }
    }

    /// Overwrites the row of the record's key, or inserts a new row.
    pub(crate) fn upsert(&self, connection: &Connection, record: &Record) -> Result<()> {
        let values = record.values();
        self.check_has_place_for(&values)?;
        let written = self.upsert.write(connection, &values);
        let written = written.map(|_| ());
        written.map_err(|error| self.not_written(record, error))
    }

    /// Deletes the record with a key; returns `false` if there is none.
    pub(crate) fn delete(&self, connection: &Connection, key: &RecordKey) -> Result<bool> {
        let values = key.values();
        let deleted = execute(connection, &self.delete_key, params_from_iter(&values));
        Ok(deleted.map_err(writing(&self.path))? > 0)
    }

    /// Deletes all rows that match the conditions; returns their number.
    pub(crate) fn delete_all(
        &self,
        connection: &Connection,
        conditions: &Conditions<'_>,
    ) -> Result<u64> {
        if self.lacks_column_of(conditions) {
            return Ok(0);
        }
        let values = params_from_iter(conditions.iter().map(|(_, value)| value));
        let sql = [self.delete.as_str(), &where_clause(conditions)].concat();
        execute(connection, &sql, values).map_err(writing(&self.path))
    }

    fn query(
        &self,
        connection: &Connection,
        sql: &str,
        values: impl Params,
        visit: &mut dyn FnMut(Record, i64) -> Result<()>,
    ) -> Result<()> {
        let failed = |error| reading(&self.path)(error);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let rowid_column = statement.column_count() - 1;
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let rowid = row.get(rowid_column).map_err(failed)?;
            visit(self.record(row, rowid)?, rowid)?;
        }
        Ok(())
    }

    fn record(&self, row: &Row<'_>, rowid: i64) -> Result<Record> {
        let failed = reading(&self.path);
        let schema = self.layout.schema;
        let InvalidField { column, reason } =
            match read_values(schema, row, self.encoding).map_err(&failed)? {
                Ok(values) => {
                    let record = Record::from_values(self.kind, values);
                    return record.ok_or_else(|| {
                        Error::Internal("the values of a row do not fit its record".to_owned())
                    });
                }
                Err(fault) => fault,
            };
        let values = read_raw(schema, row, self.encoding).map_err(&failed)?;
        Err(Error::InvalidRow {
            path: self.path.clone(),
            table: schema.table,
            rowid,
            column,
            reason: reason.name(),
            key: key_text(schema, &values).into(),
            message: value_message(schema, column, reason, &values, self.encoding).into(),
        })
    }

    /// The error for two rows with the same key.
    fn same_key(&self, key: &[Value<'_>], first: i64, rowid: i64) -> Error {
        let schema = self.layout.schema;
        let values: Vec<_> = schema.key_names().zip(key.iter().map(raw_value)).collect();
        Error::InvalidRow {
            path: self.path.clone(),
            table: schema.table,
            rowid,
            column: schema.first_of_key().name,
            reason: InvalidReason::DuplicateKey.name(),
            key: key_text(schema, &values).into(),
            message: same_key_message(&[first]).into(),
        }
    }

    fn check_has_place_for(&self, values: &FieldValues<'_>) -> Result<()> {
        match self.upsert.missing_column_for(values) {
            None => Ok(()),
            Some(column) => Err(Error::MissingColumn {
                path: self.path.clone(),
                table: self.layout.schema.table,
                column,
            }),
        }
    }

    /// Whether the largest possible id is assigned: SQLite then reports a full database.
    fn last_id_is_taken(&self, connection: &Connection) -> bool {
        other_tables::last_id(connection, &self.layout).is_ok_and(|id| id == Some(i64::MAX))
    }
}

/// Replaces records of a table within a transaction.
pub(crate) struct Replacement<'c> {
    connection: &'c Connection,
    table: Arc<RecordTable>,
    has_key: CachedStatement<'c>,
    delete_key: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    /// Whether an insertion that finds the disk full, or no id left, undoes only itself and not the
    /// whole transaction. It then returns the new id: RETURNING makes SQLite keep a journal of the
    /// statement, which takes longer than the rest of the insertion.
    undoes_itself: bool,
    has_assigned_last_id: bool,
}

impl Replacement<'_> {
    /// Inserts a record under a new id, ignoring its own, and deletes the record with the same key.
    /// Returns the new id.
    pub(crate) fn write(&mut self, record: &Record) -> Result<i64> {
        let values = record.values();
        self.delete_key_of(&values).map_err(writing(&self.table.path))?;
        self.table.check_has_place_for(&values)?;
        let inserted = self.insert(&values);
        let id = inserted.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) if self.no_id_is_left() => {
                Error::NoIdLeft { kind: self.table.kind.name() }
            }
            _ => self.table.not_written(record, error),
        })?;
        self.has_assigned_last_id |= id == i64::MAX;
        Ok(id)
    }

    /// A search is cheaper than a deletion, and most keys are new.
    fn delete_key_of(&mut self, values: &FieldValues<'_>) -> rusqlite::Result<()> {
        if self.has_key.exists(params_from_iter(values.key()))? {
            self.delete_key.execute(params_from_iter(values.key()))?;
        }
        Ok(())
    }

    fn insert(&mut self, values: &FieldValues<'_>) -> rusqlite::Result<i64> {
        let layout = &self.table.layout;
        let id = layout.schema.id();
        let columns = values.iter().zip(layout.presence());
        let written = columns.filter_map(|((field, value), present)| {
            (*present && Some(field.name) != id).then_some(value)
        });
        let written = params_from_iter(written);
        if self.undoes_itself {
            return self.insert.query_row(written, |row| row.get(0));
        }
        match self.insert.execute(written)? {
            // A trigger of the database has prevented it.
            0 => Err(rusqlite::Error::QueryReturnedNoRows),
            _ => Ok(self.connection.last_insert_rowid()),
        }
    }

    /// Whether the reason for an insertion into a full database is that there is no id left. SQLite
    /// may have rolled back the transaction.
    fn no_id_is_left(&self) -> bool {
        self.has_assigned_last_id || self.table.last_id_is_taken(self.connection)
    }
}

fn execute(connection: &Connection, sql: &str, values: impl Params) -> rusqlite::Result<u64> {
    let changed = connection.prepare_cached(sql)?.execute(values)?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

fn where_clause(conditions: &Conditions<'_>) -> String {
    match conditions {
        [] => String::new(),
        _ => where_all_equal(conditions.iter().map(|(column, _)| *column)),
    }
}

fn where_all_equal(columns: impl Iterator<Item = &'static str>) -> String {
    format!(" WHERE {}", all_equal(columns))
}

/// A value as SQLite stores it.
fn raw_value(value: &Value<'_>) -> RawValue {
    match value {
        Value::Null => RawValue::Null,
        Value::Integer(integer) => RawValue::Integer(*integer),
        Value::Offset(offset) => RawValue::Integer(i64::try_from(*offset).unwrap_or(i64::MAX)),
        Value::Real(real) => RawValue::Real(*real),
        Value::Text(text) => RawValue::Text(text.clone().into_owned()),
    }
}
