//! Databases that keep for a while what there is no room for in memory.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::error::SqliteError;
use super::open::set_temp_dir;
use crate::error::Result;

/// Opens an empty database in one transaction that never ends. Its file has no name and goes with
/// it.
pub(super) fn temporary(temp_dir: Option<&Path>) -> Result<Connection> {
    let connection = Connection::open("").map_err(failed)?;
    if let Some(dir) = temp_dir {
        set_temp_dir(&connection, dir)?;
    }
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
        .map_err(failed)?;
    Ok(connection)
}

/// Hands every row of a query to `visit`.
pub(super) fn each_row(
    connection: &Connection,
    sql: &str,
    visit: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        visit(row)?;
    }
    Ok(())
}

/// The bytes in a column of a row.
pub(super) fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8]> {
    row.get_ref(column)
        .and_then(|value| Ok(value.as_blob()?))
        .map_err(failed)
}

pub(super) fn failed(source: rusqlite::Error) -> crate::Error {
    SqliteError::Temporary { source }.into()
}
