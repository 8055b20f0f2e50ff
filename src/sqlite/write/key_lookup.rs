//! Finds the row of a record's key.

use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::record::Value;
use crate::sqlite::read::table_columns::{TableColumns, all_equal};

/// Finds rows of a table by key.
#[derive(Debug)]
pub(crate) struct KeyLookup {
    find: String,
    /// For a table without a suitable index: SQL that updates a row's id in the indexed copy of its
    /// keys.
    follow: Option<String>,
}

impl KeyLookup {
    /// Searches the table directly.
    pub(crate) fn of_table(layout: &TableColumns) -> Self {
        let (table, rowid) = (layout.schema.table, layout.rowid);
        KeyLookup {
            find: format!(
                "SELECT t.{rowid} FROM main.{table} AS t WHERE {}",
                all_equal(layout.schema.key_names())
            ),
            follow: None,
        }
    }

    /// Searches the table directly if an index supports it, otherwise an indexed temporary copy of
    /// its keys, taken from the connection's current state.
    pub(crate) fn with_index(
        connection: &Connection,
        layout: &TableColumns,
    ) -> rusqlite::Result<Self> {
        let of_table = Self::of_table(layout);
        if is_search(connection, &of_table.find)? {
            return Ok(of_table);
        }
        let table = layout.schema.table;
        let key = layout.schema.key_names();
        let copy = format!("temp.chunkmigrate_keys_of_{table}");
        let columns = key.clone().map(|column| format!("t.{column}"));
        let indexed = key.clone().map(|column| format!("{column} COLLATE BINARY"));
        let list =
            |columns: &mut dyn Iterator<Item = String>| columns.collect::<Vec<_>>().join(", ");
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE chunkmigrate_keys_of_{table} AS
             SELECT t.{rowid} AS row_id, {columns} FROM {from};
             CREATE INDEX {copy}_index ON chunkmigrate_keys_of_{table} ({indexed});",
            rowid = layout.rowid,
            columns = list(&mut columns.into_iter()),
            from = layout.table_clause(),
            indexed = list(&mut indexed.into_iter()),
        ))?;
        let is_key = all_equal(key);
        Ok(KeyLookup {
            find: format!("SELECT t.row_id FROM {copy} AS t WHERE {is_key}"),
            follow: Some(format!(
                "UPDATE {copy} AS t SET row_id = ?{} WHERE {is_key}",
                layout.schema.key.len() + 1
            )),
        })
    }

    /// The row id of a record's key.
    pub(crate) fn find<'v>(
        &self,
        connection: &Connection,
        key: impl Iterator<Item = &'v Value<'v>>,
    ) -> rusqlite::Result<Option<i64>> {
        let mut statement = connection.prepare_cached(&self.find)?;
        let found = statement.query_row(params_from_iter(key), |row| row.get(0));
        found.optional()
    }

    /// Records that the row of a key has a new row id.
    pub(crate) fn follow(
        &self,
        connection: &Connection,
        key: &[Value<'_>],
        to: i64,
    ) -> rusqlite::Result<()> {
        let Some(follow) = &self.follow else {
            return Ok(());
        };
        let mut statement = connection.prepare_cached(follow)?;
        let to = Value::Integer(to);
        let values = key.iter().chain([&to]);
        statement.execute(params_from_iter(values)).map(|_| ())
    }
}

/// Whether SQLite uses an index for a query instead of scanning the table.
fn is_search(connection: &Connection, query: &str) -> rusqlite::Result<bool> {
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}"))?;
    // The parameters stay unbound, and so NULL: the plan is the same.
    let mut steps = plan.raw_query();
    while let Some(step) = steps.next()? {
        if step.get::<_, String>("detail")?.starts_with("SCAN") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::record::{CodeChunk, Record, RecordKind};

    const COLUMNS: &str = "id INTEGER PRIMARY KEY, file_path TEXT, byte_start INTEGER,
        byte_end INTEGER, content TEXT, content_hash TEXT, symbol_name TEXT, symbol_kind TEXT,
        created_at INTEGER";

    fn lookup(schema: &str) -> (Connection, KeyLookup) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&format!("CREATE TABLE code_chunks ({COLUMNS}); {schema}")).unwrap();
        db.execute_batch(
            "INSERT INTO code_chunks VALUES (1, 'a', 0, 1, '', '', NULL, NULL, 0),
                (2, 'A', 0, 1, '', '', NULL, NULL, 0), (3, NULL, 0, 1, '', '', NULL, NULL, 0)",
        )
        .unwrap();
        let layout = TableColumns::read(&db, Path::new("x"), RecordKind::Chunk, false);
        let lookup = KeyLookup::with_index(&db, &layout.unwrap().unwrap()).unwrap();
        (db, lookup)
    }

    #[test]
    fn key_lookups_use_an_index_whatever_indexes_the_table_has() {
        for schema in [
            "",
            "CREATE UNIQUE INDEX i ON code_chunks (file_path, byte_start, byte_end)",
            "CREATE INDEX i ON code_chunks (file_path COLLATE NOCASE, byte_start, byte_end)",
            "CREATE INDEX i ON code_chunks (content_hash, file_path, byte_start, byte_end)",
            "CREATE INDEX i ON code_chunks (file_path, byte_start, byte_end) WHERE id > 1",
        ] {
            let (db, lookup) = lookup(schema);
            assert!(is_search(&db, &lookup.find).unwrap(), "{schema}");
            for (path, id) in [("a", Some(1)), ("A", Some(2)), ("b", None)] {
                let record = Record::Chunk(CodeChunk::new(path, 0, 1, ""));
                assert_eq!(lookup.find(&db, record.values().key()).unwrap(), id, "{schema}");
            }
        }
    }

    #[test]
    fn a_moved_row_is_found_at_its_new_place() {
        let (db, lookup) = lookup("");
        let key = Record::Chunk(CodeChunk::new("a", 0, 1, "")).key();
        lookup.follow(&db, &key.values(), 9).unwrap();
        assert_eq!(lookup.find(&db, key.values().iter()).unwrap(), Some(9));
        let other = Record::Chunk(CodeChunk::new("A", 0, 1, "")).key();
        assert_eq!(lookup.find(&db, other.values().iter()).unwrap(), Some(2));
    }
}
