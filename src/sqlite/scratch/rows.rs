//! Collects rows of carried tables in any order in a temporary SQLite database, which sorts them by
//! key.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::entries::{Duplicate, Place, Unique};
use super::{blob, each_row_of, execute, failed, temporary};
use crate::codec::Entry;
use crate::error::Result;
use crate::table::key_prefix;

/// Rows of all tables, each with the number of its line.
#[derive(Debug)]
pub(crate) struct ScratchRows {
    connection: Connection,
    /// The first and last line of each table.
    lines: BTreeMap<String, (u64, u64)>,
    last_key: Vec<u8>,
    /// Whether a key was not greater than the previous one.
    is_unsorted: bool,
}

impl ScratchRows {
    /// Creates an empty collection. Its file has no name and is deleted when dropped.
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        let sql = "CREATE TABLE carried (line INTEGER PRIMARY KEY, record_key BLOB, value BLOB)";
        connection.execute_batch(sql).map_err(failed)?;
        let lines = BTreeMap::new();
        Ok(ScratchRows { connection, lines, last_key: Vec::new(), is_unsorted: false })
    }

    /// Adds the entry of a row. Lines may be in any order.
    pub(crate) fn add(&mut self, table: &str, line: u64, entry: Entry<'_>) -> Result<()> {
        match self.lines.get_mut(table) {
            Some((first, last)) => (*first, *last) = (line.min(*first), line.max(*last)),
            None => drop(self.lines.insert(table.to_owned(), (line, line))),
        }
        self.is_unsorted |= entry.key <= self.last_key.as_slice();
        self.last_key.clear();
        self.last_key.extend_from_slice(entry.key);
        let row = (line, entry.key, entry.value);
        execute(&self.connection, "INSERT INTO carried VALUES (?1, ?2, ?3)", row).map(drop)
    }

    /// Ends the input. Calls `visit` for rows that share their key, and removes them.
    pub(crate) fn settle(
        &mut self,
        visit: &mut dyn FnMut(Duplicate<'_>) -> Result<()>,
    ) -> Result<()> {
        if !self.is_unsorted {
            return Ok(());
        }
        let sql = "CREATE INDEX carried_key ON carried (record_key, line)";
        self.connection.execute_batch(sql).map_err(failed)?;
        let place = Place { table: "carried", column: "record_key", shared: Unique::Key };
        place.remove_duplicates(&self.connection, &["carried"], visit).map(drop)
    }

    /// Calls `visit` for every row of a table, in ascending order of the keys' bytes.
    pub(crate) fn visit(
        &self,
        table: &str,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some((first, last)) = self.lines.get(table) else {
            return Ok(());
        };
        let visit = &mut |row: &rusqlite::Row<'_>| {
            let (key, value) = (blob(row, 0)?, blob(row, 1)?);
            visit(Entry { key, value })
        };
        if !self.is_unsorted {
            // The lines of each table follow one another.
            let sql = "SELECT record_key, value FROM carried WHERE line BETWEEN ?1 AND ?2
                       ORDER BY line";
            return each_row_of(&self.connection, sql, (first, last), visit);
        }
        let start = key_prefix(table);
        let mut end = start.clone();
        // The prefix ends with a colon.
        end.pop();
        end.push(b':' + 1);
        let sql = "SELECT record_key, value FROM carried WHERE record_key >= ?1 AND record_key < ?2
                   ORDER BY record_key";
        each_row_of(&self.connection, sql, (start, end), visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_visited_in_the_order_of_their_keys() {
        let keys = ["table:a:A1", "table:a:A2", "table:a%3Ab:A1", "table:b:A1"];
        for order in [[0, 1, 2, 3], [3, 1, 2, 0], [2, 0, 3, 1]] {
            let mut rows = ScratchRows::create(None).unwrap();
            let mut line = 7;
            for place in order {
                line += 2;
                let table = ["a", "a", "a:b", "b"][place];
                let entry = Entry { key: keys[place].as_bytes(), value: keys[place].as_bytes() };
                rows.add(table, line, entry).unwrap();
            }
            rows.settle(&mut |duplicate| panic!("{duplicate:?}")).unwrap();
            let mut found = Vec::new();
            for table in ["a", "a:b", "b", "c"] {
                rows.visit(table, &mut |entry| {
                    assert_eq!(entry.key, entry.value);
                    found.push(String::from_utf8(entry.key.to_vec()).unwrap());
                    Ok(())
                })
                .unwrap();
            }
            assert_eq!(found, keys);
        }
    }

    #[test]
    fn rows_that_share_a_key_are_removed() {
        let mut rows = ScratchRows::create(None).unwrap();
        for (line, key) in [(1, "table:a:A1"), (2, "table:a:A2"), (3, "table:a:A1")] {
            rows.add("a", line, Entry { key: key.as_bytes(), value: b"[]" }).unwrap();
        }
        let mut removed = Vec::new();
        rows.settle(&mut |Duplicate { line, other, .. }| {
            removed.push((line, other));
            Ok(())
        })
        .unwrap();
        assert_eq!(removed, [(1, 3), (3, 1)]);
        let mut left = 0;
        rows.visit("a", &mut |entry| {
            assert_eq!(entry.key, b"table:a:A2");
            left += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(left, 1);
    }
}
