//! The ids of a store's records after a merge: the ids that two records would share, and those that
//! change. Kept in a temporary database.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use crate::codec::parse_key;
use crate::error::{Error, Result};
use crate::record::{IdSequences, PerKind, RecordKey, RecordKind};
use crate::sqlite::scratch::{blob, each_row, execute, failed, temporary};

/// The holder of an id after a merge.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'k> {
    /// An unchanged record of the target, with its key.
    Kept(&'k [u8]),
    /// An invalid row of the target, which stays.
    Invalid,
    /// A record written by the merge, with its key.
    Written(&'k [u8]),
}

/// A record that would be written under an id that is already taken.
#[derive(Debug)]
pub(crate) struct IdClash<'c> {
    pub(crate) id: i64,
    /// The key of the record to write.
    pub(crate) key: &'c [u8],
    /// The key of the other record with the id; `None` for an invalid row.
    pub(crate) other: Option<Vec<u8>>,
}

/// The ids of all records after a merge.
#[derive(Debug)]
pub(crate) struct FinalIds {
    connection: Connection,
    /// SQL that inserts the first holder of an id, and SQL that inserts any further ones.
    hold: PerKind<[String; 2]>,
}

/// States of the holder of an id: kept, to be written, or rejected.
const KEPT: i64 = 0;
const WRITTEN: i64 = 1;
const REJECTED: i64 = 2;

impl FinalIds {
    pub(crate) fn create(temp_dir: Option<&Path>) -> Result<Self> {
        let connection = temporary(temp_dir)?;
        for kind in RecordKind::ALL {
            if kind.has_ids() {
                let sql = "CREATE TABLE holders_KIND (id INTEGER PRIMARY KEY, record_key BLOB, state INTEGER);
                     CREATE TABLE clashes_KIND (id INTEGER, record_key BLOB, state INTEGER);
                     CREATE INDEX clashing_KIND ON clashes_KIND (id);
                     CREATE TABLE moves_KIND (record_key BLOB PRIMARY KEY, from_id INTEGER) WITHOUT ROWID;";
                connection.execute_batch(&of(kind, sql)).map_err(failed)?;
            }
        }
        Ok(FinalIds {
            connection,
            hold: PerKind::from_fn(|kind| {
                [
                    of(kind, "INSERT OR IGNORE INTO holders_KIND VALUES (?1, ?2, ?3)"),
                    of(kind, "INSERT INTO clashes_KIND VALUES (?1, ?2, ?3)"),
                ]
            }),
        })
    }

    /// Records the holder of an id.
    pub(crate) fn hold(&mut self, kind: RecordKind, id: i64, holder: Holder<'_>) -> Result<()> {
        if !kind.has_ids() {
            return Ok(());
        }
        let (key, state) = match holder {
            Holder::Kept(key) => (Some(key), KEPT),
            Holder::Invalid => (None, KEPT),
            Holder::Written(key) => (Some(key), WRITTEN),
        };
        let [first, clash] = self.hold.get(kind);
        let holder = (id, key, state);
        if execute(&self.connection, first, holder)? == 0 {
            execute(&self.connection, clash, holder)?;
        }
        Ok(())
    }

    /// Records that the row of a key has a different id before the merge.
    pub(crate) fn note_move(&mut self, kind: RecordKind, key: &[u8], from: i64) -> Result<()> {
        let sql = of(kind, "INSERT OR REPLACE INTO moves_KIND VALUES (?1, ?2)");
        execute(&self.connection, &sql, (key, from)).map(drop)
    }

    /// Calls `visit` for every record that can't be written because its id is taken. The row of
    /// such a record keeps its old id, which may in turn conflict with another record.
    pub(crate) fn visit_clashes(
        &mut self,
        kind: RecordKind,
        visit: &mut dyn FnMut(IdClash<'_>) -> Result<()>,
    ) -> Result<()> {
        if !kind.has_ids() {
            return Ok(());
        }
        let mut last = 0;
        while let Some((rowid, id)) = self.next_clash(kind, last)? {
            last = rowid;
            while let Some((key, other)) = self.written_holder(kind, id)? {
                self.reject(kind, id, &key)?;
                if let Some(from) = self.moved_from(kind, &key)? {
                    self.hold(kind, from, Holder::Kept(&key))?;
                }
                let key = &key;
                visit(IdClash { id, key, other })?;
            }
        }
        Ok(())
    }

    fn next_clash(&self, kind: RecordKind, last: i64) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT rowid, id FROM clashes_KIND WHERE rowid > ?1 ORDER BY rowid LIMIT 1";
        self.run(kind, sql, |statement| {
            let row = statement.query_row([last], |row| Ok((row.get(0)?, row.get(1)?)));
            row.optional()
        })
    }

    /// The key of a record to write under an id, and the key of another holder of that id,
    /// preferably one that stays.
    #[expect(clippy::type_complexity, reason = "a pair of keys")]
    fn written_holder(
        &self,
        kind: RecordKind,
        id: i64,
    ) -> Result<Option<(Vec<u8>, Option<Vec<u8>>)>> {
        let sql = format!(
            "WITH held AS (SELECT record_key, state FROM holders_KIND WHERE id = ?1
                 UNION ALL SELECT record_key, state FROM clashes_KIND WHERE id = ?1)
             SELECT w.record_key, (SELECT o.record_key FROM held AS o
                 WHERE o.record_key IS NOT w.record_key ORDER BY o.state LIMIT 1)
             FROM held AS w WHERE w.state = {WRITTEN} LIMIT 1"
        );
        self.run(kind, &sql, |statement| {
            let row = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)));
            row.optional()
        })
    }

    fn reject(&self, kind: RecordKind, id: i64, key: &[u8]) -> Result<()> {
        for table in ["holders_KIND", "clashes_KIND"] {
            let sql =
                format!("UPDATE {table} SET state = {REJECTED} WHERE id = ?1 AND record_key = ?2");
            execute(&self.connection, &of(kind, &sql), (id, key))?;
        }
        Ok(())
    }

    fn moved_from(&self, kind: RecordKind, key: &[u8]) -> Result<Option<i64>> {
        let sql = "SELECT from_id FROM moves_KIND WHERE record_key = ?1";
        self.run(kind, sql, |statement| statement.query_row([key], |row| row.get(0)).optional())
    }

    /// Number of records whose id changes.
    pub(crate) fn moves(&self, kind: RecordKind) -> Result<u64> {
        if !kind.has_ids() {
            return Ok(0);
        }
        let sql = "SELECT count(*) FROM moves_KIND";
        self.run(kind, sql, |statement| statement.query_row([], |row| row.get(0)))
    }

    /// Calls `visit` with the key of each record whose id changes.
    pub(crate) fn visit_moves(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(&[u8], &RecordKey) -> Result<()>,
    ) -> Result<()> {
        let sql = of(kind, "SELECT record_key FROM moves_KIND");
        each_row(&self.connection, &sql, &mut |row| {
            let key = blob(row, 0)?;
            let parsed = parse_key(key).map_err(|error| Error::Internal(error.to_string()))?;
            visit(key, &parsed)
        })
    }

    /// Whether any id in a range is taken.
    pub(crate) fn has_id(&self, kind: RecordKind, first: i64, last: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM holders_KIND WHERE id BETWEEN ?1 AND ?2";
        self.run(kind, sql, |statement| statement.exists([first, last]))
    }

    /// The largest ids, [`IdSequences::LOWEST`] where there is none.
    pub(crate) fn largest(&self) -> Result<IdSequences> {
        let mut largest = IdSequences::LOWEST;
        for kind in RecordKind::ALL.into_iter().filter(|kind| kind.has_ids()) {
            let sql = "SELECT max(id) FROM holders_KIND";
            let id = self.run(kind, sql, |statement| statement.query_row([], |row| row.get(0)))?;
            if let Some(id) = id {
                largest.raise(kind, id);
            }
        }
        Ok(largest)
    }

    /// Runs a query of the tables of a kind.
    fn run<T>(
        &self,
        kind: RecordKind,
        sql: &str,
        run: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let statement = self.connection.prepare_cached(&of(kind, sql));
        statement.and_then(|mut statement| run(&mut statement)).map_err(failed)
    }
}

/// The statement with the table names of a kind.
fn of(kind: RecordKind, sql: &str) -> String {
    sql.replace("KIND", kind.table())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: RecordKind = RecordKind::ExecutionLog;

    fn clashes(ids: &mut FinalIds) -> Vec<(String, i64, Option<String>)> {
        let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let mut found = Vec::new();
        ids.visit_clashes(KIND, &mut |clash| {
            found.push((text(clash.key), clash.id, clash.other.as_deref().map(text)));
            Ok(())
        })
        .unwrap();
        found.sort();
        found
    }

    fn clash(key: &str, id: i64, other: Option<&str>) -> (String, i64, Option<String>) {
        (key.to_owned(), id, other.map(str::to_owned))
    }

    #[test]
    fn kept_rows_keep_their_ids_and_the_written_record_gives_way() {
        let mut ids = FinalIds::create(None).unwrap();
        for (id, holder) in [
            (1, Holder::Kept(b"a")),
            (1, Holder::Written(b"b")),
            (2, Holder::Written(b"c")),
            (2, Holder::Invalid),
            (3, Holder::Written(b"d")),
            // Duplicates that the target already contains are not reported.
            (4, Holder::Kept(b"e")),
            (4, Holder::Invalid),
        ] {
            ids.hold(KIND, id, holder).unwrap();
        }
        assert_eq!(clashes(&mut ids), [clash("b", 1, Some("a")), clash("c", 2, None)]);
        assert!(clashes(&mut ids).is_empty());
    }

    #[test]
    fn a_rejected_record_keeps_its_old_id_taken() {
        let mut ids = FinalIds::create(None).unwrap();
        // b, c and d each take the id of the previous one, and a stays.
        ids.hold(KIND, 1, Holder::Kept(b"a")).unwrap();
        for (key, from) in [(b"b", 2), (b"c", 3), (b"d", 4)] {
            ids.hold(KIND, from - 1, Holder::Written(key)).unwrap();
            ids.note_move(KIND, key, from).unwrap();
        }
        ids.hold(KIND, 5, Holder::Written(b"e")).unwrap();
        ids.note_move(KIND, b"e", 6).unwrap();
        assert_eq!(
            clashes(&mut ids),
            [clash("b", 1, Some("a")), clash("c", 2, Some("b")), clash("d", 3, Some("c"))]
        );
    }
}
