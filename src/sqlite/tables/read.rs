//! Reads the rows of a table of any shape in key order.
//!
//! Rows that are keyed by their rowid are scanned. Of all others SQLite sorts the keys, and the
//! values are read by rowid; of a table without rowid, it sorts the rows. Indexes are not used: a
//! corrupt one could hide a row.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqliteRow, Statement};

use super::describe::TableAccess;
use crate::codec::fits;
use crate::error::{Error, Result};
use crate::sqlite::open::connection::reading;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::schema::quoted;
use crate::stream::Visited;
use crate::table::{Cell, Row, TableSchema, key_prefix, shown_key, write_key, write_row};

/// A result has at most 2,000 columns, and text of UTF-16 needs two.
pub(crate) const MAX_COLUMNS: usize = 900;
/// A larger value is moved to the consumer instead of copied.
const LARGE_VALUE_BYTES: usize = 256 << 10;
/// The SQL function that computes the key of a row.
const KEY_FUNCTION: &str = "carried_key";

/// A table whose rows are read.
#[derive(Clone, Copy)]
pub(crate) struct TableScan<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) path: &'c Path,
    pub(crate) encoding: TextEncoding,
    pub(crate) table: &'c TableSchema,
    pub(crate) access: &'c TableAccess,
}

/// Registers the function that computes keys. Its arguments are the rowid and the key columns, in a
/// UTF-16 database each followed by its stored bytes if it is text.
pub(crate) fn register(connection: &Connection, encoding: TextEncoding) -> rusqlite::Result<()> {
    connection.create_scalar_function(
        KEY_FUNCTION,
        -1,
        FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_DIRECTONLY,
        move |context| Ok(key_of(context, encoding)),
    )
}

fn key_of(context: &Context<'_>, encoding: TextEncoding) -> Vec<u8> {
    let rowid = match context.get_raw(0) {
        ValueRef::Integer(rowid) => Some(rowid),
        _ => None,
    };
    let step = if encoding.is_utf16() { 2 } else { 1 };
    let values = (1..context.len()).step_by(step);
    let cells: Vec<Cell<'_>> = values
        .map(|index| match context.get_raw(index) {
            ValueRef::Text(_) if step == 2 => cell(as_text(context.get_raw(index + 1)), encoding),
            stored => cell(stored, encoding),
        })
        .collect();
    let mut key = Vec::new();
    write_key(&cells.iter().collect::<Vec<_>>(), rowid, &mut key);
    key
}

/// The bytes of a text that was selected as a blob.
const fn as_text(stored: ValueRef<'_>) -> ValueRef<'_> {
    match stored {
        ValueRef::Blob(bytes) => ValueRef::Text(bytes),
        other => other,
    }
}

fn cell(stored: ValueRef<'_>, encoding: TextEncoding) -> Cell<'_> {
    match stored {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(integer) => Cell::Integer(integer),
        ValueRef::Real(real) => Cell::Real(real),
        ValueRef::Blob(bytes) => Cell::Blob(Cow::Borrowed(bytes)),
        ValueRef::Text(bytes) => match encoding.decode(bytes) {
            Some(text) => Cell::Text(text),
            None => Cell::IllFormedText(Cow::Borrowed(bytes)),
        },
    }
}

impl TableScan<'_> {
    /// Calls `visit` for each row, in ascending order of the keys' bytes. Returns the number of rows.
    ///
    /// # Errors
    /// The table can't be read to its end, two rows have the same key, a row is too large for a KV
    /// file, or the error of `visit`.
    pub(crate) fn run(&self, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<u64> {
        self.scan(true, visit)
    }

    /// As [`run`](TableScan::run), in the order of the table, which needs no sorting. Two rows may have
    /// the same key.
    #[cfg(feature = "native-v2")]
    pub(crate) fn run_unordered(
        &self,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        self.scan(false, visit).map(drop)
    }

    fn scan(&self, by_key: bool, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<u64> {
        let failed = reading(self.path);
        let is_wide = self.table.columns.len() > MAX_COLUMNS;
        // A scan has each row at hand; so has a sort of rows that can't be found again.
        let is_inline = match self.access.rowid {
            Some(_) => (self.access.is_keyed_by_rowid || !by_key) && !is_wide,
            None => true,
        };
        let groups: Vec<&[String]> = self.table.columns.chunks(MAX_COLUMNS).collect();
        let order = self.order_sql(by_key, is_inline);
        let mut order = self.connection.prepare(&order).map_err(&failed)?;
        let mut fetches = Vec::new();
        if let (Some(rowid), false) = (&self.access.rowid, is_inline) {
            for group in &groups {
                let columns = self.select_list(group);
                let from = self.from();
                let sql = format!("SELECT {columns} FROM {from} WHERE t.{rowid} = ?1");
                fetches.push(self.connection.prepare(&sql).map_err(&failed)?);
            }
        }
        let mut writer = EntryWriter::new(*self, by_key);
        let mut rows = order.query([]).map_err(&failed)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(&failed)? {
            let rowid: Option<i64> = row.get(0).map_err(&failed)?;
            match is_inline {
                true => {
                    let cells = self.cells(row, 1, self.table.columns.len());
                    writer.write(rowid, cells.map_err(&failed)?)?;
                }
                false => self.fetch(&mut fetches, &groups, rowid, &mut writer)?,
            }
            writer.visit(visit)?;
            count += 1;
        }
        Ok(count)
    }

    /// SQL for the rowids, in key order or in that of the table, followed by the columns if they are
    /// `inline`.
    fn order_sql(&self, by_key: bool, is_inline: bool) -> String {
        let from = self.from();
        let rowid = self.access.rowid.as_ref();
        let rowid_expression = rowid.map_or_else(|| "NULL".to_owned(), |name| format!("t.{name}"));
        let columns = match is_inline {
            true if self.table.columns.is_empty() => String::new(),
            true => format!(", {}", self.select_list(&self.table.columns)),
            false => String::new(),
        };
        let order = match (by_key, self.access.is_keyed_by_rowid) {
            (false, _) => String::new(),
            (true, true) => format!(" ORDER BY {rowid_expression}"),
            (true, false) => format!(" ORDER BY {}", self.key_expression(&rowid_expression)),
        };
        format!("SELECT {rowid_expression}{columns} FROM {from}{order}")
    }

    fn from(&self) -> String {
        format!("main.{} AS t NOT INDEXED", quoted(&self.table.name))
    }

    fn key_expression(&self, rowid: &str) -> String {
        let columns = self.table.key.iter().filter_map(|place| self.table.columns.get(*place));
        let mut arguments = vec![rowid.to_owned()];
        for column in columns {
            arguments.push(format!("t.{}", quoted(column)));
            if self.encoding.is_utf16() {
                arguments.push(stored_text(column));
            }
        }
        format!("{KEY_FUNCTION}({})", arguments.join(", "))
    }

    /// SQL for columns. In a UTF-16 database the same number of columns follows, with the stored
    /// bytes of texts.
    fn select_list(&self, columns: &[String]) -> String {
        let values = columns.iter().map(|column| format!("t.{}", quoted(column)));
        let bytes = columns.iter().filter(|_| self.encoding.is_utf16());
        values.chain(bytes.map(|column| stored_text(column))).collect::<Vec<_>>().join(", ")
    }

    /// The values of columns that were selected with [`TableScan::select_list`].
    fn cells<'r>(
        &self,
        row: &'r SqliteRow<'_>,
        first: usize,
        columns: usize,
    ) -> rusqlite::Result<Vec<Cell<'r>>> {
        let mut cells = Vec::with_capacity(columns);
        for index in first..first + columns {
            let stored = row.get_ref(index)?;
            let stored = match stored {
                ValueRef::Text(_) if self.encoding.is_utf16() => {
                    as_text(row.get_ref(index + columns)?)
                }
                stored => stored,
            };
            cells.push(cell(stored, self.encoding));
        }
        Ok(cells)
    }

    /// Writes the entry of the row with this rowid.
    fn fetch(
        &self,
        fetches: &mut [Statement<'_>],
        groups: &[&[String]],
        rowid: Option<i64>,
        writer: &mut EntryWriter<'_>,
    ) -> Result<()> {
        let failed = reading(self.path);
        let mut found = Vec::with_capacity(fetches.len());
        for fetch in fetches {
            found.push(fetch.query([rowid]).map_err(&failed)?);
        }
        let mut cells = Vec::with_capacity(self.table.columns.len());
        for (rows, group) in found.iter_mut().zip(groups) {
            let row = rows.next().map_err(&failed)?;
            let row = row.ok_or_else(|| self.corrupt("a row cannot be found by its row id"))?;
            cells.append(&mut self.cells(row, 0, group.len()).map_err(&failed)?);
        }
        writer.write(rowid, cells)
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::CorruptDatabase {
            path: self.path.to_owned(),
            detail: format!("{}: {what}", self.table.name),
        }
    }
}

/// The stored bytes of a column if it is text.
fn stored_text(column: &str) -> String {
    let column = quoted(column);
    format!("CASE typeof(t.{column}) WHEN 'text' THEN CAST(t.{column} AS BLOB) END")
}

/// Builds the entry of one row after another.
struct EntryWriter<'c> {
    scan: TableScan<'c>,
    /// Whether the rows come in the order of their keys.
    by_key: bool,
    prefix: Vec<u8>,
    key: Vec<u8>,
    last_key: Vec<u8>,
    value: Vec<u8>,
}

impl<'c> EntryWriter<'c> {
    fn new(scan: TableScan<'c>, by_key: bool) -> Self {
        let prefix = key_prefix(&scan.table.name);
        EntryWriter {
            scan,
            by_key,
            prefix,
            key: Vec::new(),
            last_key: Vec::new(),
            value: Vec::new(),
        }
    }

    fn write(&mut self, rowid: Option<i64>, cells: Vec<Cell<'_>>) -> Result<()> {
        let table = self.scan.table;
        std::mem::swap(&mut self.key, &mut self.last_key);
        self.key.clear();
        self.key.extend_from_slice(&self.prefix);
        let of_key: Vec<&Cell<'_>> = table.key.iter().filter_map(|at| cells.get(*at)).collect();
        write_key(&of_key, rowid, &mut self.key);
        self.value.clear();
        write_row(&Row { rowid: rowid.filter(|_| table.rowid), cells }, &mut self.value);
        if self.by_key && self.key <= self.last_key {
            let what = match self.key == self.last_key {
                true => "two rows have the same key",
                false => "the rows are out of order",
            };
            let key = shown_key(table, &self.key).unwrap_or_default();
            return Err(self.scan.corrupt(&format!("{what}, {key}")));
        }
        match fits(&self.key, &self.value) {
            true => Ok(()),
            false => Err(Error::RowTooLarge {
                path: self.scan.path.to_owned(),
                key: shown_key(table, &self.key).unwrap_or_default(),
            }),
        }
    }

    fn visit(&mut self, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> {
        let value = match self.value.len() < LARGE_VALUE_BYTES {
            true => Cow::Borrowed(self.value.as_slice()),
            false => Cow::Owned(std::mem::take(&mut self.value)),
        };
        visit(Visited::Entry { key: &self.key, value })
    }
}
