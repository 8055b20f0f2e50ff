//! The KV file: a [redb](https://docs.rs/redb) database with two tables, `records` (key bytes to
//! canonical JSON) and `meta` (JSON documents about the file). `docs/format.md` specifies the
//! format byte by byte.
//!
//! Without the feature `native-v2` only the trait [`KvBackend`] is available, for key-value stores
//! supplied by the caller.

mod backend;
#[cfg(feature = "native-v2")]
pub(crate) mod bulk_loader;
#[cfg(feature = "native-v2")]
mod create;
#[cfg(feature = "native-v2")]
mod error;
#[cfg(feature = "native-v2")]
mod fingerprint;
#[cfg(feature = "native-v2")]
mod format;
#[cfg(feature = "native-v2")]
pub(crate) mod manifest;
#[cfg(feature = "native-v2")]
mod merge;
#[cfg(feature = "native-v2")]
mod overlay;
#[cfg(feature = "native-v2")]
mod read_ahead;
#[cfg(feature = "native-v2")]
pub(crate) mod reader;
#[cfg(feature = "native-v2")]
mod redb_backend;
#[cfg(feature = "native-v2")]
mod tables;
#[cfg(feature = "native-v2")]
mod write_buffer;

pub use crate::codec::Entry;
pub use backend::{KvBackend, KvTransaction};
#[cfg(feature = "native-v2")]
pub(crate) use bulk_loader::BulkLoader;
#[cfg(feature = "native-v2")]
pub(crate) use fingerprint::{is_locked, is_unwritten};
#[cfg(feature = "native-v2")]
pub(crate) use manifest::{Manifest, ManifestSource};
#[cfg(feature = "native-v2")]
pub(crate) use merge::KvMerge;
#[cfg(feature = "native-v2")]
pub(crate) use reader::KvReader;
#[cfg(feature = "native-v2")]
pub use redb_backend::RedbBackend;
#[cfg(feature = "native-v2")]
pub use tables::KvTables;

/// The version of the format of a file that carries no tables besides the four kinds of records.
pub const FORMAT_VERSION: u64 = 1;

/// The version of the format of a file that carries tables besides the four kinds of records.
pub const VERSION_WITH_TABLES: u64 = 2;
/// The name that identifies a redb file as a KV file of this tool.
pub(crate) const FORMAT_NAME: &str = "chunkmigrate-kv";
