//! Scans a table in key order: SQLite sorts the keys, and the values are read by row id.
//!
//! Indexes are not trusted: a missing index entry would lose a row, and a wrong one would change a
//! record. If the order is computed from an index, each key is recomputed from the row, and the
//! rows are counted.

use rusqlite::Rows;

use crate::error::Result;
use crate::sqlite::open::connection::reading;
use crate::sqlite::read::row_reader::{OpenTable, RowReader};
use crate::stream::Visited;

pub(crate) struct Scan<'c> {
    pub(crate) table: OpenTable<'c>,
    /// Whether ids are the table's row ids and therefore unique.
    pub(crate) ids_are_unique: bool,
}

/// The position of a row in key order.
#[derive(Default, PartialEq, Eq)]
struct Position {
    has_key: bool,
    key_bytes: Vec<u8>,
    rowid: i64,
}

impl Position {
    fn key(&self) -> Option<&[u8]> {
        self.has_key.then_some(&self.key_bytes)
    }
}

impl Scan<'_> {
    /// Calls `visit` for each row, in ascending order of the keys' bytes; rows without a key come
    /// first. Returns the number of rows.
    pub(crate) fn run(&self, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<u64> {
        let failed = reading(self.table.path);
        if !self.ids_are_unique {
            self.collect_duplicate_ids().map_err(&failed)?;
        }
        let layout = self.table.layout;
        let order = format!(
            "SELECT {} AS record_key, t.{rowid} FROM {} ORDER BY record_key, t.{rowid}",
            layout.key_expression(),
            layout.ordering_clause(),
            rowid = layout.rowid,
        );
        let mut order = self.table.connection.prepare(&order).map_err(&failed)?;
        let mut rows = order.query([]).map_err(&failed)?;
        let mut reader = RowReader::prepare(self.table, self.ids_are_unique)?;

        let mut count = 0;
        let (mut position, mut next) = (Position::default(), Position::default());
        let mut has_next = self.move_to_next(&mut rows, &mut next)?;
        let mut previous = None;
        while has_next {
            std::mem::swap(&mut position, &mut next);
            has_next = self.move_to_next(&mut rows, &mut next)?;
            if has_next && next == position {
                return Err(self.table.inconsistent_row(position.rowid, "is there twice"));
            }
            let key = position.key();
            let is_shared = has_next && key.is_some() && next.key() == key;
            let shared_with_next = is_shared.then_some(next.rowid);
            let same_key: Vec<i64> = previous.into_iter().chain(shared_with_next).collect();
            reader.read(position.rowid, &same_key, &mut |visited| {
                // The key used for sorting may come from an index, the other from the row.
                if visited.key() != key {
                    let what = "has a different key when read again";
                    return Err(self.table.inconsistent_row(position.rowid, what));
                }
                visit(visited)
            })?;
            previous = shared_with_next.map(|_| position.rowid);
            count += 1;
        }
        Ok(count)
    }

    fn move_to_next(&self, rows: &mut Rows<'_>, position: &mut Position) -> Result<bool> {
        let mut step = || {
            let Some(row) = rows.next()? else {
                return Ok(false);
            };
            let key = row.get_ref(0)?.as_blob_or_null()?;
            position.has_key = key.is_some();
            position.key_bytes.clear();
            position.key_bytes.extend_from_slice(key.unwrap_or_default());
            position.rowid = row.get(1)?;
            Ok(true)
        };
        step().map_err(reading(self.table.path))
    }

    /// Collects the ids that several rows share in a temporary table, to save memory.
    fn collect_duplicate_ids(&self) -> rusqlite::Result<()> {
        let layout = self.table.layout;
        let Some(id) = layout.schema.id() else {
            return Ok(());
        };
        self.table.connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.duplicate_ids;
             CREATE TEMP TABLE duplicate_ids(id INTEGER PRIMARY KEY, first_row, last_row);
             INSERT INTO temp.duplicate_ids
                 SELECT t.{id}, min(t.{rowid}), max(t.{rowid})
                 FROM {} WHERE typeof(t.{id}) = 'integer'
                 GROUP BY t.{id} HAVING count(*) > 1;",
            layout.table_clause(),
            rowid = layout.rowid,
        ))
    }
}
