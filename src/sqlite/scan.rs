//! One table in key order: the order from SQLite's sorter, the values from the table by row id.
//!
//! No index is trusted: one that lacks an entry would lose a row, and one with a wrong entry would
//! change a record. Where the order is computed from an index, each key is computed again from the
//! row, and the rows are counted.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::{Connection, Rows, Statement};

use super::error::SqliteError;
use super::invalid_row::{InvalidRow, Reason, Visited, VisitedEntry, VisitedValue};
use super::layout::TableLayout;
use super::open::reading;
use super::row::{FieldFault, read_raw, read_record};
use super::text::TextEncoding;
use crate::codec::{MAX_ENTRY_BYTES, MAX_VALUE_BYTES, encode_json, record_key_into};
use crate::error::{Error, Result};
use crate::record::{Record, RecordKind};

pub(super) struct Scan<'c> {
    pub(super) connection: &'c Connection,
    pub(super) path: &'c Path,
    pub(super) kind: RecordKind,
    pub(super) layout: &'c TableLayout,
    pub(super) encoding: TextEncoding,
    /// Whether ids are the table's row ids and so can't be there twice.
    pub(super) ids_are_unique: bool,
}

impl Scan<'_> {
    /// Hands each row to `visit`, in ascending order of the keys' bytes; rows without a key come
    /// first. Returns the number of rows.
    pub(super) fn run(&self, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<u64> {
        if !self.ids_are_unique {
            self.collect_duplicate_ids().map_err(reading(self.path))?;
        }
        let order = format!(
            "SELECT {} AS record_key, t.{rowid} FROM {} ORDER BY record_key, t.{rowid}",
            self.layout.key_expression(),
            self.layout.order_clause(),
            rowid = self.layout.rowid,
        );
        let mut order = self
            .connection
            .prepare(&order)
            .map_err(reading(self.path))?;
        let mut rows = order.query([]).map_err(reading(self.path))?;
        let mut fetch = self.prepare_fetch().map_err(reading(self.path))?;

        let mut count = 0;
        let mut key = Vec::new();
        let mut next = self.next_position(&mut rows)?;
        let mut shared_with_previous = false;
        while let Some(position) = next {
            next = self.next_position(&mut rows)?;
            if next.as_ref().is_some_and(|n| *n == position) {
                return Err(self.contradiction(&position, "is there twice"));
            }
            let shared_with_next =
                position.key.is_some() && next.as_ref().is_some_and(|n| n.key == position.key);
            let shares_key = shared_with_previous || shared_with_next;
            self.visit_row(&mut fetch, &position, shares_key, &mut key, visit)?;
            shared_with_previous = shared_with_next;
            count += 1;
        }
        Ok(count)
    }

    fn next_position(&self, rows: &mut Rows<'_>) -> Result<Option<Position>> {
        let position = rows.next().and_then(|row| {
            row.map(|row| {
                Ok(Position {
                    key: row.get(0)?,
                    rowid: row.get(1)?,
                })
            })
            .transpose()
        });
        position.map_err(reading(self.path))
    }

    fn prepare_fetch(&self) -> rusqlite::Result<Fetch<'_>> {
        let by_rowid = format!(
            "SELECT {} FROM {} WHERE t.{} = ?1",
            self.layout.select_list(),
            self.layout.table_clause(),
            self.layout.rowid,
        );
        let shares_id = match self.layout.spec.id {
            Some(id) if !self.ids_are_unique => Some(self.connection.prepare(&format!(
                "SELECT 1 FROM main.{} AS t NOT INDEXED JOIN temp.duplicate_ids AS d ON d.id = t.{id}
                 WHERE t.{} = ?1",
                self.layout.spec.name, self.layout.rowid,
            ))?),
            _ => None,
        };
        let key = format!(
            "SELECT {} FROM {} WHERE t.{} = ?1",
            self.layout.key_expression(),
            self.layout.table_clause(),
            self.layout.rowid,
        );
        Ok(Fetch {
            by_rowid: self.connection.prepare(&by_rowid)?,
            key: self.connection.prepare(&key)?,
            shares_id,
        })
    }

    fn visit_row(
        &self,
        fetch: &mut Fetch<'_>,
        position: &Position,
        shares_key: bool,
        key: &mut Vec<u8>,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        let shares_id = match &mut fetch.shares_id {
            Some(statement) => statement
                .exists([position.rowid])
                .map_err(reading(self.path))?,
            None => false,
        };
        match self.read_row(fetch, position, shares_key, shares_id, key)? {
            Ok(value) => visit(Ok(VisitedEntry { key, value })),
            Err(invalid) => visit(Err(invalid)),
        }
    }

    /// Reads a row and computes its key, or tells why it has no entry. SQLite's copy of the row is
    /// free again when this returns, before anybody takes the entry.
    fn read_row(
        &self,
        fetch: &mut Fetch<'_>,
        position: &Position,
        shares_key: bool,
        shares_id: bool,
        key: &mut Vec<u8>,
    ) -> Result<Result<VisitedValue<'static>, Box<InvalidRow>>> {
        let mut rows = fetch
            .by_rowid
            .query([position.rowid])
            .map_err(reading(self.path))?;
        let row = rows.next().map_err(reading(self.path))?;
        let row =
            row.ok_or_else(|| self.contradiction(position, "can't be found by its row id"))?;

        let spec = self.layout.spec;
        let record = read_record(self.kind, row, self.encoding).map_err(reading(self.path))?;
        let fault = match record {
            Err(fault) => fault,
            Ok(_) if shares_key => fault(spec.key.first(), Reason::DuplicateKey),
            Ok(_) if shares_id => fault(spec.id.as_ref(), Reason::DuplicateId),
            Ok(record) => {
                key.clear();
                record_key_into(&record, key);
                if Some(&*key) != position.key.as_ref() {
                    return Err(self.contradiction(position, "has another key when read again"));
                }
                match self.value_of(record, key.len())? {
                    Some(value) => return Ok(Ok(value)),
                    None => fault(self.largest_column(), Reason::TooLarge),
                }
            }
        };
        let FieldFault { column, reason } = fault;
        let key = fetch.key.query_row([position.rowid], |row| row.get(0));
        let key: Option<Vec<u8>> = key.map_err(reading(self.path))?;
        if key != position.key {
            return Err(self.contradiction(position, "has another key when read again"));
        }
        Ok(Err(Box::new(InvalidRow {
            kind: self.kind,
            table: spec.name,
            rowid: position.rowid,
            column,
            reason,
            key: position.key.clone(),
            key_columns: spec.key,
            values: read_raw(self.kind, row, self.encoding).map_err(reading(self.path))?,
        })))
    }

    /// The value of a record; `None` if it is larger than a KV file can hold. A large one is written
    /// here, so that record and value are not there at the same time any longer than it takes.
    fn value_of(&self, record: Record, key_len: usize) -> Result<Option<VisitedValue<'static>>> {
        if record.text_len() <= SMALL_TEXT_BYTES {
            return Ok(Some(VisitedValue::Record(record)));
        }
        let value = encode_json(&record).map_err(|error| Error::Internal(error.to_string()))?;
        let fits = fits(key_len, value.len());
        Ok(fits.then_some(VisitedValue::Bytes(Cow::Owned(value))))
    }

    /// Keeps the ids that several rows have where they take no memory: in a temporary table.
    fn collect_duplicate_ids(&self) -> rusqlite::Result<()> {
        let Some(id) = self.layout.spec.id else {
            return Ok(());
        };
        self.connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.duplicate_ids;
             CREATE TEMP TABLE duplicate_ids(id INTEGER PRIMARY KEY);
             INSERT INTO temp.duplicate_ids
                 SELECT t.{id} FROM {} WHERE typeof(t.{id}) = 'integer'
                 GROUP BY t.{id} HAVING count(*) > 1;",
            self.layout.table_clause(),
        ))
    }

    /// The column that makes a record too large: where all text is free, the content is.
    fn largest_column(&self) -> Option<&&'static str> {
        match self.kind {
            RecordKind::Chunk => Some(&"content"),
            RecordKind::ExecutionLog => Some(&"args"),
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => Some(&"file_path"),
        }
    }

    fn contradiction(&self, position: &Position, what: &str) -> Error {
        SqliteError::Damaged {
            path: self.path.to_owned(),
            detail: format!("row {} of {} {what}", position.rowid, self.layout.spec.name),
        }
        .into()
    }
}

fn fault(column: Option<&&'static str>, reason: Reason) -> FieldFault {
    FieldFault {
        column: column.copied().unwrap_or_default(),
        reason,
    }
}

const fn fits(key: usize, value: usize) -> bool {
    value <= MAX_VALUE_BYTES && key <= MAX_VALUE_BYTES && key + value <= MAX_ENTRY_BYTES
}

/// Where a row stands in key order.
#[derive(PartialEq, Eq)]
struct Position {
    key: Option<Vec<u8>>,
    rowid: i64,
}

struct Fetch<'c> {
    by_rowid: Statement<'c>,
    /// The key of a row that is no record.
    key: Statement<'c>,
    shares_id: Option<Statement<'c>>,
}

/// A record with no more text is handed over as it is; its value can't be too large.
const SMALL_TEXT_BYTES: usize = 1 << 20;
