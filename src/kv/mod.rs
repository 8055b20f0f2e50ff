//! The KV file: a [redb](https://docs.rs/redb) database with two tables, `records` (key bytes to
//! canonical JSON) and `meta` (JSON documents about the file). `docs/format.md` has every byte.

mod bulk;
mod file;
mod manifest;
mod merge;
mod overlay;

pub use bulk::BulkLoad;
pub use file::KvFile;
pub(crate) use file::is_locked;
pub use manifest::{FormatMarker, Manifest, ManifestKinds, ManifestSource};
pub(crate) use merge::KvMerge;

use std::path::{Path, PathBuf};

use redb::TableDefinition;
use thiserror::Error;

use crate::error::Error as UmbrellaError;

/// The format that this version writes and reads.
pub const FORMAT_VERSION: u64 = 1;
/// The name that marks a redb file as a KV file of this tool.
pub const FORMAT_NAME: &str = "chunkmigrate-kv";

pub(crate) const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
pub(crate) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The entries of the `meta` table.
pub(crate) mod meta_entry {
    pub(crate) const FORMAT: &str = "format";
    pub(crate) const SEQUENCES: &str = "sequences";
    pub(crate) const MANIFEST: &str = "manifest";
}

/// Why a KV file could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KvError {
    /// redb reported an error that has no variant of its own here. redb's text is the cause.
    #[error("can't {action} {}", path.display())]
    Engine {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// redb's error.
        source: redb::Error,
    },
    /// A checksum, a page or a document of the file is wrong.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Another process has the file open.
    #[error("{} is open in another process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A redb file of another tool.
    #[error("{} is a redb file, but not a KV file of chunkmigrate: {detail}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        detail: String,
    },
    /// A KV file of a version that this one can't read.
    #[error(
        "{} has KV format version {found}; this version reads {FORMAT_VERSION}",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

/// Gives an error of redb the file and what was tried.
pub(crate) fn engine<E: Into<redb::Error>>(
    action: &'static str,
    path: &Path,
) -> impl Fn(E) -> UmbrellaError {
    move |source| {
        let path = path.to_owned();
        match source.into() {
            redb::Error::Corrupted(detail) => KvError::Damaged { path, detail }.into(),
            redb::Error::DatabaseAlreadyOpen => KvError::Locked { path }.into(),
            redb::Error::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                let detail = source.to_string();
                KvError::Damaged { path, detail }.into()
            }
            redb::Error::Io(source) => UmbrellaError::Io {
                action,
                path,
                source,
            },
            source => KvError::Engine {
                action,
                path,
                source,
            }
            .into(),
        }
    }
}
