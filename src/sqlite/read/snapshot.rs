//! A consistent snapshot of a database's records.

use std::path::Path;

use rusqlite::Connection;

use crate::codec::Entry;
use crate::error::{Error, Result, SHOWN_PROBLEMS};
use crate::fsio::StoreKind;
use crate::progress::{Progress, Stage};
use crate::record::{IdSequences, RecordKind};
use crate::sqlite::open::connection::{open_for_reading, reading};
use crate::sqlite::open::open_mode::SourceFiles;
use crate::sqlite::read::catalog::Catalog;
use crate::sqlite::read::options::SourceOptions;
use crate::sqlite::read::other_tables;
use crate::sqlite::read::row_reader::OpenTable;
use crate::sqlite::read::scan::Scan;
use crate::sqlite::read::symbol_graph::{has_graph, visit_wrong_symbols};
use crate::sqlite::read::table_stats::{TableStats, has_unknown_column};
use crate::sqlite::tables::read::TableScan;
use crate::stream::{ManifestTotals, Origin, Source, UncopiedTable, Visited};
use crate::table::{CarriedTables, TableSchema};

/// A database in one read transaction.
///
/// The source is not changed and no file appears next to it. If the state of its files allows no
/// lock (a WAL-mode database that no process has open), a concurrent writer is detected only
/// afterwards: call [`SqliteSnapshot::confirm`] before using the results.
#[derive(Debug)]
pub struct SqliteSnapshot {
    connection: Connection,
    files: SourceFiles,
    contents: Catalog,
}

impl SqliteSnapshot {
    /// Opens a database and scans its tables.
    ///
    /// # Errors
    /// Among others: no such file; a hot journal; a lock that another process holds for five
    /// seconds; a damaged file; none of the four tables; a table that is a view or virtual; a
    /// missing column, or an unknown one with values. See [`Error`].
    pub fn open(path: &Path, options: &SourceOptions, progress: &Progress) -> Result<Self> {
        Self::open_probed(SourceFiles::probe(path)?, options, progress)
    }

    /// Opens a probed database, as [`SqliteSnapshot::open`] does.
    pub(crate) fn open_probed(
        mut files: SourceFiles,
        options: &SourceOptions,
        progress: &Progress,
    ) -> Result<Self> {
        let opened = Self::open_files(&mut files, options, progress);
        match opened {
            Ok((connection, contents)) => Ok(SqliteSnapshot { connection, files, contents }),
            Err(_) if progress.is_cancelled() => Err(Error::Cancelled),
            // In any mode, before the first lock is taken, a writer may start, or the last one may
            // exit and remove its sidecar files.
            Err(error) if error.is_about_database() && !files.unchanged().unwrap_or(true) => {
                Err(changed(&files.given))
            }
            Err(error) => Err(error),
        }
    }

    /// A snapshot through a connection that is already in a transaction.
    pub(crate) fn over(
        connection: Connection,
        files: SourceFiles,
        options: &SourceOptions,
        progress: &Progress,
    ) -> Result<Self> {
        let contents = Catalog::read(&connection, &files, options, progress)?;
        Ok(SqliteSnapshot { connection, files, contents })
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    fn open_files(
        files: &mut SourceFiles,
        options: &SourceOptions,
        progress: &Progress,
    ) -> Result<(Connection, Catalog)> {
        log::info!("{}: SQLite, opened {}", files.given.display(), files.access);
        let connection = open_for_reading(files, options.temp_dir.as_deref(), progress)?;
        files.record_locked_state()?;
        if options.check_integrity {
            progress.start(Stage::CheckSource, None);
            check_integrity(&connection, &files.given)?;
            progress.finish();
        }
        let contents = Catalog::read(&connection, files, options, progress)?;
        Ok((connection, contents))
    }

    /// Statistics of a kind's table; all 0 if it is missing or not selected.
    pub fn survey(&self, kind: RecordKind) -> TableStats {
        *self.contents.surveys.get(kind)
    }

    /// The virtual tables, such as full-text indexes, by name.
    pub fn virtual_tables(&self) -> Result<Vec<UncopiedTable>> {
        let names = other_tables::virtual_tables(&self.connection);
        let names = names.map_err(reading(&self.files.given))?;
        let mut tables = self.other_tables()?;
        tables.retain(|table| names.contains(&table.name));
        Ok(tables)
    }

    /// With an undetected writer, any SQLite error is possible, so the writer is reported as the
    /// cause.
    fn attribute_to_writer(&self, error: Error) -> Error {
        if error.is_about_database() && !self.files.is_consistent().unwrap_or(true) {
            changed(&self.files.given)
        } else {
            error
        }
    }
}

impl Source for SqliteSnapshot {
    fn path(&self) -> &Path {
        &self.files.given
    }

    fn store(&self) -> StoreKind {
        StoreKind::Sqlite
    }

    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(layout) = self.contents.tables.get(kind) else {
            return Ok(());
        };
        let survey = self.contents.surveys.get(kind);
        let table = OpenTable {
            connection: &self.connection,
            path: &self.files.given,
            kind,
            layout,
            encoding: self.contents.encoding,
        };
        let scan = Scan { table, ids_are_unique: survey.ids_are_unique };
        scan.run(visit)
            .and_then(|rows| table.check_count(survey.rows, rows))
            .map_err(|error| self.attribute_to_writer(error))
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        Some(self.survey(kind).rows)
    }

    fn entries_are_canonical(&self) -> bool {
        true
    }

    fn sequences(&self) -> Result<IdSequences> {
        other_tables::sequences(&self.connection, &self.contents.tables)
            .map_err(reading(&self.files.given))
            .map_err(|error| self.attribute_to_writer(error))
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn visit_unknown(&self, _visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn manifest_totals(&self) -> Result<Option<ManifestTotals>> {
        Ok(None)
    }

    fn origin(&self) -> Result<Option<Origin>> {
        Ok(None)
    }

    fn closed_cleanly(&self) -> bool {
        true
    }

    fn schema_version(&self) -> Option<i64> {
        self.contents.schema_version
    }

    fn missing(&self) -> &[RecordKind] {
        &self.contents.missing
    }

    fn other_tables(&self) -> Result<Vec<UncopiedTable>> {
        let described = &self.contents.described;
        if described.carried.whole.is_some() {
            return Ok(described.left_out.clone());
        }
        let others = other_tables::other_tables(&self.connection, &self.contents.tables)
            .map_err(reading(&self.files.given))
            .map_err(|error| self.attribute_to_writer(error))?;
        Ok(described.without_carried(others))
    }

    fn visit_wrong_symbols(&self, visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        let failed = |error| self.attribute_to_writer(reading(&self.files.given)(error));
        let metrics = self.contents.tables.get(RecordKind::SymbolMetrics);
        if metrics.is_none() || !has_graph(&self.connection).map_err(failed)? {
            return Ok(());
        }
        visit_wrong_symbols(&self.connection, None, &failed, &mut |wrong| {
            visit(wrong.symbol_id, wrong.message)
        })
    }

    fn carried(&self) -> Option<&CarriedTables> {
        let described = &self.contents.described;
        described.is_selected.then_some(&described.carried)
    }

    fn left_out(&self) -> &[UncopiedTable] {
        &self.contents.described.left_out
    }

    fn visit_table(
        &self,
        table: &TableSchema,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        let described = &self.contents.described;
        let access = described
            .access_to(&table.name)
            .ok_or_else(|| Error::Internal(format!("table {:?} is not carried", table.name)))?;
        let scan = TableScan {
            connection: &self.connection,
            path: &self.files.given,
            encoding: self.contents.encoding,
            table,
            access,
        };
        scan.run(visit).map(|_| ()).map_err(|error| self.attribute_to_writer(error))
    }

    fn has_unknown_column(&self, column: &str) -> bool {
        has_unknown_column(&self.contents.tables, column)
    }

    fn expected_bytes(&self) -> u64 {
        let bytes = RecordKind::ALL.map(|kind| self.survey(kind).expected_bytes());
        let of_kinds = bytes.iter().sum();
        match self.carried() {
            Some(_) => self.files.len().unwrap_or(of_kinds).max(of_kinds),
            None => of_kinds,
        }
    }

    fn sorting_bytes(&self) -> u64 {
        let bytes = RecordKind::ALL.map(|kind| self.survey(kind).sorting_bytes());
        bytes.into_iter().max().unwrap_or(0)
    }

    fn confirm(&self) -> Result<()> {
        match self.files.is_consistent()? {
            true => Ok(()),
            false => Err(changed(&self.files.given)),
        }
    }
}

fn changed(path: &Path) -> Error {
    Error::DatabaseChanged { path: path.to_owned() }
}

fn check_integrity(connection: &Connection, path: &Path) -> Result<()> {
    let problems: Vec<String> = connection
        // One more than is told, to know whether there are more.
        .prepare(&format!("PRAGMA integrity_check({})", SHOWN_PROBLEMS + 1))
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(reading(path))?;
    if problems == ["ok"] {
        return Ok(());
    }
    Err(Error::IntegrityCheck { path: path.to_owned(), problems })
}
