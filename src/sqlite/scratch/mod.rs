//! Temporary databases for data that may not fit into memory.

pub(crate) mod entries;
pub(crate) mod rejected_lines;
pub(crate) mod rows;
pub(crate) mod sets;

use std::path::Path;

use rusqlite::{Connection, Params, Row};

use crate::error::{Error, Result};
use crate::sqlite::open::connection::set_temp_dir;

/// Opens an empty temporary database in a transaction that is never committed. Its file has no name
/// and is deleted when closed.
pub(crate) fn temporary(temp_dir: Option<&Path>) -> Result<Connection> {
    let connection = Connection::open("").map_err(failed)?;
    if let Some(dir) = temp_dir {
        set_temp_dir(&connection, dir)?;
    }
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
        .map_err(failed)?;
    Ok(connection)
}

/// Runs a statement, and keeps it prepared; returns the number of rows that it changed.
pub(crate) fn execute(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<usize> {
    let statement = connection.prepare_cached(sql);
    statement.and_then(|mut statement| statement.execute(parameters)).map_err(failed)
}

/// Calls `visit` for every row of a query.
pub(crate) fn each_row(
    connection: &Connection,
    sql: &str,
    visit: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    each_row_of(connection, sql, [], visit)
}

/// As [`each_row`], with parameters.
pub(crate) fn each_row_of(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    visit: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        visit(row)?;
    }
    Ok(())
}

/// The bytes of a column in a row.
pub(crate) fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8]> {
    row.get_ref(column).and_then(|value| Ok(value.as_blob()?)).map_err(failed)
}

pub(crate) fn failed(source: rusqlite::Error) -> crate::Error {
    Error::TempDatabase { source }
}
