use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::report::check_names;
use crate::codec::{Digest, KindTotals, combined_digest};
use crate::error::{IoContext as _, Result};
use crate::fsio::{StoreKind, detect};
use crate::kv::{KvReader, Manifest};
use crate::open::retry_if_changed;
use crate::progress::{Progress, Stage};
use crate::record::{IdSequences, PerKind, RecordKind};
use crate::setters::setters;
use crate::sqlite::{SourceOptions, SqliteSnapshot};
use crate::stream::{
    Jobs, KindContent, Source, StoreLabel, UncopiedTable, digest_kind, digest_table, json,
};
use crate::table::{CarriedTables, Kind, TableSelection, in_key_order};

/// Options of an inspection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct InspectOptions {
    /// The tables of a database to include; a KV file is inspected with all that it carries.
    pub tables: TableSelection,
    /// Number of threads that convert records, besides those that read and hash; `None` for as many
    /// as the process may use cores.
    pub jobs: Option<NonZeroUsize>,
}

impl InspectOptions {
    setters! {
        tables: TableSelection,
        jobs: impl Into<Option<NonZeroUsize>>,
    }
}

/// The contents of a store.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether the store is sound: see `is_sound`"]
pub struct Inspection {
    /// The file.
    pub label: StoreLabel,
    /// Version of the KV format; `None` for a database.
    pub format_version: Option<u64>,
    /// Magellan's schema version, if the store has one.
    pub schema_version: Option<i64>,
    /// Length of the file in bytes, without the `-wal` of a database.
    pub file_bytes: u64,
    /// Counts and digest of each kind.
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
    /// Counts and digest of each carried table, by name.
    pub tables: BTreeMap<String, KindTotals>,
    /// Number of keys with an unknown form.
    pub unknown_keys: u64,
    /// The kinds whose table does not exist.
    pub missing: Vec<RecordKind>,
}

impl Inspection {
    /// Whether all entries and rows are valid and the manifest, if any, matches.
    pub fn is_sound(&self) -> bool {
        self.sha256.is_some() && self.unknown_keys == 0 && self.manifest_matches != Some(false)
    }
}

/// As JSON, tables are listed like kinds.
impl Serialize for Inspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct OfKind {
            kind: Kind,
            #[serde(flatten)]
            content: KindContent,
        }
        #[derive(Serialize)]
        struct Json<'i> {
            #[serde(flatten)]
            label: &'i StoreLabel,
            format_version: Option<u64>,
            schema_version: Option<i64>,
            file_bytes: u64,
            kinds: Vec<OfKind>,
            sha256: Option<Digest>,
            sequences: IdSequences,
            manifest: Option<&'i Manifest>,
            manifest_matches: Option<bool>,
            uncopied_tables: &'i [UncopiedTable],
            unknown_keys: u64,
            #[serde(serialize_with = "json::tables")]
            missing_tables: &'i [RecordKind],
        }
        let kinds = self.kinds.iter();
        let kinds = kinds.map(|(kind, content)| OfKind { kind: kind.into(), content: *content });
        let tables = self.tables.iter().map(|(name, totals)| OfKind {
            kind: Kind::table(name),
            content: KindContent { totals: *totals, invalid: 0 },
        });
        let json = Json {
            label: &self.label,
            format_version: self.format_version,
            schema_version: self.schema_version,
            file_bytes: self.file_bytes,
            kinds: kinds.chain(tables).collect(),
            sha256: self.sha256,
            sequences: self.sequences,
            manifest: self.manifest.as_ref(),
            manifest_matches: self.manifest_matches,
            uncopied_tables: &self.uncopied_tables,
            unknown_keys: self.unknown_keys,
            missing_tables: &self.missing,
        };
        json.serialize(serializer)
    }
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
        StoreKind::Kv => inspect_kv(path, &options.tables, jobs, progress),
        found => {
            found.expect_store(path)?;
            inspect_sqlite(path, &options.tables, jobs, progress)
        }
    })
}

fn inspect_sqlite(
    path: &Path,
    tables: &TableSelection,
    jobs: Jobs,
    progress: &Progress,
) -> Result<Inspection> {
    let file_bytes = fs::metadata(path).io_context("stat", path)?.len();
    let options = SourceOptions { tables: tables.clone(), ..SourceOptions::default() };
    let mut snapshot = SqliteSnapshot::open(path, &options, progress)?;
    let inspection = Inspection {
        file_bytes,
        schema_version: snapshot.schema_version(),
        ..inspect_snapshot(&mut snapshot, jobs, progress)?
    };
    snapshot.confirm()?;
    Ok(inspection)
}

fn inspect_kv(
    path: &Path,
    tables: &TableSelection,
    jobs: Jobs,
    progress: &Progress,
) -> Result<Inspection> {
    let mut file = KvReader::open_verified(path)?;
    check_names(&[&file], tables)?;
    let mut inspection = Inspection {
        file_bytes: file.file_bytes(),
        format_version: file.format_version()?,
        manifest: file.manifest()?,
        ..inspect_snapshot(&mut file, jobs, progress)?
    };
    let totals = totals(&inspection.kinds);
    let tables = &inspection.tables;
    inspection.manifest_matches = inspection.manifest.as_ref().map(|manifest| {
        manifest.kinds == totals
            && manifest.tables == *tables
            && manifest.sha256 == combined_digest(&totals, in_key_order(tables))
    });
    let of_kinds = totals.iter().map(|(_, totals)| totals.records);
    let known: u64 = of_kinds.chain(tables.values().map(|totals| totals.records)).sum();
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
    let mut tables = BTreeMap::new();
    for table in snapshot.carried().map(CarriedTables::in_key_order).unwrap_or_default() {
        let content = digest_table(snapshot, &table, Stage::DigestTables, progress)?;
        tables.insert(table.name.clone(), content.totals);
    }
    let whole = kinds.iter().all(|(_, content)| content.invalid == 0);
    Ok(Inspection {
        label: StoreLabel::of(snapshot),
        format_version: None,
        schema_version: None,
        file_bytes: 0,
        kinds,
        sha256: whole.then(|| combined_digest(&totals(&kinds), in_key_order(&tables))),
        tables,
        sequences: snapshot.sequences()?,
        manifest: None,
        manifest_matches: None,
        uncopied_tables: snapshot.other_tables()?,
        unknown_keys: 0,
        missing: snapshot.missing().to_vec(),
    })
}
