//! Scans a table before it is read: its size, and whether it has unknown columns with values.

use std::path::Path;

use rusqlite::{Connection, Row};

use crate::error::{Error, Result};
use crate::record::PerKind;
use crate::sqlite::open::connection::reading;
use crate::sqlite::read::options::SourceOptions;
use crate::sqlite::read::other_tables;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::schema::quoted;

/// Statistics of a table, before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableStats {
    /// Number of rows.
    pub rows: u64,
    /// Bytes of all text in records; estimated for a large table.
    pub text_bytes: u64,
    /// Bytes of the text in keys; estimated for a large table.
    pub key_bytes: u64,
    /// Whether ids are the row ids and therefore unique.
    pub(crate) ids_are_unique: bool,
}

/// Size of field names and numbers in a record, in bytes.
const RECORD_FRAME_BYTES: u64 = 100;
/// Overhead of a row in SQLite's sorter in addition to its key, in bytes.
const SORTER_ROW_BYTES: u64 = 24;
/// Number of sampled rows for estimating the size. A smaller table is measured completely.
const MEASURED_ROWS: u64 = 4096;
/// Amount that SQLite sorts in memory before it writes to a temporary file, in bytes.
const SORTED_IN_MEMORY: u64 = 2 << 20;

impl TableStats {
    /// Approximate size of the table's keys and values in bytes.
    pub(crate) fn expected_bytes(&self) -> u64 {
        self.text_bytes + self.key_bytes + self.rows * RECORD_FRAME_BYTES
    }

    /// Minimum size in bytes of the temporary files for sorting the keys.
    pub(crate) fn sorting_bytes(&self) -> u64 {
        match self.key_bytes + self.rows * SORTER_ROW_BYTES {
            0..=SORTED_IN_MEMORY => 0,
            bytes => bytes,
        }
    }
}

/// Counts the rows of a table and samples some of them; reads all rows only for checks that need
/// them.
pub(crate) fn survey(
    connection: &Connection,
    path: &Path,
    layout: &TableColumns,
    options: &SourceOptions,
) -> Result<TableStats> {
    check_unknown_columns(connection, path, layout, options)?;
    let table = layout.schema.table;
    let rows = layout.count_rows(connection).map_err(reading(path))?;
    let by_index = other_tables::count_rows(connection, table).map_err(reading(path))?;
    if by_index != rows {
        return Err(Error::CorruptDatabase {
            path: path.to_owned(),
            detail: format!("{table} has {rows} rows, but one of its indexes has {by_index}"),
        });
    }
    let (text_bytes, key_bytes) = sizes(connection, layout, rows).map_err(reading(path))?;
    Ok(TableStats {
        rows,
        text_bytes,
        key_bytes,
        ids_are_unique: ids_are_row_ids(connection, layout).map_err(reading(path))?,
    })
}

/// Checks that columns without a record field are empty, unless they may be ignored.
fn check_unknown_columns(
    connection: &Connection,
    path: &Path,
    layout: &TableColumns,
    options: &SourceOptions,
) -> Result<()> {
    let table = layout.schema.table;
    let left_out = |column: &&String| {
        let columns = &options.without_columns;
        options.ignore_unknown_columns || columns.iter().any(|w| names(w, table, column))
    };
    let unknown: Vec<&String> = layout.unknown.iter().filter(|c| !left_out(c)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let counts = unknown.iter().map(|column| format!("count(t.{})", quoted(column)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {counts} FROM {}", layout.table_clause());
    let counts = connection
        .query_row(&sql, [], |row| {
            let counts = (0..unknown.len()).map(|index| row.get(index));
            counts.collect::<Result<Vec<u64>, _>>()
        })
        .map_err(reading(path))?;
    let with_values = unknown.iter().zip(counts).filter(|(_, rows)| *rows > 0);
    let columns: Vec<String> = with_values.map(|(column, _)| (*column).clone()).collect();
    match columns.is_empty() {
        true => Ok(()),
        false => Err(Error::UnknownColumns { path: path.to_owned(), table, columns }),
    }
}

/// Whether ids are the row ids, by the schema or in every row.
fn ids_are_row_ids(connection: &Connection, layout: &TableColumns) -> rusqlite::Result<bool> {
    let Some(id) = layout.schema.id().filter(|_| !layout.id_is_rowid) else {
        return Ok(true);
    };
    let sql = format!(
        "SELECT NOT EXISTS (SELECT 1 FROM {} WHERE t.{id} IS NOT t.{})",
        layout.table_clause(),
        layout.rowid,
    );
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Bytes of all text and of the text in keys: exact for a small table, extrapolated from some
/// thousand rows across the table for a large one.
fn sizes(
    connection: &Connection,
    layout: &TableColumns,
    rows: u64,
) -> rusqlite::Result<(u64, u64)> {
    let (text, key) = layout.size_expressions();
    let (table, rowid) = (layout.table_clause(), layout.rowid);
    if rows <= MEASURED_ROWS {
        let sql = format!("SELECT total({text}), total({key}) FROM {table}");
        let total = |row: &Row<'_>, index| row.get::<_, f64>(index).map(|bytes| bytes as u64);
        return connection.query_row(&sql, [], |row| Ok((total(row, 0)?, total(row, 1)?)));
    }
    // Two queries: SQLite optimizes min and max only when they are queried individually.
    let end = |which| {
        let sql = format!("SELECT ifnull({which}(t.{rowid}), 0) FROM {table}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
    };
    let (first, last) = (end("min")?, end("max")?);
    let step = first.abs_diff(last) / MEASURED_ROWS;
    let sql = format!(
        "SELECT {text}, {key} FROM {table} WHERE t.{rowid} >= ?1 ORDER BY t.{rowid} LIMIT 1"
    );
    let mut statement = connection.prepare(&sql)?;
    let (mut text_bytes, mut key_bytes) = (0, 0);
    for index in 0..MEASURED_ROWS {
        let place = first.saturating_add_unsigned(index * step);
        let (text, key): (u64, u64) =
            statement.query_row([place], |row| Ok((row.get(0)?, row.get(1)?)))?;
        text_bytes += text;
        key_bytes += key;
    }
    let of_all = |bytes: u64| (bytes as f64 / MEASURED_ROWS as f64 * rows as f64) as u64;
    Ok((of_all(text_bytes), of_all(key_bytes)))
}

pub(crate) fn check_without_columns(
    path: &Path,
    tables: &PerKind<Option<TableColumns>>,
    options: &SourceOptions,
) -> Result<()> {
    for wanted in &options.without_columns {
        let is_known = layouts(tables).any(|layout| {
            let mut columns = layout.schema.fields.iter();
            columns.any(|column| names(wanted, layout.schema.table, column.name))
        });
        let why = match (is_known, has_unknown_column(tables, wanted)) {
            (true, _) => "it is part of the record",
            (_, true) => continue,
            _ if options.allow_no_columns => continue,
            _ => "the tables to copy have no such column",
        };
        return Err(Error::CannotIgnoreColumn {
            path: path.to_owned(),
            column: wanted.clone(),
            why,
        });
    }
    Ok(())
}

/// Whether a table has the column `TABLE.COLUMN` and no record field corresponds to it.
pub(crate) fn has_unknown_column(tables: &PerKind<Option<TableColumns>>, wanted: &str) -> bool {
    layouts(tables).any(|layout| {
        let mut columns = layout.unknown.iter();
        columns.any(|column| names(wanted, layout.schema.table, column))
    })
}

fn layouts(tables: &PerKind<Option<TableColumns>>) -> impl Iterator<Item = &TableColumns> {
    tables.iter().filter_map(|(_, layout)| layout.as_ref())
}

/// Whether `wanted`, as `TABLE.COLUMN`, names the column.
fn names(wanted: &str, table: &str, column: &str) -> bool {
    wanted
        .split_once('.')
        .is_some_and(|(t, c)| t.eq_ignore_ascii_case(table) && c.eq_ignore_ascii_case(column))
}
