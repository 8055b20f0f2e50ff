//! Lines of text that are no records, kept where they take no memory: in a temporary database of
//! SQLite's.

use std::path::Path;

use rusqlite::Connection;

use super::temporary::{blob, each_row, failed, temporary};
use crate::error::Result;

/// A line that is no record.
#[derive(Debug)]
pub(crate) struct SpooledLine<'s> {
    pub(crate) line: u64,
    /// A word for what is wrong with it, of whoever took it in.
    pub(crate) why: i64,
    /// Another line that is to blame, if one is.
    pub(crate) other: Option<u64>,
    pub(crate) text: &'s [u8],
}

/// Lines that are no records.
#[derive(Debug)]
pub(crate) struct LineSpool {
    connection: Connection,
}

impl LineSpool {
    /// Creates an empty spool. Its file has no name and goes with it.
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        connection
            .execute_batch(
                "CREATE TABLE lines (line INTEGER PRIMARY KEY, why INTEGER, other INTEGER, text BLOB)",
            )
            .map_err(failed)?;
        Ok(LineSpool { connection })
    }

    /// Takes a line in.
    pub(crate) fn add(&mut self, line: SpooledLine<'_>) -> Result<()> {
        let SpooledLine {
            line,
            why,
            other,
            text,
        } = line;
        self.connection
            .prepare_cached("INSERT INTO lines VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| statement.execute((line, why, other, text)))
            .map_err(failed)?;
        Ok(())
    }

    /// Hands every line to `visit`, in their order.
    ///
    /// # Errors
    /// The spool can't be read to its end, or `visit` failed.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(SpooledLine<'_>) -> Result<()>) -> Result<()> {
        let sql = "SELECT line, why, other, text FROM lines ORDER BY line";
        each_row(&self.connection, sql, &mut |row| {
            visit(SpooledLine {
                line: row.get(0).map_err(failed)?,
                why: row.get(1).map_err(failed)?,
                other: row.get(2).map_err(failed)?,
                text: blob(row, 3)?,
            })
        })
    }
}
