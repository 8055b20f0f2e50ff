//! Collects entries in any order in a temporary SQLite database, which sorts them by key.

use std::path::Path;

use rusqlite::Connection;

use crate::codec::{Entry, canonical_id};
use crate::error::Result;
use crate::record::{PerKind, RecordKind};
use crate::sqlite::scratch::{blob, each_row, execute, failed, temporary};

/// Entries of all kinds, each with the number of its line.
#[derive(Debug)]
pub(crate) struct ScratchEntries {
    connection: Connection,
    kinds: PerKind<Spooled>,
    inserts: PerKind<String>,
    id_inserts: PerKind<String>,
}

/// State of the entries of one kind.
#[derive(Debug, Default)]
struct Spooled {
    entries: u64,
    last_key: Vec<u8>,
    /// Whether a key was not greater than the previous one.
    is_unsorted: bool,
    last_id: Option<i64>,
    /// Whether an id was not greater than the previous one.
    has_unsorted_ids: bool,
}

/// The properties that must be unique among a store's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    Key,
    Id,
}

impl Unique {
    /// The scratch table that contains the property for each line, and its column.
    fn place(self, kind: RecordKind) -> (String, &'static str) {
        let table = kind.table();
        match self {
            Unique::Key => (table.to_owned(), "record_key"),
            Unique::Id => (format!("{table}_ids"), "id"),
        }
    }
}

/// An entry that shares its key or its id with another entry.
#[derive(Debug)]
pub(crate) struct Duplicate<'s> {
    pub(crate) line: u64,
    pub(crate) shared: Unique,
    /// The first other line with the same key or id.
    pub(crate) other: u64,
    pub(crate) entry: Entry<'s>,
}

/// A scratch table that contains a property for each line, and its column.
pub(super) struct Place<'p> {
    pub(super) table: &'p str,
    pub(super) column: &'p str,
    pub(super) shared: Unique,
}

impl Place<'_> {
    /// Calls `visit` for entries that share the property, and removes their lines from all `tables`,
    /// the first of which contains the entries. Returns their number.
    pub(super) fn remove_duplicates(
        &self,
        connection: &Connection,
        tables: &[&str],
        visit: &mut dyn FnMut(Duplicate<'_>) -> Result<()>,
    ) -> Result<u64> {
        let Place { table: place, column, shared } = *self;
        let Some(entries) = tables.first() else {
            return Ok(0);
        };
        let sharing = format!(
            "(SELECT {column} AS shared, min(line) AS first_line, max(line) AS last_line
              FROM {place} GROUP BY {column} HAVING count(*) > 1)
             CROSS JOIN {place} AS place ON place.{column} = shared"
        );
        let sql = format!(
            "SELECT e.line, iif(e.line = first_line, last_line, first_line), e.record_key, e.value
             FROM {sharing} CROSS JOIN {entries} AS e ON e.line = place.line"
        );
        let mut removed = 0;
        each_row(connection, &sql, &mut |row| {
            removed += 1;
            visit(Duplicate {
                line: row.get(0).map_err(failed)?,
                shared,
                other: row.get(1).map_err(failed)?,
                entry: Entry { key: blob(row, 2)?, value: blob(row, 3)? },
            })
        })?;
        if removed == 0 {
            return Ok(0);
        }
        let sql = format!("CREATE TEMP TABLE taken_out AS SELECT place.line FROM {sharing}");
        connection.execute_batch(&sql).map_err(failed)?;
        for table in tables {
            let sql = format!("DELETE FROM {table} WHERE line IN (SELECT line FROM taken_out)");
            connection.execute_batch(&sql).map_err(failed)?;
        }
        connection.execute_batch("DROP TABLE taken_out").map_err(failed)?;
        Ok(removed)
    }
}

impl ScratchEntries {
    /// Creates an empty collection. Its file has no name and is deleted when dropped.
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        for kind in RecordKind::ALL {
            let table = kind.table();
            // Ids are in a table of their own, which can be read without the values.
            let sql = format!(
                "CREATE TABLE {table} (line INTEGER PRIMARY KEY, record_key BLOB, value BLOB);
                 CREATE TABLE {table}_ids (line INTEGER PRIMARY KEY, id INTEGER);"
            );
            connection.execute_batch(&sql).map_err(failed)?;
        }
        Ok(ScratchEntries {
            connection,
            kinds: PerKind::default(),
            inserts: PerKind::from_fn(|kind| {
                format!("INSERT INTO {} VALUES (?1, ?2, ?3)", kind.table())
            }),
            id_inserts: PerKind::from_fn(|kind| {
                format!("INSERT INTO {}_ids VALUES (?1, ?2)", kind.table())
            }),
        })
    }

    /// Adds the entry of a record. Line numbers must be ascending.
    pub(crate) fn add(&mut self, kind: RecordKind, line: u64, entry: Entry<'_>) -> Result<()> {
        let id = canonical_id(entry.value);
        let spooled = self.kinds.get_mut(kind);
        spooled.has_unsorted_ids |= spooled.last_id.is_some() && id <= spooled.last_id;
        spooled.last_id = id;
        spooled.is_unsorted |= spooled.entries > 0 && entry.key <= spooled.last_key.as_slice();
        spooled.entries += 1;
        spooled.last_key.clear();
        spooled.last_key.extend_from_slice(entry.key);
        let row = (line, entry.key, entry.value);
        execute(&self.connection, self.inserts.get(kind), row)?;
        if let Some(id) = id {
            execute(&self.connection, self.id_inserts.get(kind), (line, id))?;
        }
        Ok(())
    }

    /// Ends the input. Calls `visit` for entries that share their key or id, and removes them: no
    /// store can contain them all, and none can be preferred.
    pub(crate) fn settle(
        &mut self,
        visit: &mut dyn FnMut(RecordKind, Duplicate<'_>) -> Result<()>,
    ) -> Result<()> {
        for kind in RecordKind::ALL {
            let spooled = self.kinds.get(kind);
            let may_share =
                [(Unique::Key, spooled.is_unsorted), (Unique::Id, spooled.has_unsorted_ids)];
            for (unique, _) in may_share.into_iter().filter(|(_, may_share)| *may_share) {
                let (table, column) = unique.place(kind);
                let sql = format!("CREATE INDEX {table}_{column} ON {table} ({column}, line)");
                self.connection.execute_batch(&sql).map_err(failed)?;
                self.remove_duplicates(kind, unique, visit)?;
            }
        }
        Ok(())
    }

    fn remove_duplicates(
        &mut self,
        kind: RecordKind,
        shared: Unique,
        visit: &mut dyn FnMut(RecordKind, Duplicate<'_>) -> Result<()>,
    ) -> Result<()> {
        let table = kind.table();
        let (place, column) = shared.place(kind);
        let tables = [table, &format!("{table}_ids")];
        let place = Place { table: &place, column, shared };
        let removed = place
            .remove_duplicates(&self.connection, &tables, &mut |sharing| visit(kind, sharing))?;
        self.kinds.get_mut(kind).entries -= removed;
        Ok(())
    }

    /// Number of entries of a kind.
    pub(crate) fn len(&self, kind: RecordKind) -> u64 {
        self.kinds.get(kind).entries
    }

    /// Calls `visit` for every entry of a kind, in ascending order of the keys' bytes.
    pub(crate) fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        // If the lines were added in key order, no sorting is needed.
        let order = match self.kinds.get(kind).is_unsorted {
            true => "record_key",
            false => "line",
        };
        let sql = format!("SELECT record_key, value FROM {} ORDER BY {order}", kind.table());
        each_row(&self.connection, &sql, &mut |row| {
            let (key, value) = (blob(row, 0)?, blob(row, 1)?);
            visit(Entry { key, value })
        })
    }
}
