//! Builds a database from records in memory and publishes it like every other target.

use std::fs;
use std::path::{Path, PathBuf};

use super::target_check;
use crate::error::{IoContext as _, Result};
use crate::fsio::{Destination, Staged, leftover_dirs};
use crate::progress::Progress;
use crate::record::{IdSequences, PerKind, Record};
use crate::sqlite::SqliteBulkLoader;
use crate::store::StoreKind;
use crate::stream::RowBatch;

/// The result of publishing a database.
#[derive(Debug)]
pub(crate) struct NewDatabase {
    pub(crate) bytes: u64,
    /// Access rights of the replaced file that could not be applied to the new one.
    pub(crate) lost_access: Vec<&'static str>,
    /// Staging directories that interrupted runs left next to it.
    pub(crate) leftover_dirs: Vec<PathBuf>,
}

/// Creates a database of these records and publishes it atomically.
pub(crate) fn create_database(
    target: &Path,
    replace: bool,
    records: &PerKind<Vec<Record>>,
    sequences: IdSequences,
    progress: &Progress,
) -> Result<NewDatabase> {
    let destination = Destination::resolve(target, &[])?;
    target_check::check(&destination, StoreKind::Sqlite, replace)?;
    let leftover_dirs = leftover_dirs(destination.folder())?;
    let staged = Staged::create(&destination)?;
    let mut load = SqliteBulkLoader::create(staged.path(), None, None, progress)?;
    for (kind, records) in records.iter() {
        let mut batch = RowBatch::default();
        records.iter().for_each(|record| batch.push(record.values()));
        load.insert(kind, &batch)?;
    }
    load.commit_rows(sequences)?;
    load.make_indexes()?;
    let metadata = fs::metadata(staged.path()).io_context("look at", staged.path())?;
    progress.check_cancelled()?;
    let prepared = staged.prepare(|destination| {
        target_check::check_again(destination, StoreKind::Sqlite, replace)
    })?;
    let lost_access = prepared.lost_access.clone();
    prepared.publish()?.sync()?;
    Ok(NewDatabase { bytes: metadata.len(), lost_access, leftover_dirs })
}
