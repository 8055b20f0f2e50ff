//! Writes a new store of either kind, and reads it back from disk.

use std::path::Path;

use super::CopyOptions;
use super::read_back::{self, Content};
use super::worker::Worker;
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::kv::{BulkLoader, KvReader};
use crate::progress::{Progress, Stage};
use crate::record::RecordKind;
use crate::sqlite::SourceOptions;
use crate::sqlite::{IdSet, SqliteBulkLoader, SqliteSnapshot, WrittenRows, count_rows};
use crate::stream::{Batch, Jobs, RowBatch, Source, join2};

/// A store that is being written.
#[derive(Debug)]
pub(super) enum TargetWriter {
    /// Receives entries in key order.
    Kv(Worker<Batch, BulkLoader>),
    /// Receives records, one kind at a time.
    Sqlite(Worker<(RecordKind, RowBatch), SqliteBulkLoader>),
}

impl TargetWriter {
    /// Creates a new store of about `expected_bytes` bytes.
    pub(super) fn create(
        store: StoreKind,
        path: &Path,
        expected_bytes: u64,
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
                let (temp_dir, keeps_order) = (options.temp_dir.as_deref(), options.verify);
                let load = SqliteBulkLoader::create(path, temp_dir, keeps_order, progress)?;
                let insert = |load: &mut SqliteBulkLoader, (kind, records): (_, RowBatch)| {
                    load.insert(kind, &records)
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
    /// Ids that occurred more than once and whose later records were skipped. A KV file accepts any
    /// id.
    pub(super) fn take_duplicate_ids(&mut self) -> IdSet {
        match self {
            FilledTarget::Kv(_) => IdSet::default(),
            FilledTarget::Sqlite(load) => load.take_duplicate_ids(),
        }
    }

    /// Closes the file and syncs it to disk. If the read-back is enabled, returns whether the store
    /// contains exactly the expected records.
    pub(super) fn finish(
        self,
        path: &Path,
        content: &Content<'_>,
        options: &CopyOptions,
        progress: &Progress,
    ) -> Result<bool> {
        match self {
            FilledTarget::Kv(load) => {
                let closed = load.close(content.sequences, Some(content.manifest))?;
                if !options.verify {
                    closed.sync()?;
                    return Ok(true);
                }
                let mut file = KvReader::open_unverified(path)?;
                let ((), holds) = join2(
                    "syncer",
                    || closed.sync(),
                    || read_back::verify_kv(&mut file, content, options.threads(), progress),
                )?;
                Ok(holds)
            }
            FilledTarget::Sqlite(mut load) => {
                load.commit_rows(*content.sequences)?;
                if options.verify {
                    return finish_during_read_back(
                        *load,
                        path,
                        content,
                        options.threads(),
                        progress,
                    );
                }
                progress.start(Stage::Index, None);
                load.make_indexes()?;
                progress.finish();
                Ok(true)
            }
        }
    }
}

/// Builds the indexes of a database in a new thread while its rows are read back, then counts the
/// rows of the finished file.
fn finish_during_read_back(
    mut load: SqliteBulkLoader,
    path: &Path,
    content: &Content<'_>,
    jobs: Jobs,
    progress: &Progress,
) -> Result<bool> {
    let mut rows = WrittenRows::open(path, load.take_order()?, progress)?;
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
    let ((), holds) = both?;
    let counted = count_rows(path, progress)?;
    let mut totals = content.totals.iter();
    Ok(holds && totals.all(|(kind, totals)| *counted.get(kind) == totals.records))
}

/// Opens a finished file to compare it record by record.
pub(super) fn open(
    store: StoreKind,
    path: &Path,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<Box<dyn Source>> {
    let options = SourceOptions { temp_dir: options.temp_dir.clone(), ..SourceOptions::default() };
    Ok(match store {
        StoreKind::Sqlite => Box::new(SqliteSnapshot::open(path, &options, progress)?),
        _ => Box::new(KvReader::open_verified(path)?),
    })
}

fn no_store() -> Error {
    Error::Internal("a target is neither a database nor a KV file".to_owned())
}
