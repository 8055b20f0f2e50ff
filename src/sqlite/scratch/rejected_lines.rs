//! Lines of text that are no records, kept where they take no memory: in a temporary database of
//! SQLite's.

use std::path::Path;

use rusqlite::Connection;

use crate::error::Result;
use crate::sqlite::scratch::entries::Unique;
use crate::sqlite::scratch::{blob, each_row, failed, temporary};

/// A line that is no record.
#[derive(Debug)]
pub(crate) struct ScratchLine<'s> {
    pub(crate) line: u64,
    pub(crate) text: &'s [u8],
    /// Whether the text is only the start of the line.
    pub(crate) is_cut: bool,
    /// What it shares with another line, and the number of that line, where that is what is wrong.
    pub(crate) shared: Option<(Unique, u64)>,
}

/// Lines that are no records.
#[derive(Debug)]
pub(crate) struct ScratchLines {
    connection: Connection,
}

impl ScratchLines {
    /// Creates an empty spool. Its file has no name and goes with it.
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        connection
            .execute_batch(
                "CREATE TABLE lines (line INTEGER PRIMARY KEY, text BLOB, is_cut INTEGER,
                                     same_key INTEGER, same_id INTEGER)",
            )
            .map_err(failed)?;
        Ok(ScratchLines { connection })
    }

    /// Takes a line in.
    pub(crate) fn add(&mut self, line: ScratchLine<'_>) -> Result<()> {
        let ScratchLine {
            line,
            text,
            is_cut,
            shared,
        } = line;
        let other = |by| {
            shared
                .filter(|(unique, _)| *unique == by)
                .map(|(_, line)| line)
        };
        let (same_key, same_id) = (other(Unique::Key), other(Unique::Id));
        self.connection
            .prepare_cached("INSERT INTO lines VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut statement| statement.execute((line, text, is_cut, same_key, same_id)))
            .map_err(failed)?;
        Ok(())
    }

    /// Hands every line to `visit`, in their order.
    ///
    /// # Errors
    /// The spool can't be read to its end, or `visit` failed.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(ScratchLine<'_>) -> Result<()>) -> Result<()> {
        let sql = "SELECT line, text, is_cut, same_key, same_id FROM lines ORDER BY line";
        each_row(&self.connection, sql, &mut |row| {
            let same_key: Option<u64> = row.get(3).map_err(failed)?;
            let same_id: Option<u64> = row.get(4).map_err(failed)?;
            let same_key = same_key.map(|line| (Unique::Key, line));
            visit(ScratchLine {
                line: row.get(0).map_err(failed)?,
                text: blob(row, 1)?,
                is_cut: row.get(2).map_err(failed)?,
                shared: same_key.or(same_id.map(|line| (Unique::Id, line))),
            })
        })
    }
}
