//! Writing records into the tables of an existing database, in one transaction.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::defences::defend;
use super::error::SqliteError;
use super::files::DatabaseFiles;
use super::invalid_row::Reason;
use super::inventory;
use super::key_lookup::KeyLookup;
use super::layout::TableLayout;
use super::load::is_taken_id;
use super::open::{set_temp_dir, stop_when_cancelled, wait_for_locks, writing};
use super::options::SqliteSnapshotOptions;
use super::parking::Parking;
use super::schema::table_spec;
use super::side_files::super_journal;
use super::snapshot::SqliteSnapshot;
use super::upsert::Upsert;
use super::writer::{create_indexes, create_table, set_sequence};
use crate::error::{Error, IoContext as _, Result};
use crate::progress::Progress;
use crate::record::{PerKind, Record, RecordKind, Sequences};

/// Length of a new `-shm`.
const SHM_BYTES: usize = 32 << 10;

/// A database in a write transaction; dropping it takes everything back.
#[derive(Debug)]
pub(crate) struct SqliteMerge {
    connection: Connection,
    files: DatabaseFiles,
    path: PathBuf,
    tables: PerKind<Option<MergedTable>>,
}

/// How a table is written.
#[derive(Debug)]
struct MergedTable {
    upsert: Upsert,
    parking: Option<Parking>,
}

/// Why a table refused a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) column: &'static str,
    pub(crate) reason: Reason,
}

impl SqliteMerge {
    /// Opens a database for writing and takes its write lock. Triggers don't run, foreign keys are
    /// enforced. Tables that are not there are made for the kinds of `needed`.
    pub(crate) fn begin(
        path: &Path,
        needed: &[RecordKind],
        temp_dir: Option<&Path>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self> {
        let files = DatabaseFiles::classify(path)?.locked_by_us();
        let connection = connect(path, progress)?;
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(failed(path))?;
        if let Some(dir) = temp_dir {
            set_temp_dir(&connection, dir)?;
        }
        let mut tables = PerKind::default();
        for &kind in needed {
            if !inventory::exists(&connection, kind).map_err(failed(path))? {
                create_table(&connection, kind)
                    .and_then(|()| create_indexes(&connection, kind))
                    .map_err(failed(path))?;
            }
            let layout = TableLayout::read(&connection, path, kind, false)?;
            let Some(layout) = layout else {
                continue;
            };
            let lookup = KeyLookup::with_index(&connection, &layout);
            *tables.get_mut(kind) = Some(MergedTable {
                upsert: Upsert::new(&layout, lookup.map_err(failed(path))?),
                parking: Parking::new(&layout),
            });
        }
        Ok(SqliteMerge {
            connection,
            files,
            path: path.to_owned(),
            tables,
        })
    }

    /// Rolls back what a transaction that was cut off left in a hot journal.
    ///
    /// # Errors
    /// Among others: [`SqliteError::SuperJournal`].
    pub(crate) fn roll_back(path: &Path, progress: &Arc<dyn Progress>) -> Result<()> {
        if let Some(super_journal) = super_journal(path)? {
            return Err(SqliteError::SuperJournal {
                path: path.to_owned(),
                super_journal,
            }
            .into());
        }
        let connection = connect(path, progress)?;
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(failed(path))?;
        connection
            .close()
            .map_err(|(_, error)| SqliteError::from_engine("write", path, error).into())
    }

    /// Moves the row of a record's key, if there is one and it has another id, out of the way: two
    /// records may swap their ids. `is_taken` says which ids records have in the end.
    pub(crate) fn make_way(
        &mut self,
        record: &Record,
        is_taken: &mut dyn FnMut(i64) -> Result<bool>,
    ) -> Result<()> {
        let (Some(table), Some(id)) = (self.tables.get_mut(record.kind()), record.id()) else {
            return Ok(());
        };
        let Some(parking) = &mut table.parking else {
            return Ok(());
        };
        let written = |error| failed(&self.path)(error);
        let rowid = table
            .upsert
            .lookup()
            .find(&self.connection, record)
            .map_err(written)?;
        let Some(rowid) = rowid.filter(|rowid| *rowid != id) else {
            return Ok(());
        };
        loop {
            let free_id = parking.next_free_id(&self.connection).map_err(written)?;
            if !is_taken(free_id)? {
                let lookup = table.upsert.lookup();
                return parking
                    .move_row(&self.connection, rowid, free_id)
                    .and_then(|()| lookup.follow(&self.connection, record, free_id))
                    .map_err(written);
            }
        }
    }

    /// Writes a record over the row of its key, or as a new row; says why if the table's
    /// constraints refuse it.
    pub(crate) fn write(&mut self, record: &Record) -> Result<Option<Refusal>> {
        let Some(MergedTable { upsert, .. }) = self.tables.get(record.kind()) else {
            return Ok(None);
        };
        if let Some(column) = upsert.has_no_place_for(record) {
            let reason = Reason::Constraint;
            return Ok(Some(Refusal { column, reason }));
        }
        match upsert.write(&self.connection, record) {
            Ok(()) => Ok(None),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Ok(Some(refusal(record.kind(), &error)))
            }
            Err(error) => Err(failed(&self.path)(error)),
        }
    }

    /// Sets the high-water marks of the tables of some kinds.
    pub(crate) fn set_sequences(&mut self, kinds: &[RecordKind], marks: Sequences) -> Result<()> {
        for &kind in kinds {
            if table_spec(kind).id.is_some() && marks.get(kind) > 0 {
                set_sequence(&self.connection, kind, marks.get(kind))
                    .map_err(failed(&self.path))?;
            }
        }
        Ok(())
    }

    /// What the database would hold if the transaction ended now.
    pub(crate) fn into_snapshot(
        self,
        options: &SqliteSnapshotOptions,
        progress: &Arc<dyn Progress>,
    ) -> Result<SqliteSnapshot> {
        SqliteSnapshot::over(self.connection, self.files, options, progress)
    }
}

/// An error of SQLite while a database is written. What it makes beside the database it can't always
/// make, and doesn't say why; the folder does.
fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> Error + '_ {
    move |error| {
        let made = match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => make_file_beside(path),
            _ => Ok(()),
        };
        made.err().unwrap_or_else(|| writing(path)(error))
    }
}

/// Makes a file beside a database, as large as a `-shm`, and takes it away again.
fn make_file_beside(path: &Path) -> Result<()> {
    let real_path = fs::canonicalize(path).io_context("find", path)?;
    let folder = real_path.parent().unwrap_or(Path::new("/"));
    tempfile::tempfile_in(folder)
        .and_then(|mut file| file.write_all(&[0; SHM_BYTES]))
        .io_context("make a file beside", path)
}

/// Opens a database to write into it, as it is.
fn connect(path: &Path, progress: &Arc<dyn Progress>) -> Result<Connection> {
    let real_path = fs::canonicalize(path).io_context("find", path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(real_path, flags);
    let mut connection = connection.map_err(failed(path))?;
    configure(&mut connection, progress).map_err(failed(path))?;
    Ok(connection)
}

fn configure(connection: &mut Connection, progress: &Arc<dyn Progress>) -> rusqlite::Result<()> {
    defend(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    stop_when_cancelled(connection, progress)?;
    wait_for_locks(connection, progress)
}

fn refusal(kind: RecordKind, error: &rusqlite::Error) -> Refusal {
    let spec = table_spec(kind);
    let code = error.sqlite_error().map(|error| error.extended_code);
    let text = error.to_string();
    // `NOT NULL constraint failed: file_metrics.loc`
    let named = text.rsplit_once(&format!("{}.", spec.name));
    let column_called = |name: &str| {
        let mut names = spec.columns.iter().map(|column| column.name);
        names.find(|column| *column == name)
    };
    let named = named.and_then(|(_, name)| column_called(name));
    let column = named.or_else(|| match code {
        // `CHECK constraint failed: length(content) < 100`, or the name that it was given.
        Some(ffi::SQLITE_CONSTRAINT_CHECK) => {
            let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
            let mut words = text.split(|char| !is_word(char));
            words.find_map(column_called)
        }
        _ => spec.key.first().copied(),
    });
    let column = column.unwrap_or_default();
    let reason = match code {
        Some(ffi::SQLITE_CONSTRAINT_NOTNULL) => Reason::Null,
        Some(ffi::SQLITE_CONSTRAINT_DATATYPE) => Reason::StorageClass,
        _ if is_taken_id(error) => Reason::DuplicateId,
        _ => Reason::Constraint,
    };
    Refusal { column, reason }
}

impl SqliteSnapshot {
    /// Ends the transaction that [`SqliteMerge::into_snapshot`] read in.
    pub(crate) fn commit(self) -> Result<()> {
        let (connection, path) = self.into_parts();
        connection.execute_batch("COMMIT").map_err(failed(&path))?;
        connection
            .close()
            .map_err(|(_, error)| SqliteError::from_engine("write", &path, error).into())
    }
}
