//! Entries that come in any order, kept where they take no memory: in a temporary database of
//! SQLite's, which brings them into the order of their keys.

use std::path::Path;

use rusqlite::Connection;

use super::schema::table_name;
use super::temporary::{blob, each_row, failed, temporary};
use crate::codec::Entry;
use crate::error::Result;
use crate::record::{PerKind, RecordKind};

/// Entries of all kinds, each with the number of the line that it came from.
#[derive(Debug)]
pub(crate) struct EntrySpool {
    connection: Connection,
    kinds: PerKind<Spooled>,
    inserts: PerKind<String>,
}

/// What is known of the entries of a kind.
#[derive(Debug, Default)]
struct Spooled {
    entries: u64,
    last_key: Vec<u8>,
    /// Whether a key came that is not behind the one before it.
    is_unsorted: bool,
}

/// An entry whose key another one has too.
#[derive(Debug)]
pub(crate) struct SharedKey<'s> {
    pub(crate) line: u64,
    /// The first other line with this key.
    pub(crate) other: u64,
    pub(crate) entry: Entry<'s>,
}

impl EntrySpool {
    /// Creates an empty spool. Its file has no name and goes with it.
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        for kind in RecordKind::ALL {
            let table = table_name(kind);
            let columns = "line INTEGER PRIMARY KEY, record_key BLOB, value BLOB";
            let sql = format!("CREATE TABLE {table} ({columns})");
            connection.execute_batch(&sql).map_err(failed)?;
        }
        Ok(EntrySpool {
            connection,
            kinds: PerKind::default(),
            inserts: PerKind::from_fn(|kind| {
                format!("INSERT INTO {} VALUES (?1, ?2, ?3)", table_name(kind))
            }),
        })
    }

    /// Takes an entry in. Line numbers rise.
    pub(crate) fn add(&mut self, kind: RecordKind, line: u64, entry: Entry<'_>) -> Result<()> {
        let spooled = self.kinds.get_mut(kind);
        spooled.is_unsorted |= spooled.entries > 0 && entry.key <= spooled.last_key.as_slice();
        spooled.entries += 1;
        spooled.last_key.clear();
        spooled.last_key.extend_from_slice(entry.key);
        self.connection
            .prepare_cached(self.inserts.get(kind))
            .and_then(|mut statement| statement.execute((line, entry.key, entry.value)))
            .map_err(failed)?;
        Ok(())
    }

    /// Ends the intake. Entries that share their key are handed to `visit` and taken out: no store
    /// could hold them, and none of them is the right one.
    pub(crate) fn settle(
        &mut self,
        visit: &mut dyn FnMut(RecordKind, SharedKey<'_>) -> Result<()>,
    ) -> Result<()> {
        for kind in RecordKind::ALL {
            if self.kinds.get(kind).is_unsorted {
                let sql = format!(
                    "CREATE INDEX {0}_keys ON {0} (record_key, line)",
                    table_name(kind)
                );
                self.connection.execute_batch(&sql).map_err(failed)?;
                self.take_shared_out(kind, visit)?;
            }
        }
        Ok(())
    }

    fn take_shared_out(
        &mut self,
        kind: RecordKind,
        visit: &mut dyn FnMut(RecordKind, SharedKey<'_>) -> Result<()>,
    ) -> Result<()> {
        let table = table_name(kind);
        let shared = format!(
            "(SELECT record_key AS shared_key, min(line) AS first_line, max(line) AS last_line
              FROM {table} GROUP BY record_key HAVING count(*) > 1)
             CROSS JOIN {table} ON record_key = shared_key"
        );
        let sql = format!(
            "SELECT line, iif(line = first_line, last_line, first_line), record_key, value
             FROM {shared}"
        );
        each_row(&self.connection, &sql, &mut |row| {
            let shared = SharedKey {
                line: row.get(0).map_err(failed)?,
                other: row.get(1).map_err(failed)?,
                entry: Entry {
                    key: blob(row, 2)?,
                    value: blob(row, 3)?,
                },
            };
            visit(kind, shared)
        })?;
        let sql = format!("DELETE FROM {table} WHERE line IN (SELECT line FROM {shared})");
        let taken_out = self.connection.execute(&sql, []).map_err(failed)?;
        self.kinds.get_mut(kind).entries -= taken_out as u64;
        Ok(())
    }

    /// Number of entries of a kind.
    pub(crate) fn len(&self, kind: RecordKind) -> u64 {
        self.kinds.get(kind).entries
    }

    /// Hands every entry of a kind to `visit`, in ascending order of the keys' bytes.
    ///
    /// # Errors
    /// The spool can't be read to its end, or `visit` failed.
    pub(crate) fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        // Lines that came in the order of their keys are in that order already.
        let order = match self.kinds.get(kind).is_unsorted {
            true => "record_key",
            false => "line",
        };
        let sql = format!(
            "SELECT record_key, value FROM {} ORDER BY {order}",
            table_name(kind)
        );
        each_row(&self.connection, &sql, &mut |row| {
            let (key, value) = (blob(row, 0)?, blob(row, 1)?);
            visit(Entry { key, value })
        })
    }
}
