//! Reads rows by row id; values always come from the table, never from an index.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use crate::codec::{MAX_VALUE_BYTES, encode_values, fits, write_own_key};
use crate::error::{Error, Result};
use crate::record::RecordKind;
use crate::sqlite::open::connection::reading;
use crate::sqlite::read::invalid_field::{
    same_id_message, same_key_message, too_large_message, value_message,
};
use crate::sqlite::read::row::{read_raw, read_values};
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::stream::{InvalidReason, InvalidRow, Visited};

/// A row with more text is converted here, so that SQLite's copy of it can be freed before the
/// entry waits to be consumed.
const LARGE_ROW_BYTES: usize = 256 << 10;

// A smaller row always fits into an entry: an escape has at most six bytes.
const _: () = assert!(8 * LARGE_ROW_BYTES < MAX_VALUE_BYTES);

/// A table of an open database.
#[derive(Clone, Copy)]
pub(crate) struct OpenTable<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) path: &'c Path,
    pub(crate) kind: RecordKind,
    pub(crate) layout: &'c TableColumns,
    pub(crate) encoding: TextEncoding,
}

impl OpenTable<'_> {
    /// Checks that as many rows were read as were counted.
    pub(crate) fn check_count(&self, counted: u64, read: u64) -> Result<()> {
        if counted == read {
            return Ok(());
        }
        let table = self.layout.schema.table;
        Err(Error::CorruptDatabase {
            path: self.path.to_owned(),
            detail: format!("{table} has {counted} rows when counted, {read} when read"),
        })
    }

    /// The error for a row that shows that the table is corrupt.
    pub(crate) fn inconsistent_row(&self, rowid: i64, what: &str) -> Error {
        Error::CorruptDatabase {
            path: self.path.to_owned(),
            detail: format!("row {rowid} of {} {what}", self.layout.schema.table),
        }
    }
}

/// Reads rows of a table and builds entries from them.
pub(crate) struct RowReader<'c> {
    table: OpenTable<'c>,
    /// The key of the last row that was read.
    key: Vec<u8>,
    by_rowid: Statement<'c>,
    /// Computes the key of an invalid row.
    key_of_row: Statement<'c>,
    /// Selects the row's id and another row with that id, if it is in `temp.duplicate_ids`.
    shares_id: Option<Statement<'c>>,
}

impl<'c> RowReader<'c> {
    /// Prepares the statements. If ids may not be unique, `temp.duplicate_ids` must contain those
    /// of several rows.
    pub(crate) fn prepare(table: OpenTable<'c>, ids_are_unique: bool) -> Result<Self> {
        let OpenTable { connection, layout, .. } = table;
        let prepare = |sql: &str| connection.prepare(sql).map_err(reading(table.path));
        let (clause, rowid) = (layout.table_clause(), layout.rowid);
        let by_rowid =
            format!("SELECT {} FROM {clause} WHERE t.{rowid} = ?1", layout.select_list());
        let key = format!("SELECT {} FROM {clause} WHERE t.{rowid} = ?1", layout.key_expression());
        let shares_id = match layout.schema.id() {
            Some(id) if !ids_are_unique => Some(prepare(&format!(
                "SELECT d.id, iif(d.first_row = t.{rowid}, d.last_row, d.first_row)
                 FROM main.{} AS t NOT INDEXED JOIN temp.duplicate_ids AS d ON d.id = t.{id}
                 WHERE t.{rowid} = ?1",
                layout.schema.table,
            ))?),
            _ => None,
        };
        Ok(RowReader {
            table,
            key: Vec::new(),
            by_rowid: prepare(&by_rowid)?,
            key_of_row: prepare(&key)?,
            shares_id,
        })
    }

    /// Calls `visit` with a row and its key, or with the reason why the row is invalid; `same_key`
    /// are other rows known to have its key.
    pub(crate) fn read(
        &mut self,
        rowid: i64,
        same_key: &[i64],
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        let table = self.table;
        let failed = reading(table.path);
        let shares_id = match &mut self.shares_id {
            Some(statement) => statement
                .query_row([rowid], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
                .map_err(&failed)?,
            None => None,
        };
        let mut rows = self.by_rowid.query([rowid]).map_err(&failed)?;
        let row = rows.next().map_err(&failed)?;
        let row =
            row.ok_or_else(|| table.inconsistent_row(rowid, "cannot be found by its row id"))?;

        let schema = table.layout.schema;
        let values = read_values(schema, row, table.encoding).map_err(&failed)?;
        let (column, reason, message) = match (values, shares_id) {
            (Err(fault), _) => (fault.column, fault.reason, None),
            (Ok(_), _) if !same_key.is_empty() => {
                let message = same_key_message(same_key);
                let column = schema.first_of_key().name;
                (column, InvalidReason::DuplicateKey, Some(message))
            }
            (Ok(_), Some((id, other))) => {
                let column = schema.id().unwrap_or_default();
                let message = same_id_message(id, other);
                (column, InvalidReason::DuplicateId, Some(message))
            }
            (Ok(values), None) => {
                self.key.clear();
                write_own_key(&values, &mut self.key);
                let key = self.key.as_slice();
                if values.text_len() < LARGE_ROW_BYTES {
                    let values = &values;
                    return visit(Visited::Row { key, values });
                }
                let mut value = Vec::new();
                encode_values(&values, &mut value)?;
                if fits(key, &value) {
                    drop(values);
                    drop(rows);
                    let value = Cow::Owned(value);
                    return visit(Visited::Entry { key, value });
                }
                let column = schema.field(schema.largest).name;
                let message = too_large_message(column, value.len());
                (column, InvalidReason::TooLarge, Some(message))
            }
        };
        let key = self.key_of_row.query_row([rowid], |row| row.get(0));
        let values = read_raw(schema, row, table.encoding).map_err(&failed)?;
        let invalid = Box::new(InvalidRow {
            kind: table.kind,
            table: schema.table,
            rowid,
            column,
            reason,
            message: message
                .unwrap_or_else(|| value_message(schema, column, reason, &values, table.encoding)),
            key: key.map_err(&failed)?,
            values,
        });
        drop(rows);
        visit(Visited::Invalid(invalid))
    }
}
