//! The built-in sample, there and compared.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::sample::{sample_records, sample_sequences};
use crate::codec::{decode_json, record_key};
use crate::compare::{Divergence, KindCounts, compare_kind};
use crate::error::{Error, IoContext as _, Result};
use crate::kv::KvFile;
use crate::migrate::{CopyOptions, sqlite_to_kv};
use crate::progress::{Progress, Stage};
use crate::record::{PerKind, Record, RecordKind};
use crate::sqlite::{
    SqliteError, SqliteSnapshot, SqliteSnapshotOptions, create_tables, insert_records,
    set_sequences,
};
use crate::store::pipe;

/// What came of the built-in sample.
#[derive(Debug, Clone)]
pub struct SampleReport {
    /// Counts of the comparison of the database (left) with the KV file (right).
    pub kinds: PerKind<KindCounts>,
    /// All divergences.
    pub divergences: Vec<Divergence>,
    /// Number of records of the sample that the KV file holds just as they were made.
    pub as_made: u64,
    /// Number of records that the sample has.
    pub made: u64,
    /// Whether the id high-water marks came over.
    pub sequences_equal: bool,
}

impl SampleReport {
    /// Whether every record and sequence came through exactly.
    pub fn is_identical(&self) -> bool {
        self.divergences.is_empty()
            && self.sequences_equal
            && self.as_made == self.made
            && self.kinds.iter().all(|(_, counts)| counts.identical())
    }
}

/// Makes a database of the built-in sample in a temporary folder, copies it into a KV file, and
/// compares the two, and the KV file with the sample as it was made.
///
/// # Errors
/// A file can't be made or read. Divergences are no error but in the report.
pub fn verify_sample(progress: &Arc<dyn Progress>) -> Result<SampleReport> {
    let folder = tempfile::Builder::new()
        .prefix("chunkmigrate-")
        .tempdir()
        .io_context("create a folder in", &std::env::temp_dir())?;
    let database = folder.path().join("sample.db");
    let kv = folder.path().join("sample.kv");
    let records = sample_records();
    make_database(&database, &records).map_err(|source| SqliteError::Engine {
        action: "create",
        path: database.clone(),
        source,
    })?;
    sqlite_to_kv(&database, &kv, &CopyOptions::default(), progress)?;

    let options = SqliteSnapshotOptions::default();
    let mut left = SqliteSnapshot::open(&database, &options, progress)?;
    let mut right = KvFile::open_checked(&kv)?;
    let mut divergences = Vec::new();
    let mut kinds = PerKind::<KindCounts>::default();
    for kind in RecordKind::ALL {
        let shared = progress.as_ref();
        shared.start(Stage::Compare(kind), None);
        *kinds.get_mut(kind) = pipe(&mut left, kind, shared, |left| {
            pipe(&mut right, kind, shared, |right| {
                compare_kind(kind, left, right, &mut |divergence| {
                    divergences.push(divergence);
                    Ok(())
                })
            })
        })?;
        shared.finish();
    }
    left.confirm()?;
    Ok(SampleReport {
        kinds,
        divergences,
        as_made: count_as_made(&right, &records)?,
        made: records.len() as u64,
        sequences_equal: right.sequences()? == sample_sequences(),
    })
}

fn make_database(path: &Path, records: &[Record]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    create_tables(&connection)?;
    let transaction = connection.transaction()?;
    insert_records(&transaction, records)?;
    set_sequences(&transaction, sample_sequences())?;
    transaction.commit()
}

/// How many records stand in the file under their keys, decoded equal to what was made.
fn count_as_made(file: &KvFile, records: &[Record]) -> Result<u64> {
    let mut count = 0;
    for kind in RecordKind::ALL {
        file.visit(kind, &mut |entry| {
            let decoded = decode_json(kind, entry.value)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let made = records.iter().find(|made| record_key(made) == entry.key);
            count += u64::from(made == Some(&decoded));
            Ok(())
        })?;
    }
    Ok(count)
}
