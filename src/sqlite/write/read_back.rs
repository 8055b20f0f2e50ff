//! Reads back the rows that this process has just written into a new database.
//!
//! They are read in the order of their tables, so nothing is sorted. Meanwhile indexes and other tables
//! may be appended to the database.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::codec::write_own_key;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::sqlite::open::connection::{open_for_reading, reading};
use crate::sqlite::open::open_mode::SourceFiles;
use crate::sqlite::read::other_tables;
use crate::sqlite::read::row::read_values;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::tables::describe::Described;
use crate::sqlite::tables::read::TableScan;
use crate::stream::Visited;
use crate::table::{CarriedTables, TableSchema, TableSelection};

/// The rows of a new database that only this process knows.
#[derive(Debug)]
pub(crate) struct WrittenRows {
    connection: Connection,
    path: PathBuf,
    encoding: TextEncoding,
    tables: PerKind<Option<TableColumns>>,
    /// The restored tables.
    described: Described,
}

impl WrittenRows {
    /// Opens a database that this process is still writing, but only appends other tables and
    /// indexes to from now on. Ignores the writer's lock.
    pub(crate) fn open(
        path: &Path,
        restored: Option<&CarriedTables>,
        progress: &Progress,
    ) -> Result<Self> {
        let files = SourceFiles::probe(path)?.appended_by_us();
        let connection = open_for_reading(&files, None, progress)?;
        let encoding = TextEncoding::of(&connection, path)?;
        let mut tables = PerKind::default();
        for kind in record_kinds(restored).iter() {
            let layout = TableColumns::read(&connection, path, kind, encoding.is_utf16())?;
            *tables.get_mut(kind) = layout;
        }
        let described = match restored {
            Some(carried) => {
                let names = carried.in_key_order().into_iter().map(|table| table.name.clone());
                let selection = TableSelection::Named(names.collect());
                Described::read(&connection, path, files.wal_mode, &selection, KindSet::NONE)?
            }
            None => Described::default(),
        };
        Ok(WrittenRows { connection, path: path.to_owned(), encoding, tables, described })
    }

    /// The id sequences.
    pub(crate) fn sequences(&self) -> Result<IdSequences> {
        other_tables::sequences(&self.connection, &self.tables).map_err(reading(&self.path))
    }

    /// Calls `visit` for every row of a restored table.
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
        scan.run_unordered(visit)
    }

    /// Calls `visit` for every row of a kind. Returns `false` if one of them is not a record.
    pub(crate) fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<bool> {
        let Some(layout) = self.tables.get(kind) else {
            // A restored database need not have every table.
            return Ok(true);
        };
        let failed = reading(&self.path);
        let sql = format!("SELECT {} FROM {}", layout.select_list(), layout.table_clause());
        let mut statement = self.connection.prepare(&sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let mut key = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let Ok(values) = read_values(kind.schema(), row, self.encoding).map_err(&failed)?
            else {
                return Ok(false);
            };
            key.clear();
            write_own_key(&values, &mut key);
            visit(Visited::Row { key: &key, values: &values })?;
        }
        Ok(true)
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
    use std::collections::BTreeSet;
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

    /// A database with this many rows.
    fn loaded(path: &Path, rows: i64) -> (SqliteBulkLoader, WrittenRows) {
        let mut load = SqliteBulkLoader::create(path, None, None, &progress()).unwrap();
        let mut records = RowBatch::default();
        (0..rows).for_each(|number| records.push(record(number).values()));
        load.insert(KIND, &records).unwrap();
        load.commit_rows(IdSequences::default()).unwrap();
        let written = WrittenRows::open(path, None, &progress()).unwrap();
        (load, written)
    }

    /// The keys of all rows; `None` if one is not a record.
    fn read(rows: &WrittenRows) -> Result<Option<BTreeSet<Vec<u8>>>> {
        let mut keys = BTreeSet::new();
        let are_valid = rows.visit(KIND, &mut |visited| {
            assert!(keys.insert(visited.key().unwrap_or_default().to_vec()));
            Ok(())
        })?;
        Ok(are_valid.then_some(keys))
    }

    #[test]
    fn rows_are_read_even_after_indexes_are_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let (load, rows) = loaded(&path, 20_000);
        load.make_indexes().unwrap();
        let expected = (0..20_000).map(|n| format!("metrics:file:src/{n:07}.rs").into_bytes());
        assert_eq!(read(&rows).unwrap(), Some(expected.collect()));
        let counted = count_rows(&path, None, &progress()).unwrap();
        assert_eq!((counted.chunk, counted.file_metrics), (0, 20_000));
    }

    #[test]
    fn a_row_that_is_no_record_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let (load, _) = loaded(&path, 10);
        load.make_indexes().unwrap();
        let change = "UPDATE file_metrics SET loc = 'many' WHERE loc = 5";
        Connection::open(&path).unwrap().execute(change, []).unwrap();
        let rows = WrittenRows::open(&path, None, &progress()).unwrap();
        assert_eq!(read(&rows).unwrap(), None);
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
        assert!(matches!(error, Error::CorruptDatabase { .. }), "{error}");
    }
}
