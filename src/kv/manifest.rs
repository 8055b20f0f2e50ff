//! The JSON documents of the `meta` table.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{FORMAT_NAME, FORMAT_VERSION, VERSION_WITH_TABLES};
use crate::codec::{Digest, KindTotals, combined_digest};
use crate::error::{Error, Result};
use crate::record::PerKind;
use crate::table::{CarriedTables, in_key_order};

/// Identifies a redb file as a KV file: the document `format`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatMarker {
    /// `chunkmigrate-kv` in a KV file of this tool.
    pub name: String,
    /// The version of the format; [`FORMAT_VERSION`] in current files.
    pub version: u64,
}

impl FormatMarker {
    /// The marker of a file that carries these tables.
    pub(super) fn of(carried: Option<&CarriedTables>) -> Self {
        let version = match carried {
            Some(_) => VERSION_WITH_TABLES,
            None => FORMAT_VERSION,
        };
        FormatMarker { name: FORMAT_NAME.to_owned(), version }
    }

    /// Checks that a file has a marker of a known version, and returns the version.
    pub(super) fn check(found: Option<&FormatMarker>, path: &Path) -> Result<u64> {
        let path = path.to_owned();
        Err(match found {
            Some(format) if format.name != FORMAT_NAME => {
                Error::NotChunkmigrate { path, detail: format!("its format is {:?}", format.name) }
            }
            Some(format) if !(FORMAT_VERSION..=VERSION_WITH_TABLES).contains(&format.version) => {
                Error::KvVersion { path, found: format.version, supported: VERSION_WITH_TABLES }
            }
            Some(format) => return Ok(format.version),
            None => Error::NotChunkmigrate { path, detail: "no format marker".to_owned() },
        })
    }
}

/// Serializes a document.
pub(super) fn encode_document(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Internal(error.to_string()))
}

/// Parses the document `name`.
pub(super) fn decode_document<T: DeserializeOwned>(
    name: &str,
    bytes: &[u8],
    path: &Path,
) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let detail = format!("cannot decode its {name} document: {error}");
        let path = path.to_owned();
        Error::CorruptKvFile { path, detail }
    })
}

/// Written by a migration to describe the file's content: the document `manifest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name and version of the tool that wrote the file.
    pub tool: String,
    /// When it was written, in UTC, as `2026-01-31T12:00:00Z`.
    pub created_at: String,
    /// Where the records came from.
    pub source: ManifestSource,
    /// Counts and digest of each kind. Always lists all kinds.
    pub kinds: PerKind<KindTotals>,
    /// Counts and digest of each carried table, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, KindTotals>,
    /// The combined digest.
    pub sha256: Digest,
}

/// Where the records of a file came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestSource {
    /// Name of the source file, without its directory.
    pub file_name: String,
    /// `sqlite` or `kv`.
    pub store: String,
    /// Magellan's schema version, `null` if there was none.
    pub schema_version: Option<i64>,
}

impl Manifest {
    /// Creates a manifest of this version of the tool for content with these totals.
    pub fn new(
        source: ManifestSource,
        created_at: String,
        totals: &PerKind<KindTotals>,
        tables: BTreeMap<String, KindTotals>,
    ) -> Self {
        Manifest {
            tool: concat!("chunkmigrate ", env!("CARGO_PKG_VERSION")).to_owned(),
            created_at,
            source,
            kinds: *totals,
            sha256: combined_digest(totals, in_key_order(&tables)),
            tables,
        }
    }
}
