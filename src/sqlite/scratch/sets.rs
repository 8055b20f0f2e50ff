//! Sets and maps that may grow large, stored in a temporary database instead of memory.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use crate::error::Result;
use crate::record::RecordKind;
use crate::sqlite::scratch::{blob, each_row, execute, failed, temporary};

/// Texts by byte strings, such as why records are refused by their keys. Its database is created with
/// the first element.
#[derive(Debug, Default)]
pub(crate) struct ScratchMap {
    temp_dir: Option<PathBuf>,
    connection: Option<Connection>,
}

impl ScratchMap {
    pub(crate) fn new(temp_dir: Option<&Path>) -> Self {
        ScratchMap { temp_dir: temp_dir.map(Path::to_owned), connection: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connection.is_none()
    }

    /// Adds an element; returns `false` if there is already one with this key, which stays.
    pub(crate) fn insert(&mut self, key: &[u8], text: &str) -> Result<bool> {
        let connection = match &self.connection {
            Some(connection) => connection,
            None => {
                let connection = temporary(self.temp_dir.as_deref())?;
                let sql =
                    "CREATE TABLE elements (element BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID";
                connection.execute_batch(sql).map_err(failed)?;
                self.connection.insert(connection)
            }
        };
        let sql = "INSERT OR IGNORE INTO elements VALUES (?1, ?2)";
        Ok(execute(connection, sql, (key, text))? == 1)
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<String>> {
        let Some(connection) = &self.connection else {
            return Ok(None);
        };
        connection
            .prepare_cached("SELECT text FROM elements WHERE element = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .map_err(failed)
    }

    /// Adds the elements of another map.
    pub(crate) fn extend(&mut self, other: &ScratchMap) -> Result<()> {
        let Some(connection) = &other.connection else {
            return Ok(());
        };
        each_row(connection, "SELECT element, text FROM elements", &mut |row| {
            let text: String = row.get(1).map_err(failed)?;
            self.insert(blob(row, 0)?, &text).map(|_| ())
        })
    }
}

/// A set of byte strings, such as record keys.
#[derive(Debug, Default)]
pub(crate) struct ScratchSet(ScratchMap);

impl ScratchSet {
    pub(crate) fn new(temp_dir: Option<&Path>) -> Self {
        ScratchSet(ScratchMap::new(temp_dir))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an element; returns `false` if the set already contains it.
    pub(crate) fn insert(&mut self, element: &[u8]) -> Result<bool> {
        self.0.insert(element, "")
    }

    pub(crate) fn contains(&self, element: &[u8]) -> Result<bool> {
        Ok(self.0.get(element)?.is_some())
    }

    /// Adds the elements of another set.
    pub(crate) fn extend(&mut self, other: &ScratchSet) -> Result<()> {
        self.0.extend(&other.0)
    }
}

/// A set of ids, each of a kind.
#[derive(Debug, Default)]
pub(crate) struct IdSet(ScratchSet);

impl IdSet {
    pub(crate) fn new(temp_dir: Option<&Path>) -> Self {
        IdSet(ScratchSet::new(temp_dir))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an id; returns `false` if the set already contains it.
    pub(crate) fn insert(&mut self, kind: RecordKind, id: i64) -> Result<bool> {
        self.0.insert(&element(kind, id))
    }

    pub(crate) fn contains(&self, kind: RecordKind, id: i64) -> Result<bool> {
        self.0.contains(&element(kind, id))
    }

    /// Adds the ids of another set.
    pub(crate) fn extend(&mut self, other: &IdSet) -> Result<()> {
        self.0.extend(&other.0)
    }
}

/// What the tables of a new database refuse.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Ids that several records have.
    pub(crate) ids: IdSet,
    /// Why other records and rows are refused, by their keys.
    pub(crate) rows: ScratchMap,
    /// Whether a unique index refuses rows that are not known yet.
    pub(crate) by_index: bool,
}

impl Refusals {
    pub(crate) fn new(temp_dir: Option<&Path>) -> Self {
        Refusals { ids: IdSet::new(temp_dir), rows: ScratchMap::new(temp_dir), by_index: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.rows.is_empty() && !self.by_index
    }

    pub(crate) fn extend(&mut self, other: &Refusals) -> Result<()> {
        self.by_index |= other.by_index;
        self.ids.extend(&other.ids)?;
        self.rows.extend(&other.rows)
    }
}

fn element(kind: RecordKind, id: i64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = id.to_be_bytes();
    [kind as u8, a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_contains_exactly_what_was_added() {
        let mut ids = IdSet::new(None);
        assert!(ids.is_empty() && !ids.contains(RecordKind::Chunk, 1).unwrap());
        let mut seen = Vec::new();
        for id in [1, -1, i64::MIN, i64::MAX, 1] {
            let is_new = ids.insert(RecordKind::Chunk, id).unwrap();
            assert_eq!(is_new, !seen.contains(&id));
            seen.push(id);
        }
        ids.insert(RecordKind::ExecutionLog, 2).unwrap();
        let mut all = IdSet::new(None);
        all.insert(RecordKind::Chunk, 7).unwrap();
        all.extend(&ids).unwrap();
        for id in [1, -1, i64::MIN, i64::MAX, 7] {
            assert!(all.contains(RecordKind::Chunk, id).unwrap(), "{id}");
        }
        assert!(!all.contains(RecordKind::Chunk, 2).unwrap());
        assert!(all.contains(RecordKind::ExecutionLog, 2).unwrap());
        assert!(!ids.contains(RecordKind::Chunk, 7).unwrap());
    }
}
