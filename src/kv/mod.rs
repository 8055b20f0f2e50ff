//! The KV file: a [redb](https://docs.rs/redb) database with two tables, `records` (key bytes to
//! canonical JSON) and `meta` (JSON documents about the file). `docs/format.md` has every byte.
//!
//! Without the feature `native-v2` there is only the trait [`KvBackend`], for key-value stores that a
//! tool brings itself.

mod backend;
#[cfg(feature = "native-v2")]
pub(crate) mod bulk;
#[cfg(feature = "native-v2")]
mod error;
#[cfg(feature = "native-v2")]
pub(crate) mod file;
#[cfg(feature = "native-v2")]
pub(crate) mod manifest;
#[cfg(feature = "native-v2")]
mod merge;
#[cfg(feature = "native-v2")]
mod new_file;
#[cfg(feature = "native-v2")]
mod overlay;
#[cfg(feature = "native-v2")]
mod read_ahead;
#[cfg(feature = "native-v2")]
mod redb_backend;
#[cfg(feature = "native-v2")]
mod tables;
#[cfg(feature = "native-v2")]
mod unsynced_file;
#[cfg(feature = "native-v2")]
mod watched_file;

pub use backend::{KvBackend, KvTransaction};
#[cfg(feature = "native-v2")]
pub(crate) use bulk::BulkLoad;
#[cfg(feature = "native-v2")]
pub use error::KvError;
#[cfg(feature = "native-v2")]
pub(crate) use file::KvFile;
#[cfg(feature = "native-v2")]
pub(crate) use manifest::{Manifest, ManifestSource};
#[cfg(feature = "native-v2")]
pub(crate) use merge::KvMerge;
#[cfg(feature = "native-v2")]
pub use redb_backend::RedbBackend;
#[cfg(feature = "native-v2")]
pub(crate) use watched_file::{is_locked, is_unwritten};

/// The format that this version writes and reads.
pub const FORMAT_VERSION: u64 = 1;
/// The name that marks a redb file as a KV file of this tool.
pub const FORMAT_NAME: &str = "chunkmigrate-kv";
