//! Writes a new store of either kind, and reads it back from disk.

use std::path::Path;
use std::sync::Arc;

use super::CopyOptions;
use super::read_back::{self, Content};
use super::worker::Worker;
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::kv::{BulkLoader, KvReader};
use crate::progress::{Progress, Stage};
use crate::record::RecordKind;
use crate::sqlite::SourceOptions;
use crate::sqlite::{
    Refusals, Restored, SqliteBulkLoader, SqliteSnapshot, WrittenRows, count_rows,
};
use crate::stream::{Batch, RowBatch, Source, join2};
use crate::table::{CarriedTables, TableSchema};

/// A store that is being written.
#[derive(Debug)]
pub(super) enum TargetWriter {
    /// Receives entries in key order.
    Kv(Worker<Batch, BulkLoader>),
    /// Receives records, one kind at a time.
    Sqlite(Worker<Rows, SqliteBulkLoader>),
}

/// Rows to insert into a table.
#[derive(Debug)]
pub(super) enum Rows {
    OfKind(RecordKind, RowBatch),
    /// Canonical rows of a carried table.
    OfTable(Arc<TableSchema>, Batch),
}

impl TargetWriter {
    /// Creates a new store of about `expected_bytes` bytes.
    pub(super) fn create(
        store: StoreKind,
        path: &Path,
        expected_bytes: u64,
        restored: Option<Restored>,
        options: &CopyOptions,
        progress: &Progress,
    ) -> Result<Self> {
        match store {
            StoreKind::Kv => {
                let load = BulkLoader::create(path, expected_bytes)?;
                Worker::start(load, |load, batch: Batch| load.append(batch.entries()))
                    .map(TargetWriter::Kv)
            }
            StoreKind::Sqlite => {
                let temp_dir = options.temp_dir.as_deref();
                let load = SqliteBulkLoader::create(path, temp_dir, restored, progress)?;
                let insert = |load: &mut SqliteBulkLoader, rows: Rows| match rows {
                    Rows::OfKind(kind, records) => load.insert(kind, &records),
                    Rows::OfTable(table, batch) => load.insert_rows(&table, &batch),
                };
                Worker::start(load, insert).map(TargetWriter::Sqlite)
            }
            _ => Err(no_store()),
        }
    }

    /// Waits until everything that was sent has been written.
    pub(super) fn fill(self) -> Result<FilledTarget> {
        match self {
            TargetWriter::Kv(worker) => worker.finish().map(FilledTarget::Kv),
            TargetWriter::Sqlite(worker) => worker.finish().map(Box::new).map(FilledTarget::Sqlite),
        }
    }
}

/// A store that has all records, but no indexes or metadata yet.
#[derive(Debug)]
pub(super) enum FilledTarget {
    Kv(BulkLoader),
    Sqlite(Box<SqliteBulkLoader>),
}

impl FilledTarget {
    /// What its tables have refused. A KV file accepts everything.
    pub(super) fn take_refusals(&mut self) -> Refusals {
        match self {
            FilledTarget::Kv(_) => Refusals::default(),
            FilledTarget::Sqlite(load) => load.take_refusals(),
        }
    }

    /// Closes the file and syncs it to disk, and reads it back if that is enabled.
    pub(super) fn finish(
        self,
        path: &Path,
        content: &Content<'_>,
        options: &CopyOptions,
        progress: &Progress,
    ) -> Result<Finished> {
        match self {
            FilledTarget::Kv(load) => {
                let closed =
                    load.close(content.sequences, Some(content.manifest), content.carried)?;
                if !options.verify {
                    closed.sync()?;
                    return Ok(Finished::Complete);
                }
                let mut file = KvReader::open_unverified(path)?;
                let ((), holds) = join2(
                    "syncer",
                    || closed.sync(),
                    || read_back::verify_kv(&mut file, content, options.threads(), progress),
                )?;
                Ok(Finished::read_back(holds))
            }
            FilledTarget::Sqlite(mut load) => {
                load.commit_rows(*content.sequences)?;
                if options.verify {
                    return finish_during_read_back(*load, path, content, options, progress);
                }
                progress.start(Stage::Index, None);
                let has_indexes = load.make_indexes()?;
                progress.finish();
                match has_indexes {
                    true => Ok(Finished::Complete),
                    false => Ok(Finished::Refused),
                }
            }
        }
    }
}

/// A store whose file is closed.
pub(super) enum Finished {
    /// It contains exactly what was written, as far as it was read back.
    Complete,
    /// It contains something else.
    Differs,
    /// An index refuses some of the rows.
    Refused,
}

impl Finished {
    const fn read_back(holds: bool) -> Self {
        match holds {
            true => Finished::Complete,
            false => Finished::Differs,
        }
    }
}

/// Builds the indexes of a database in a new thread while its rows are read back, then counts the
/// rows of the finished file and checks its schema.
fn finish_during_read_back(
    load: SqliteBulkLoader,
    path: &Path,
    content: &Content<'_>,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<Finished> {
    let jobs = options.threads();
    let (has_indexes, holds) = match load.moves_pages() {
        true => {
            let carried = load.restored().cloned();
            progress.start(Stage::Index, None);
            let has_indexes = load.make_indexes()?;
            progress.finish();
            if !has_indexes {
                return Ok(Finished::Refused);
            }
            let mut rows = WrittenRows::open(path, carried.as_ref(), progress)?;
            (true, read_back::verify_sqlite(&mut rows, content, jobs, progress)?)
        }
        false => {
            let mut rows = WrittenRows::open(path, load.restored(), progress)?;
            let both = join2(
                "indexer",
                || load.make_indexes(),
                || {
                    let holds = read_back::verify_sqlite(&mut rows, content, jobs, progress);
                    progress.start(Stage::Index, None);
                    holds
                },
            );
            progress.finish();
            both?
        }
    };
    if !has_indexes {
        return Ok(Finished::Refused);
    }
    let counted = count_rows(path, content.carried, progress)?;
    let mut totals = content.totals.iter();
    let holds = holds && totals.all(|(kind, totals)| *counted.get(kind) == totals.records);
    let holds = holds && read_back::verify_schema(path, content, progress)?;
    Ok(Finished::read_back(holds))
}

/// Opens a finished file to compare it record by record.
pub(super) fn open(
    store: StoreKind,
    path: &Path,
    carried: Option<&CarriedTables>,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<Box<dyn Source>> {
    let options = SourceOptions { temp_dir: options.temp_dir.clone(), ..SourceOptions::default() };
    let options = options.following(carried);
    Ok(match store {
        StoreKind::Sqlite => Box::new(SqliteSnapshot::open(path, &options, progress)?),
        _ => Box::new(KvReader::open_verified(path)?),
    })
}

fn no_store() -> Error {
    Error::Internal("a target is neither a database nor a KV file".to_owned())
}
