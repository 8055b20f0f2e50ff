//! Loads records into a new database.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::error::{Error, IoContext as _, Result};
use crate::progress::Progress;
use crate::record::{IdSequences, PerKind, RecordKind};
use crate::sqlite::open::connection::{set_temp_dir, stop_when_cancelled, writing};
use crate::sqlite::open::hardening::SORTING_THREADS;
use crate::sqlite::scratch::sets::IdSet;
use crate::sqlite::write::row_order::{RowOrder, RowOrderWriter};
use crate::sqlite::write::writer::{create_indexes, create_table, insert_sql, set_sequences};
use crate::stream::RowBatch;

/// Memory in KiB that SQLite may use for the page cache.
const CACHE_KIB: i64 = 16 << 10;

/// A new database that is being loaded, without a journal: nobody can see the file until it is
/// published.
#[derive(Debug)]
pub(crate) struct SqliteBulkLoader {
    connection: Connection,
    path: PathBuf,
    inserts: PerKind<String>,
    duplicate_ids: IdSet,
    keeps_order: bool,
    order: PerKind<Option<RowOrderWriter>>,
}

impl SqliteBulkLoader {
    /// Creates a new database with empty tables. If it records the insertion order of its rows,
    /// they can be read back in that order without sorting.
    pub(crate) fn create(
        path: &Path,
        temp_dir: Option<&Path>,
        keeps_order: bool,
        progress: &Progress,
    ) -> Result<Self> {
        // Created here, because SQLite would open an existing file.
        File::create_new(path).io_context("create", path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(writing(path))?;
        begin(&mut connection, progress).map_err(writing(path))?;
        if let Some(dir) = temp_dir {
            set_temp_dir(&connection, dir)?;
        }
        for kind in RecordKind::ALL {
            create_table(&connection, kind).map_err(writing(path))?;
        }
        Ok(SqliteBulkLoader {
            connection,
            path: path.to_owned(),
            inserts: PerKind::from_fn(insert_sql),
            duplicate_ids: IdSet::new(temp_dir),
            keeps_order,
            order: PerKind::default(),
        })
    }

    /// Inserts records of one kind. A record whose id is already taken is skipped, and its id added
    /// to the duplicates.
    pub(crate) fn insert(&mut self, kind: RecordKind, records: &RowBatch) -> Result<()> {
        let statement = self.connection.prepare_cached(self.inserts.get(kind));
        let mut statement = statement.map_err(writing(&self.path))?;
        // Inserting in id order fills each page of the table before the next one is begun.
        let mut by_id: Vec<_> = records.rows().enumerate().collect();
        by_id.sort_by_key(|(_, row)| row.id());
        let mut rowids = Vec::with_capacity(by_id.len());
        for (place, row) in by_id {
            match statement.insert(params_from_iter(row.values())) {
                Ok(rowid) => rowids.push((place, rowid)),
                Err(error) if is_taken_id(&error) => {
                    if let Some(id) = row.id() {
                        self.duplicate_ids.insert(kind, id)?;
                    }
                }
                Err(error) => return Err(writing(&self.path)(error)),
            }
        }
        drop(statement);
        match self.keeps_order {
            true => self.keep_order(kind, rowids),
            false => Ok(()),
        }
    }

    /// Records the row ids of a batch in the batch's original order.
    fn keep_order(&mut self, kind: RecordKind, mut rowids: Vec<(usize, i64)>) -> Result<()> {
        rowids.sort_unstable_by_key(|(place, _)| *place);
        let order = self.order.get_mut(kind);
        let order = match order {
            Some(order) => order,
            None => {
                let folder = self.path.parent().unwrap_or(Path::new("."));
                order.insert(RowOrderWriter::create(folder)?)
            }
        };
        rowids.into_iter().try_for_each(|(_, rowid)| order.push(rowid))
    }

    /// Returns the ids that occurred more than once, and clears them.
    pub(crate) fn take_duplicate_ids(&mut self) -> IdSet {
        std::mem::take(&mut self.duplicate_ids)
    }

    /// Sets the id sequences and commits: all rows are in the file, but no indexes.
    pub(crate) fn commit_rows(&mut self, sequences: IdSequences) -> Result<()> {
        set_sequences(&self.connection, sequences)
            .and_then(|()| self.connection.execute_batch("COMMIT"))
            .map_err(writing(&self.path))
    }

    /// The insertion order of each kind that has rows, if it was recorded.
    pub(crate) fn take_order(&mut self) -> Result<PerKind<Option<RowOrder>>> {
        let mut orders = PerKind::default();
        for kind in RecordKind::ALL {
            let order = self.order.get_mut(kind).take();
            *orders.get_mut(kind) = order.map(RowOrderWriter::finish).transpose()?;
        }
        Ok(orders)
    }

    /// Builds the indexes after the rows, whose pages don't change, closes the file and syncs it to
    /// disk.
    pub(crate) fn make_indexes(self) -> Result<()> {
        let path = self.path.as_path();
        self.connection.execute_batch("BEGIN").map_err(writing(path))?;
        for kind in RecordKind::ALL {
            create_indexes(&self.connection, kind).map_err(writing(path))?;
        }
        self.connection.execute_batch("COMMIT").map_err(writing(path))?;
        self.connection.close().map_err(|(_, error)| Error::from_engine("write", path, error))?;
        File::open(path).and_then(|file| file.sync_all()).io_context("sync", path)
    }
}

fn begin(connection: &mut Connection, progress: &Progress) -> rusqlite::Result<()> {
    stop_when_cancelled(connection, progress)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "threads", SORTING_THREADS)?;
    connection.execute_batch("BEGIN")
}

/// Whether SQLite rejected a row because its row id is taken.
pub(crate) fn is_taken_id(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID};
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID))
}
