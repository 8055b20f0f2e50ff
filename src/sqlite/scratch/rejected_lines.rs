//! Collects invalid lines of an import in a temporary SQLite database, to save memory.

use std::path::Path;

use rusqlite::Connection;

use crate::error::Result;
use crate::sqlite::scratch::entries::Unique;
use crate::sqlite::scratch::{blob, each_row, execute, failed, temporary};

/// An invalid line.
#[derive(Debug)]
pub(crate) struct ScratchLine<'s> {
    pub(crate) line: u64,
    pub(crate) text: &'s [u8],
    /// Whether the text is truncated to the start of the line.
    pub(crate) is_cut: bool,
    /// For a duplicate: the property it shares with another line, and that line's number.
    pub(crate) shared: Option<(Unique, u64)>,
}

/// A collection of invalid lines.
#[derive(Debug)]
pub(crate) struct ScratchLines {
    connection: Connection,
}

impl ScratchLines {
    /// Creates an empty collection. Its file has no name and is deleted when dropped.
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

    /// Adds a line.
    pub(crate) fn add(&mut self, line: ScratchLine<'_>) -> Result<()> {
        let other = |by| {
            let shared = line.shared.filter(|(unique, _)| *unique == by);
            shared.map(|(_, line)| line)
        };
        let (same_key, same_id) = (other(Unique::Key), other(Unique::Id));
        let row = (line.line, line.text, line.is_cut, same_key, same_id);
        let sql = "INSERT INTO lines VALUES (?1, ?2, ?3, ?4, ?5)";
        execute(&self.connection, sql, row).map(drop)
    }

    /// Calls `visit` for every line, in order.
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
