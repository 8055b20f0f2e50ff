//! Reads back the rows that this process has just written into a new database.
//!
//! The rows were written in key order and are read in the order of writing, so no sorting is
//! needed. Meanwhile indexes and other tables may be appended to the database.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::sqlite::open::connection::{open_for_reading, reading};
use crate::sqlite::open::open_mode::SourceFiles;
use crate::sqlite::read::key_function;
use crate::sqlite::read::other_tables;
use crate::sqlite::read::row_reader::{OpenTable, RowReader};
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::tables::describe::Described;
use crate::sqlite::tables::read::{self, TableScan};
use crate::sqlite::write::row_order::RowOrder;
use crate::stream::Visited;
use crate::table::{CarriedTables, TableSchema, TableSelection};

/// The rows of a new database that only this process knows.
#[derive(Debug)]
pub(crate) struct WrittenRows {
    connection: Connection,
    path: PathBuf,
    encoding: TextEncoding,
    tables: PerKind<Option<TableColumns>>,
    /// The insertion order of the tables that have rows.
    order: PerKind<Option<RowOrder>>,
    /// The restored tables.
    described: Described,
}

impl WrittenRows {
    /// Opens a database that this process is still writing, but only appends other tables and
    /// indexes to from now on. Ignores the writer's lock.
    pub(crate) fn open(
        path: &Path,
        order: PerKind<Option<RowOrder>>,
        restored: Option<&CarriedTables>,
        progress: &Progress,
    ) -> Result<Self> {
        let files = SourceFiles::probe(path)?.appended_by_us();
        let connection = open_for_reading(&files, None, progress)?;
        let encoding = TextEncoding::of(&connection, path)?;
        key_function::register(&connection, encoding).map_err(reading(path))?;
        let mut tables = PerKind::default();
        for kind in record_kinds(restored).iter() {
            let layout = TableColumns::read(&connection, path, kind, encoding.is_utf16())?;
            *tables.get_mut(kind) = layout;
        }
        let described = match restored {
            Some(carried) => {
                read::register(&connection, encoding).map_err(reading(path))?;
                let names = carried.in_key_order().into_iter().map(|table| table.name.clone());
                let selection = TableSelection::Named(names.collect());
                Described::read(&connection, path, files.wal_mode, &selection, KindSet::NONE)?
            }
            None => Described::default(),
        };
        Ok(WrittenRows { connection, path: path.to_owned(), encoding, tables, order, described })
    }

    /// The id sequences.
    pub(crate) fn sequences(&self) -> Result<IdSequences> {
        other_tables::sequences(&self.connection, &self.tables).map_err(reading(&self.path))
    }

    /// Number of rows of a kind that were written.
    pub(crate) fn written(&self, kind: RecordKind) -> u64 {
        self.order.get(kind).as_ref().map_or(0, RowOrder::rows)
    }

    /// Calls `visit` for every row of a restored table, in key order.
    pub(crate) fn visit_table(
        &self,
        table: &TableSchema,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        let access = self
            .described
            .access_to(&table.name)
            .ok_or_else(|| Error::Internal(format!("a new database lacks {}", table.name)))?;
        let scan = TableScan {
            connection: &self.connection,
            path: &self.path,
            encoding: self.encoding,
            table,
            access,
        };
        scan.run(visit).map(|_| ())
    }

    /// Calls `visit` for every row of a kind, in the order in which the rows were written.
    pub(crate) fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(layout) = self.tables.get(kind) else {
            // A restored database need not have every table.
            return Ok(());
        };
        let table = OpenTable {
            connection: &self.connection,
            path: &self.path,
            kind,
            layout,
            encoding: self.encoding,
        };
        if let Some(order) = self.order.get(kind) {
            let mut reader = RowReader::prepare(table, true)?;
            order.visit(&mut |rowid| reader.read(rowid, &[], visit))?;
        }
        let counted = layout.count_rows(&self.connection);
        table.check_count(counted.map_err(reading(&self.path))?, self.written(kind))
    }
}

/// The kinds whose tables in a new database have records.
fn record_kinds(restored: Option<&CarriedTables>) -> KindSet {
    restored.map_or(KindSet::ALL, |carried| carried.record_kinds(KindSet::ALL))
}

/// What a finished database has besides the rows of its tables.
pub(crate) fn describe(
    path: &Path,
    selection: &TableSelection,
    only: KindSet,
    progress: &Progress,
) -> Result<CarriedTables> {
    let files = SourceFiles::probe(path)?;
    let connection = open_for_reading(&files, None, progress)?;
    let described = Described::read(&connection, path, files.wal_mode, selection, only)?;
    Ok(described.carried)
}

/// The number of rows of each kind in a finished database, counted through its indexes.
pub(crate) fn count_rows(
    path: &Path,
    restored: Option<&CarriedTables>,
    progress: &Progress,
) -> Result<PerKind<u64>> {
    let files = SourceFiles::probe(path)?;
    let connection = open_for_reading(&files, None, progress)?;
    let mut rows = PerKind::default();
    for kind in record_kinds(restored).iter() {
        let columns = other_tables::columns_of_table(&connection, kind.table());
        if columns.map_err(reading(path))?.is_none() {
            continue;
        }
        let counted = other_tables::count_rows(&connection, kind.table());
        *rows.get_mut(kind) = counted.map_err(reading(path))?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt as _;

    use super::*;
    use crate::error::Error;
    use crate::progress::Progress;
    use crate::record::{FileMetrics, Record};
    use crate::sqlite::write::bulk_loader::SqliteBulkLoader;
    use crate::stream::RowBatch;

    const KIND: RecordKind = RecordKind::FileMetrics;

    fn progress() -> Progress {
        Progress::none()
    }

    fn record(number: i64) -> Record {
        Record::FileMetrics(FileMetrics {
            file_path: format!("src/{number:07}.rs"),
            symbol_count: None,
            loc: Some(number),
            estimated_loc: Some(0.5),
            fan_in: None,
            fan_out: None,
            complexity_score: None,
            last_updated: 0,
        })
    }

    /// A database with this many rows, inserted in descending order.
    fn loaded(path: &Path, rows: i64) -> (SqliteBulkLoader, WrittenRows) {
        let mut load = SqliteBulkLoader::create(path, None, true, None, &progress()).unwrap();
        let mut records = RowBatch::default();
        (0..rows).rev().for_each(|number| records.push(record(number).values()));
        load.insert(KIND, &records).unwrap();
        load.commit_rows(IdSequences::default()).unwrap();
        let order = load.take_order().unwrap();
        let written = WrittenRows::open(path, order, None, &progress()).unwrap();
        (load, written)
    }

    fn read(rows: &WrittenRows) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        rows.visit(KIND, &mut |visited| {
            keys.push(visited.key().unwrap_or_default().to_vec());
            Ok(())
        })?;
        Ok(keys)
    }

    fn is_damage(error: &Error) -> bool {
        matches!(error, Error::CorruptDatabase { .. })
    }

    #[test]
    fn rows_are_read_in_insertion_order_even_after_indexes_are_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let (load, rows) = loaded(&path, 20_000);
        load.make_indexes().unwrap();
        let keys = read(&rows).unwrap();
        let expected = (0..20_000).rev().map(|n| format!("metrics:file:src/{n:07}.rs"));
        assert!(keys.into_iter().eq(expected.map(String::into_bytes)));
        assert_eq!(rows.written(KIND), 20_000);
        assert_eq!(rows.written(RecordKind::Chunk), 0);
        let counted = count_rows(&path, None, &progress()).unwrap();
        assert_eq!((counted.chunk, counted.file_metrics), (0, 20_000));
    }

    #[test]
    fn extra_or_missing_rows_are_reported_as_corruption() {
        let changes = [
            "DELETE FROM file_metrics WHERE loc = 5",
            "INSERT INTO file_metrics (file_path, last_updated) VALUES ('one more', 0)",
            "UPDATE file_metrics SET rowid = 9000 WHERE loc = 5",
        ];
        for change in changes {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("new.db");
            let (load, rows) = loaded(&path, 10);
            let order = rows.order;
            load.make_indexes().unwrap();
            Connection::open(&path).unwrap().execute(change, []).unwrap();
            let rows = WrittenRows::open(&path, order, None, &progress()).unwrap();
            assert!(is_damage(&read(&rows).unwrap_err()), "{change}");
        }
    }

    #[test]
    fn overwritten_pages_are_reported_as_corruption() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        // More than fits into SQLite's cache.
        let (_load, rows) = loaded(&path, 60_000);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        for page in 1..=file.metadata().unwrap().len() / 4096 {
            file.write_all_at(&[0xff; 4096], page * 4096).unwrap();
        }
        let error = read(&rows).unwrap_err();
        assert!(is_damage(&error), "{error}");
    }
}
