//! Reads rows by row id; values always come from the table, never from an index.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use crate::codec::{MAX_ENTRY_BYTES, MAX_VALUE_BYTES, encode_json, record_key_into};
use crate::error::{Error, Result};
use crate::record::{Record, RecordKind};
use crate::sqlite::open::connection::reading;
use crate::sqlite::read::invalid_field::{
    same_id_message, same_key_message, too_large_message, value_message,
};
use crate::sqlite::read::row::{read_raw, read_record};
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::stream::{InvalidReason, InvalidRow, VisitedValue};

/// A record with at most this much text is passed on unencoded; its value can't be too large.
const SMALL_TEXT_BYTES: usize = 1 << 20;

/// A table of an open database.
#[derive(Clone, Copy)]
pub(in crate::sqlite) struct OpenTable<'c> {
    pub(in crate::sqlite) connection: &'c Connection,
    pub(in crate::sqlite) path: &'c Path,
    pub(in crate::sqlite) kind: RecordKind,
    pub(in crate::sqlite) layout: &'c TableColumns,
    pub(in crate::sqlite) encoding: TextEncoding,
}

impl OpenTable<'_> {
    /// Checks that as many rows were read as were counted.
    pub(in crate::sqlite) fn check_count(&self, counted: u64, read: u64) -> Result<()> {
        if counted == read {
            return Ok(());
        }
        let table = self.layout.spec.name;
        Err(Error::CorruptDatabase {
            path: self.path.to_owned(),
            detail: format!("{table} has {counted} rows when counted, {read} when read"),
        })
    }

    /// The error for a row that shows that the table is corrupt.
    pub(in crate::sqlite) fn inconsistent_row(&self, rowid: i64, what: &str) -> Error {
        Error::CorruptDatabase {
            path: self.path.to_owned(),
            detail: format!("row {rowid} of {} {what}", self.layout.spec.name),
        }
    }
}

/// Reads rows of a table and builds entries from them.
pub(in crate::sqlite) struct Fetch<'c> {
    table: OpenTable<'c>,
    by_rowid: Statement<'c>,
    /// Computes the key of an invalid row.
    key: Statement<'c>,
    /// Selects the row's id and another row with that id, if it is in `temp.duplicate_ids`.
    shares_id: Option<Statement<'c>>,
}

impl<'c> Fetch<'c> {
    /// Prepares the statements. If ids may not be unique, `temp.duplicate_ids` must contain those
    /// of several rows.
    pub(in crate::sqlite) fn prepare(table: OpenTable<'c>, ids_are_unique: bool) -> Result<Self> {
        let OpenTable {
            connection, layout, ..
        } = table;
        let prepare = |sql: &str| connection.prepare(sql).map_err(reading(table.path));
        let (clause, rowid) = (layout.table_clause(), layout.rowid);
        let by_rowid = format!(
            "SELECT {} FROM {clause} WHERE t.{rowid} = ?1",
            layout.select_list()
        );
        let key = format!(
            "SELECT {} FROM {clause} WHERE t.{rowid} = ?1",
            layout.key_expression()
        );
        let shares_id = match layout.spec.id {
            Some(id) if !ids_are_unique => Some(prepare(&format!(
                "SELECT d.id, iif(d.first_row = t.{rowid}, d.last_row, d.first_row)
                 FROM main.{} AS t NOT INDEXED JOIN temp.duplicate_ids AS d ON d.id = t.{id}
                 WHERE t.{rowid} = ?1",
                layout.spec.name,
            ))?),
            _ => None,
        };
        Ok(Fetch {
            table,
            by_rowid: prepare(&by_rowid)?,
            key: prepare(&key)?,
            shares_id,
        })
    }

    /// Reads a row and computes its key, or says why the row is invalid; `same_key` are other rows
    /// known to have its key. SQLite's copy of the row is freed before this returns.
    pub(in crate::sqlite) fn read(
        &mut self,
        rowid: i64,
        same_key: &[i64],
        key: &mut Vec<u8>,
    ) -> Result<Result<VisitedValue<'static>, Box<InvalidRow>>> {
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

        let spec = table.layout.spec;
        let record = read_record(table.kind, row, table.encoding).map_err(&failed)?;
        let first = |columns: &[&'static str]| columns.first().copied().unwrap_or_default();
        let (column, reason, message) = match (record, shares_id) {
            (Err(fault), _) => (fault.column, fault.reason, None),
            (Ok(_), _) if !same_key.is_empty() => {
                let message = same_key_message(same_key);
                (first(spec.key), InvalidReason::DuplicateKey, Some(message))
            }
            (Ok(_), Some((id, other))) => {
                let column = spec.id.unwrap_or_default();
                let message = same_id_message(id, other);
                (column, InvalidReason::DuplicateId, Some(message))
            }
            (Ok(record), None) => {
                key.clear();
                record_key_into(&record, key);
                match value_of(record, key.len())? {
                    Ok(value) => return Ok(Ok(value)),
                    Err(bytes) => {
                        let message = too_large_message(spec.largest, bytes);
                        (spec.largest, InvalidReason::TooLarge, Some(message))
                    }
                }
            }
        };
        let key = self.key.query_row([rowid], |row| row.get(0));
        let values = read_raw(table.kind, row, table.encoding).map_err(&failed)?;
        Ok(Err(Box::new(InvalidRow {
            kind: table.kind,
            table: spec.name,
            rowid,
            column,
            reason,
            message: message
                .unwrap_or_else(|| value_message(spec, column, reason, &values, table.encoding)),
            key: key.map_err(&failed)?,
            key_columns: spec.key,
            values,
        })))
    }
}

/// The value of a record, or its length if it is too large for a KV file. A large value is encoded
/// here, so that record and value are in memory together only during the encoding.
fn value_of(record: Record, key_len: usize) -> Result<Result<VisitedValue<'static>, usize>> {
    if record.text_len() <= SMALL_TEXT_BYTES {
        return Ok(Ok(VisitedValue::Record(record)));
    }
    let value = encode_json(&record)?;
    Ok(match fits(key_len, value.len()) {
        true => Ok(VisitedValue::Bytes(Cow::Owned(value))),
        false => Err(value.len()),
    })
}

const fn fits(key: usize, value: usize) -> bool {
    value <= MAX_VALUE_BYTES && key <= MAX_VALUE_BYTES && key + value <= MAX_ENTRY_BYTES
}
