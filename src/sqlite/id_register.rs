//! Who has which id, kept where it takes no memory: in a temporary database of SQLite's.

use std::path::Path;

use rusqlite::Connection;

use super::schema::table_name;
use super::temporary::{failed, temporary};
use crate::error::Result;
use crate::record::{PerKind, RecordKind, Sequences};

/// Registers the ids of records, to find two records with one id.
#[derive(Debug)]
pub(crate) struct IdRegister {
    connection: Connection,
    statements: PerKind<(String, String)>,
}

impl IdRegister {
    /// Creates an empty register. Its file has no name and goes with it.
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        for kind in RecordKind::ALL {
            let columns = "id INTEGER PRIMARY KEY, record_key BLOB";
            let sql = format!("CREATE TABLE {} ({columns})", table_name(kind));
            connection.execute_batch(&sql).map_err(failed)?;
        }
        Ok(IdRegister {
            connection,
            statements: PerKind::from_fn(|kind| {
                let table = table_name(kind);
                (
                    format!("INSERT OR IGNORE INTO {table} VALUES (?1, ?2)"),
                    format!("SELECT record_key FROM {table} WHERE id = ?1"),
                )
            }),
        })
    }

    /// Registers that a record has an id; the key of the record that has it already, if there is
    /// one.
    pub(crate) fn register(
        &mut self,
        kind: RecordKind,
        id: i64,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let (insert, select) = self.statements.get(kind);
        let inserted = self
            .connection
            .prepare_cached(insert)
            .and_then(|mut statement| statement.execute((id, key)))
            .map_err(failed)?;
        if inserted == 1 {
            return Ok(None);
        }
        self.connection
            .prepare_cached(select)
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0)))
            .map(Some)
            .map_err(failed)
    }

    /// Whether a record has an id.
    pub(crate) fn is_registered(&mut self, kind: RecordKind, id: i64) -> Result<bool> {
        let (_, select) = self.statements.get(kind);
        self.connection
            .prepare_cached(select)
            .and_then(|mut statement| statement.exists([id]))
            .map_err(failed)
    }

    /// The largest ids, the lowest number where there is none.
    pub(crate) fn largest(&self) -> Result<Sequences> {
        let mut largest = Sequences::LOWEST;
        for kind in RecordKind::ALL {
            let sql = format!("SELECT max(id) FROM {}", table_name(kind));
            let id = self.connection.query_row(&sql, [], |row| row.get(0));
            if let Some(id) = id.map_err(failed)? {
                largest.raise(kind, id);
            }
        }
        Ok(largest)
    }
}
