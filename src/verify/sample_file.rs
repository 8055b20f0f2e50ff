//! Writes the built-in sample to a database.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::sample::{sample_records, sample_sequences};
use crate::error::Result;
use crate::migrate::create_database;
use crate::progress::Progress;
use crate::record::{PerKind, Record, RecordKind};
use crate::stream::json;

/// A written database of the built-in sample.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SampleFile {
    /// The path of the database, as specified by the caller.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// Size of the database in bytes.
    pub file_bytes: u64,
    /// Number of records of each kind.
    #[serde(rename = "kinds", serialize_with = "serialize_kinds")]
    pub records: PerKind<u64>,
    /// Access rights of the replaced file that could not be applied to the new one: `owner`,
    /// `group`, `access control list`.
    pub lost_access: Vec<&'static str>,
    /// Staging directories that interrupted runs left next to the database.
    #[serde(serialize_with = "json::paths")]
    pub leftover_dirs: Vec<PathBuf>,
}

/// Writes the built-in sample to a SQLite database. Replaces an existing one only with `replace`.
///
/// # Errors
/// The target exists or cannot be written. In that case nothing is published.
pub fn write_sample(path: &Path, replace: bool, progress: &Progress) -> Result<SampleFile> {
    let mut records: PerKind<Vec<Record>> = PerKind::default();
    for record in sample_records() {
        records.get_mut(record.kind()).push(record);
    }
    let created = create_database(path, replace, &records, sample_sequences(), progress)?;
    Ok(SampleFile {
        path: path.to_owned(),
        file_bytes: created.bytes,
        records: PerKind::from_fn(|kind| records.get(kind).len() as u64),
        lost_access: created.lost_access,
        leftover_dirs: created.leftover_dirs,
    })
}

fn serialize_kinds<S: Serializer>(
    counts: &PerKind<u64>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Count {
        kind: RecordKind,
        records: u64,
    }
    let counts = counts.iter().map(|(kind, records)| Count { kind, records: *records });
    serializer.collect_seq(counts)
}
