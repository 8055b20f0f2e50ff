use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::codec::{Digest, KindTotals, combined_digest};
use crate::error::{IoContext as _, Result};
use crate::fsio::{StoreKind, detect};
use crate::kv::{KvReader, Manifest};
use crate::open::retry_if_changed;
use crate::progress::{Progress, Stage};
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::setters::setters;
use crate::sqlite::{SourceOptions, SqliteSnapshot};
use crate::stream::{Jobs, KindContent, Source, StoreLabel, UncopiedTable, digest_kind, json};

/// Options of an inspection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct InspectOptions {
    /// Number of threads that convert records, besides those that read and hash; `None` for as many
    /// as the process may use cores.
    pub jobs: Option<NonZeroUsize>,
}

impl InspectOptions {
    setters! {
        jobs: impl Into<Option<NonZeroUsize>>,
    }
}

/// The contents of a store.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
#[must_use = "says whether the store is sound: see `is_sound`"]
pub struct Inspection {
    /// The file.
    #[serde(flatten)]
    pub label: StoreLabel,
    /// Version of the KV format; `None` for a database.
    pub format_version: Option<u64>,
    /// Magellan's schema version, if the store has one.
    pub schema_version: Option<i64>,
    /// Length of the file in bytes, without the `-wal` of a database.
    pub file_bytes: u64,
    /// Counts and digest of each kind.
    #[serde(serialize_with = "serialize_kinds")]
    pub kinds: PerKind<KindContent>,
    /// The combined digest: equal digests mean equal records. `None` if some rows are invalid.
    pub sha256: Option<Digest>,
    /// The id sequences.
    pub sequences: IdSequences,
    /// The manifest of a KV file, if it has one.
    pub manifest: Option<Manifest>,
    /// Whether the manifest matches the content; `None` without a manifest.
    pub manifest_matches: Option<bool>,
    /// Tables that contain other data.
    pub uncopied_tables: Vec<UncopiedTable>,
    /// Number of keys with an unknown form.
    pub unknown_keys: u64,
    /// The kinds whose table does not exist.
    #[serde(rename = "missing_tables", serialize_with = "json::tables")]
    pub missing: Vec<RecordKind>,
}

impl Inspection {
    /// Whether all entries and rows are valid and the manifest, if any, matches.
    pub fn is_sound(&self) -> bool {
        self.sha256.is_some() && self.unknown_keys == 0 && self.manifest_matches != Some(false)
    }
}

fn serialize_kinds<S: Serializer>(
    kinds: &PerKind<KindContent>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    kinds.list(KindSet::ALL).serialize(serializer)
}

fn totals(kinds: &PerKind<KindContent>) -> PerKind<KindTotals> {
    PerKind::from_fn(|kind| kinds.get(kind).totals)
}

/// Reads a whole store to count and hash its records.
///
/// The digests of a database are those of the KV file it would be converted to.
///
/// # Errors
/// The store can't be read to its end.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::migrate::{CopyOptions, sqlite_to_kv};
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::verify::{InspectOptions, inspect};
/// use chunkmigrate::Progress;
///
/// # let folder = tempfile::tempdir()?;
/// # let (database, kv) = (folder.path().join("code.db"), folder.path().join("code.kv"));
/// ChunkStore::new(&database)?.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fn"))?;
/// let progress = Progress::none();
/// sqlite_to_kv(&database, &kv, &CopyOptions::default(), &progress)?;
///
/// // The digest of the database on one machine equals that of the KV file on another.
/// let options = InspectOptions::default();
/// let here = inspect(&database, &options, &progress)?;
/// let there = inspect(&kv, &options, &progress)?;
/// assert!(here.sha256.is_some());
/// assert_eq!(here.sha256, there.sha256);
/// assert_eq!(there.manifest_matches, Some(true));
/// # Ok(())
/// # }
/// ```
pub fn inspect(path: &Path, options: &InspectOptions, progress: &Progress) -> Result<Inspection> {
    let jobs = Jobs::new(options.jobs);
    retry_if_changed(|| match detect(path)? {
        StoreKind::Kv => inspect_kv(path, jobs, progress),
        found => {
            found.expect_store(path)?;
            inspect_sqlite(path, jobs, progress)
        }
    })
}

fn inspect_sqlite(path: &Path, jobs: Jobs, progress: &Progress) -> Result<Inspection> {
    let file_bytes = fs::metadata(path).io_context("stat", path)?.len();
    let mut snapshot = SqliteSnapshot::open(path, &SourceOptions::default(), progress)?;
    let inspection = Inspection {
        file_bytes,
        schema_version: snapshot.schema_version(),
        ..inspect_snapshot(&mut snapshot, jobs, progress)?
    };
    snapshot.confirm()?;
    Ok(inspection)
}

fn inspect_kv(path: &Path, jobs: Jobs, progress: &Progress) -> Result<Inspection> {
    let mut file = KvReader::open_verified(path)?;
    let mut inspection = Inspection {
        file_bytes: file.file_bytes(),
        format_version: file.format_version()?,
        manifest: file.manifest()?,
        ..inspect_snapshot(&mut file, jobs, progress)?
    };
    let totals = totals(&inspection.kinds);
    inspection.manifest_matches = inspection
        .manifest
        .as_ref()
        .map(|manifest| manifest.kinds == totals && manifest.sha256 == combined_digest(&totals));
    let known: u64 = totals.iter().map(|(_, totals)| totals.records).sum();
    inspection.unknown_keys = file.key_count()?.saturating_sub(known);
    Ok(inspection)
}

/// The part that applies to both kinds of store.
fn inspect_snapshot(
    snapshot: &mut dyn Source,
    jobs: Jobs,
    progress: &Progress,
) -> Result<Inspection> {
    let mut kinds = PerKind::default();
    for kind in RecordKind::ALL {
        *kinds.get_mut(kind) = digest_kind(snapshot, kind, jobs, Stage::Digest(kind), progress)?;
    }
    let whole = kinds.iter().all(|(_, content)| content.invalid == 0);
    Ok(Inspection {
        label: StoreLabel::of(snapshot),
        format_version: None,
        schema_version: None,
        file_bytes: 0,
        kinds,
        sha256: whole.then(|| combined_digest(&totals(&kinds))),
        sequences: snapshot.sequences()?,
        manifest: None,
        manifest_matches: None,
        uncopied_tables: snapshot.other_tables()?,
        unknown_keys: 0,
        missing: snapshot.missing().to_vec(),
    })
}
