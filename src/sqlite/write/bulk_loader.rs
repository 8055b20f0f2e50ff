//! Loads records into a new database.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::codec::write_own_key;
use crate::error::{Error, IoContext as _, Result};
use crate::progress::Progress;
use crate::record::{IdSequences, PerKind, RecordKind};
use crate::sqlite::open::connection::{set_temp_dir, stop_when_cancelled, writing};
use crate::sqlite::open::hardening::SORTING_THREADS;
use crate::sqlite::scratch::sets::Refusals;
use crate::sqlite::tables::describe::Described;
use crate::sqlite::tables::restore;
use crate::sqlite::tables::row_inserter::{RowInserter, is_refusal};
use crate::sqlite::tables::trial::{Refused, limit_length};
use crate::sqlite::write::writer::{create_indexes, create_table, insert_sql, set_sequence};
use crate::stream::{Batch, RowBatch};
use crate::table::{CarriedTables, Settings, TableSchema, TableSelection, read_row};

/// Memory in KiB that SQLite may use for the page cache.
const CACHE_KIB: i64 = 16 << 10;

/// A new database that is being loaded, without a journal: nobody can see the file until it is
/// published.
#[derive(Debug)]
pub(crate) struct SqliteBulkLoader {
    connection: Connection,
    path: PathBuf,
    inserts: PerKind<String>,
    /// The kinds whose table exists.
    created: PerKind<bool>,
    /// The tables that are restored.
    carried: Option<CarriedTables>,
    /// Whether the indexes of the restored tables exist.
    has_indexes: bool,
    /// Length of the longest entry, which no value exceeds.
    longest: u64,
    refusals: Refusals,
}

/// The tables that a new database is to have.
#[derive(Debug, Clone)]
pub(crate) struct Restored {
    pub(crate) carried: CarriedTables,
    /// What else the source has, which this build of SQLite can't create.
    pub(crate) impossible: Vec<Refused>,
    /// No value is longer than this.
    pub(crate) longest: u64,
    /// Whether indexes are built before rows are inserted, so that a row which a unique one refuses
    /// is known.
    pub(crate) indexes_first: bool,
}

impl Restored {
    /// The tables of a source without what can't be created of them. Instead of the table of a kind,
    /// a new database has the one it would have if no tables were carried.
    ///
    /// # Errors
    /// SQLite can't create an empty database in memory.
    pub(crate) fn new(
        carried: &CarriedTables,
        impossible: Vec<Refused>,
        longest: u64,
    ) -> Result<Self> {
        let mut carried = carried.clone();
        let is_possible = |object_type: &str, name: &str| {
            !impossible.iter().any(|refused| refused.is_of(object_type, name))
        };
        let kinds: Vec<_> = carried
            .tables
            .extract_if(.., |table| !is_possible("table", &table.name))
            .filter_map(|table| table.kind)
            .collect();
        if let Some(whole) = &mut carried.whole {
            whole.objects.retain(|object| is_possible(object.object_type.noun(), &object.name));
        }
        carried.sequences.retain(|(name, _)| is_possible("table", name));
        for kind in kinds {
            carried.tables.extend(new_table(kind)?);
        }
        Ok(Restored { carried, impossible, longest, indexes_first: false })
    }
}

impl SqliteBulkLoader {
    /// Creates a new database with empty tables: the restored ones, or the tables of the four kinds.
    pub(crate) fn create(
        path: &Path,
        temp_dir: Option<&Path>,
        restored: Option<Restored>,
        progress: &Progress,
    ) -> Result<Self> {
        // Created here, because SQLite would open an existing file.
        File::create_new(path).io_context("create", path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(writing(path))?;
        // First of all, because a setting of the database is written at once.
        configure(&mut connection, progress).map_err(writing(path))?;
        if let Some(restored) = &restored {
            restore::prepare(&connection, &restored.carried, restored.longest)
                .map_err(writing(path))?;
        }
        connection.execute_batch("BEGIN").map_err(writing(path))?;
        if let Some(dir) = temp_dir {
            set_temp_dir(&connection, dir)?;
        }
        let mut created = PerKind::from_fn(|_| restored.is_none());
        match &restored {
            Some(Restored { carried, indexes_first, .. }) => {
                restore::create_tables(&mut connection, carried).map_err(writing(path))?;
                if *indexes_first {
                    restore::create_indexes(&mut connection, carried).map_err(writing(path))?;
                }
                let kinds = carried.tables.iter().filter_map(|table| table.kind);
                kinds.for_each(|kind| *created.get_mut(kind) = true);
            }
            None => RecordKind::ALL
                .into_iter()
                .try_for_each(|kind| create_table(&connection, kind))
                .map_err(writing(path))?,
        }
        Ok(SqliteBulkLoader {
            connection,
            created,
            has_indexes: restored.as_ref().is_some_and(|restored| restored.indexes_first),
            carried: restored.map(|restored| restored.carried),
            longest: 0,
            path: path.to_owned(),
            inserts: PerKind::from_fn(insert_sql),
            refusals: Refusals::new(temp_dir),
        })
    }

    /// Inserts records of one kind. A record that the table refuses is skipped, and added to the
    /// refusals: with its id if that is taken.
    pub(crate) fn insert(&mut self, kind: RecordKind, records: &RowBatch) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        if !std::mem::replace(self.created.get_mut(kind), true) {
            create_table(&self.connection, kind).map_err(writing(&self.path))?;
        }
        let statement = self.connection.prepare_cached(self.inserts.get(kind));
        let mut statement = statement.map_err(writing(&self.path))?;
        // Inserting in id order fills each page of the table before the next one is begun.
        let mut by_id: Vec<_> = records.rows().collect();
        by_id.sort_by_key(|row| row.id());
        for row in by_id {
            match statement.execute(params_from_iter(row.values())) {
                Ok(_) => {}
                Err(error) if is_taken_id(&error) => {
                    if let Some(id) = row.id() {
                        self.refusals.ids.insert(kind, id)?;
                    }
                }
                Err(error) if is_refusal(&error) => {
                    let mut key = Vec::new();
                    if let Some(record) = row.record() {
                        write_own_key(&record, &mut key);
                    }
                    self.refusals.rows.insert(&key, &error.to_string())?;
                }
                Err(error) => return Err(writing(&self.path)(error)),
            }
        }
        Ok(())
    }

    /// Inserts canonical rows of a restored table. A row that the table refuses is skipped, and added
    /// to the refusals.
    pub(crate) fn insert_rows(&mut self, table: &TableSchema, rows: &Batch) -> Result<()> {
        let failed = writing(&self.path);
        let mut inserter = RowInserter::new(&self.connection, table).map_err(&failed)?;
        for entry in rows.entries() {
            self.longest = self.longest.max(entry.value.len() as u64);
            let row = read_row(table, entry.value)
                .map_err(|error| Error::Internal(format!("a row is not canonical: {error}")))?;
            if let Some(why) = inserter.insert(&row).map_err(&failed)? {
                self.refusals.rows.insert(entry.key, &why)?;
            }
        }
        Ok(())
    }

    /// Returns what the tables have refused, and forgets it.
    pub(crate) fn take_refusals(&mut self) -> Refusals {
        std::mem::take(&mut self.refusals)
    }

    /// Sets the id sequences and commits: all rows are in the file, but no indexes.
    pub(crate) fn commit_rows(&mut self, sequences: IdSequences) -> Result<()> {
        let carried = self.carried.as_ref();
        carried
            .map_or(Ok(()), |carried| restore::set_sequences(&self.connection, carried))
            .and_then(|()| self.set_sequences_of_kinds(sequences))
            .and_then(|()| self.apply_settings())
            .and_then(|()| self.connection.execute_batch("COMMIT"))
            .map_err(writing(&self.path))
    }

    fn set_sequences_of_kinds(&self, sequences: IdSequences) -> rusqlite::Result<()> {
        let kinds = RecordKind::ALL.into_iter().filter(|kind| kind.has_ids());
        kinds
            .filter(|kind| *self.created.get(*kind))
            .try_for_each(|kind| set_sequence(&self.connection, kind, sequences.get(kind)))
    }

    /// The settings that are restored, if a whole database is.
    fn settings(&self) -> Option<&Settings> {
        let whole = self.carried.as_ref()?.whole.as_ref()?;
        Some(&whole.settings)
    }

    /// Also gives a database without tables its first page.
    fn apply_settings(&self) -> rusqlite::Result<()> {
        let settings = self.settings().copied().unwrap_or_default();
        match self.carried {
            Some(_) => restore::apply_settings(&self.connection, &settings),
            None => Ok(()),
        }
    }

    /// The restored tables without those that can't be created.
    pub(crate) const fn restored(&self) -> Option<&CarriedTables> {
        self.carried.as_ref()
    }

    /// Whether pages with rows may move when indexes are built, as SQLite's auto-vacuum requires.
    pub(crate) fn moves_pages(&self) -> bool {
        let whole = self.carried.as_ref().and_then(|carried| carried.whole.as_ref());
        whole.is_some_and(|whole| whole.settings.auto_vacuum != 0)
    }

    /// Builds the indexes after the rows, whose pages don't change, closes the file and syncs it to
    /// disk. Returns `false` if a unique index refuses some of the rows: the file is then of no use.
    pub(crate) fn make_indexes(mut self) -> Result<bool> {
        let path = self.path.as_path();
        self.connection.execute_batch("BEGIN").map_err(writing(path))?;
        for kind in RecordKind::ALL {
            let carried = self.carried.as_ref();
            let is_restored = carried.is_some_and(|carried| carried.of_kind(kind).is_some());
            if *self.created.get(kind) && !is_restored {
                create_indexes(&self.connection, kind).map_err(writing(path))?;
            }
        }
        if let Some(carried) = &self.carried {
            let connection = &mut self.connection;
            let indexes = limit_length(connection, self.longest)
                .and_then(|()| restore::create_virtual_tables(connection, carried))
                .and_then(|()| match self.has_indexes {
                    true => Ok(()),
                    false => restore::create_indexes(connection, carried),
                });
            match indexes {
                Err(error) if !self.has_indexes && is_refusal(&error) => return Ok(false),
                indexes => indexes.map_err(writing(path))?,
            }
            restore::create_views_and_triggers(connection, carried).map_err(writing(path))?;
        }
        self.connection.execute_batch("COMMIT").map_err(writing(path))?;
        let is_wal = self.settings().is_some_and(|settings| settings.wal);
        self.connection.close().map_err(|(_, error)| Error::from_engine("write", path, error))?;
        if is_wal {
            restore::set_wal(path).map_err(writing(path))?;
        }
        File::open(path).and_then(|file| file.sync_all()).io_context("sync", path)?;
        Ok(true)
    }
}

/// The description of the table of a kind in a new database.
fn new_table(kind: RecordKind) -> Result<Vec<Arc<TableSchema>>> {
    let in_memory = |source| Error::TempDatabase { source };
    let connection = Connection::open_in_memory().map_err(in_memory)?;
    create_table(&connection, kind).map_err(in_memory)?;
    let selection = TableSelection::Named(vec![kind.table().to_owned()]);
    let path = Path::new(":memory:");
    Ok(Described::read(&connection, path, false, &selection, kind.into())?.carried.tables)
}

/// Without a journal or a sync: nobody else can see the file.
fn configure(connection: &mut Connection, progress: &Progress) -> rusqlite::Result<()> {
    stop_when_cancelled(connection, progress)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "threads", SORTING_THREADS)
}

/// Whether SQLite rejected a row because its row id is taken.
pub(crate) fn is_taken_id(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID};
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID))
}
