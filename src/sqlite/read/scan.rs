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
#[derive(PartialEq, Eq)]
struct Position {
    key: Option<Vec<u8>>,
    rowid: i64,
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
        let mut next = self.next_position(&mut rows)?;
        let mut previous = None;
        while let Some(position) = next {
            next = self.next_position(&mut rows)?;
            if next.as_ref().is_some_and(|n| *n == position) {
                return Err(self
                    .table
                    .inconsistent_row(position.rowid, "is there twice"));
            }
            let shared_with_next = next
                .as_ref()
                .filter(|next| position.key.is_some() && next.key == position.key)
                .map(|next| next.rowid);
            let same_key: Vec<i64> = previous.into_iter().chain(shared_with_next).collect();
            let visited = reader.read(position.rowid, &same_key)?;
            let key = match &visited {
                Visited::Entry { key, .. } => Some(*key),
                Visited::Invalid(row) => row.key.as_deref(),
            };
            self.check_key(&position, key)?;
            visit(visited)?;
            previous = shared_with_next.map(|_| position.rowid);
            count += 1;
        }
        Ok(count)
    }

    fn next_position(&self, rows: &mut Rows<'_>) -> Result<Option<Position>> {
        let position = rows.next().and_then(|row| {
            row.map(|row| {
                Ok(Position {
                    key: row.get(0)?,
                    rowid: row.get(1)?,
                })
            })
            .transpose()
        });
        position.map_err(reading(self.table.path))
    }

    /// Checks that the key used for sorting equals the key computed from the row's values.
    fn check_key(&self, position: &Position, key: Option<&[u8]>) -> Result<()> {
        match position.key.as_deref() == key {
            true => Ok(()),
            false => Err(self
                .table
                .inconsistent_row(position.rowid, "has a different key when read again")),
        }
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
