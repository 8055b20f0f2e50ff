//! Writes records into the tables of an existing database, in one transaction.

pub(crate) mod final_ids;
pub(crate) mod full_text;
pub(crate) mod id_swap;
pub(crate) mod references;
pub(crate) mod rows;
pub(crate) mod skipped_triggers;
pub(crate) mod stored_records;
pub(crate) mod tables;
pub(crate) mod target;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::sqlite::merge::full_text::StaleIndex;
use crate::sqlite::merge::id_swap::IdSwap;
use crate::sqlite::merge::references::has_foreign_keys;
use crate::sqlite::merge::rows::written_rows;
use crate::sqlite::merge::skipped_triggers::skipped_triggers;
use crate::sqlite::merge::stored_records::StoredRecords;
use crate::sqlite::merge::tables::statements_of;
use crate::sqlite::merge::target::{TargetPath, connect, failed};
use crate::sqlite::open::connection::{set_temp_dir, unknown_collation};
use crate::sqlite::open::open_mode::SourceFiles;
use crate::sqlite::read::options::SourceOptions;
use crate::sqlite::read::other_tables;
use crate::sqlite::read::snapshot::SqliteSnapshot;
use crate::sqlite::read::symbol_graph::has_graph;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::write::key_lookup::KeyLookup;
use crate::sqlite::write::upsert::Upsert;
use crate::sqlite::write::writer::{create_indexes, create_table, set_sequence};
use crate::table::TableSchema;

/// A database in a write transaction; dropping it rolls back.
#[derive(Debug)]
pub(crate) struct SqliteMerge {
    pub(crate) connection: Connection,
    files: SourceFiles,
    path: PathBuf,
    shown: PathBuf,
    pub(crate) tables: PerKind<Option<MergedTable>>,
}

/// How a table is written.
#[derive(Debug)]
pub(crate) struct MergedTable {
    pub(crate) layout: TableColumns,
    pub(crate) upsert: Upsert,
    pub(crate) parking: Option<IdSwap>,
    /// Checks the stored form of records, if the table may convert their values.
    pub(crate) stored: Option<StoredRecords>,
    pub(crate) checks: Vec<RowCheck>,
}

/// The checks on written rows after all have been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowCheck {
    ForeignKeys,
    SymbolGraph,
}

/// Full-text tables and triggers of the tables that a merge wrote.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    pub(crate) rebuilt: Vec<String>,
    pub(crate) stale: Vec<StaleIndex>,
    pub(crate) skipped_triggers: Vec<String>,
}

impl SqliteMerge {
    /// Opens a database for writing and takes its write lock. Creates missing tables for the kinds
    /// in `needed`.
    ///
    /// Triggers and foreign key actions don't run, so no other table changes.
    ///
    /// # Errors
    /// Among others: [`Error::UnwritableTable`].
    pub(crate) fn begin(
        target: TargetPath<'_>,
        needed: KindSet,
        temp_dir: Option<&Path>,
        progress: &Progress,
    ) -> Result<Self> {
        let TargetPath { path, shown } = target;
        let files = SourceFiles::probe_as(shown, path)?.locked_by_us();
        let connection = connect(target, progress)?;
        let mut merge = SqliteMerge {
            connection,
            files,
            path: path.to_owned(),
            shown: shown.to_owned(),
            tables: PerKind::default(),
        };
        merge.sql(|connection| connection.execute_batch("BEGIN IMMEDIATE"))?;
        if let Some(dir) = temp_dir {
            set_temp_dir(&merge.connection, dir)?;
        }
        for kind in needed.iter() {
            *merge.tables.get_mut(kind) = merge.open_table(kind)?;
        }
        Ok(merge)
    }

    fn open_table(&self, kind: RecordKind) -> Result<Option<MergedTable>> {
        let connection = &self.connection;
        if !self.sql(|connection| other_tables::exists(connection, kind))? {
            self.sql(|connection| {
                create_table(connection, kind).and_then(|()| create_indexes(connection, kind))
            })?;
        }
        let encoding = TextEncoding::of(connection, &self.shown)?;
        let layout = TableColumns::read(connection, &self.shown, kind, encoding.is_utf16())?;
        let Some(layout) = layout else {
            return Ok(None);
        };
        let lookup = self.sql(|connection| KeyLookup::with_index(connection, &layout))?;
        let upsert = Upsert::new(&layout, lookup);
        for statement in upsert.statements() {
            connection.prepare(statement).map_err(|error| self.takes_no_record(kind, error))?;
        }
        let table = layout.schema.table;
        let (stored, has_keys, has_graph) = self.sql(|connection| {
            let is_symbols = kind == RecordKind::SymbolMetrics;
            Ok((
                StoredRecords::of(connection, &layout, kind, encoding)?,
                has_foreign_keys(connection, table)?,
                is_symbols && has_graph(connection)?,
            ))
        })?;
        let mut checks = Vec::new();
        checks.extend(has_keys.then_some(RowCheck::ForeignKeys));
        checks.extend(has_graph.then_some(RowCheck::SymbolGraph));
        if !checks.is_empty() {
            let columns = "row_id INTEGER PRIMARY KEY, record_key BLOB, is_new INTEGER";
            let create = format!("CREATE TEMP TABLE {} ({columns})", written_rows(kind));
            self.sql(|connection| connection.execute_batch(&create))?;
        }
        Ok(Some(MergedTable { parking: IdSwap::new(&layout), upsert, stored, checks, layout }))
    }

    /// The error for a table into which no record can be written at all. SQLite reports this when
    /// it prepares or runs the statement.
    pub(crate) fn takes_no_record(&self, kind: RecordKind, error: rusqlite::Error) -> Error {
        let message = match &error {
            error if unknown_collation(error).is_some() => None,
            rusqlite::Error::SqlInputError { msg, .. } => Some(msg),
            rusqlite::Error::SqliteFailure(code, message) if code.code == ErrorCode::Unknown => {
                message.as_ref()
            }
            _ => None,
        };
        let Some(message) = message else {
            return self.failed()(error);
        };
        Error::UnwritableTable {
            path: self.shown.clone(),
            table: kind.table(),
            why: message.clone(),
        }
    }

    pub(crate) fn sql<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        run(&self.connection).map_err(self.failed())
    }

    pub(crate) fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + '_ {
        failed(TargetPath { path: &self.path, shown: &self.shown })
    }

    /// Sets the id sequences of the tables of `kinds`.
    pub(crate) fn set_sequences(&self, kinds: KindSet, sequences: IdSequences) -> Result<()> {
        for kind in kinds.iter() {
            if kind.has_ids() && sequences.get(kind) > 0 {
                self.sql(|connection| set_sequence(connection, kind, sequences.get(kind)))?;
            }
        }
        Ok(())
    }

    /// Rebuilds the full-text tables of the changed tables, and finds the triggers on them that did
    /// not run.
    pub(crate) fn update_derived(
        &mut self,
        changed: KindSet,
        tables: &[&TableSchema],
    ) -> Result<Derived> {
        let mut names: Vec<&str> = changed.iter().map(RecordKind::table).collect();
        names.extend(tables.iter().map(|table| table.name.as_str()));
        let mut derived = self.sql(|connection| full_text::rebuild(connection, &names))?;
        let of_tables: Vec<_> = tables.iter().map(|table| statements_of(table)).collect();
        let mut statements = Vec::new();
        for (table, of_table) in tables.iter().zip(&of_tables) {
            statements.extend(of_table.iter().map(|sql| (table.name.as_str(), sql.as_str())));
        }
        for kind in changed.iter() {
            if let Some(table) = self.tables.get(kind) {
                let of_table = table.upsert.statements();
                statements.extend(of_table.map(|sql| (table.layout.schema.table, sql)));
            }
        }
        let skipped = skipped_triggers(&mut self.connection, &statements, &derived.rebuilt);
        derived.skipped_triggers = skipped.map_err(self.failed())?;
        Ok(derived)
    }

    /// A snapshot of the database as the uncommitted transaction sees it.
    pub(crate) fn into_snapshot(
        self,
        options: &SourceOptions,
        progress: &Progress,
    ) -> Result<SqliteSnapshot> {
        SqliteSnapshot::over(self.connection, self.files, options, progress)
    }
}

impl SqliteSnapshot {
    /// Commits the transaction that [`SqliteMerge::into_snapshot`] reads in.
    pub(crate) fn commit(self, target: TargetPath<'_>) -> Result<()> {
        let connection = self.into_connection();
        connection.execute_batch("COMMIT").map_err(failed(target))?;
        connection.close().map_err(|(_, error)| Error::from_engine("write", target.shown, error))
    }
}
