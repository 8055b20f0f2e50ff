use std::path::{Path, PathBuf};

use thiserror::Error;

use super::FORMAT_VERSION;
use crate::error::Error as UmbrellaError;

/// Why a KV file could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KvError {
    /// redb reported an error that has no variant of its own here. redb's text is the cause.
    #[error("cannot {action} {}", path.display())]
    Engine {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// redb's error.
        source: redb::Error,
    },
    /// A checksum, a page or a document of the file is wrong.
    #[error("{} is corrupt: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Another process, or this one, has the file open already.
    #[error("{} is already open (in this or another process)", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// An earlier write failed, and redb takes no more until the file is opened again. Every handle on
    /// the backend has to be dropped first, or it is still [locked](KvError::Locked).
    #[error("{} must be reopened: an earlier write to it failed", path.display())]
    MustReopen {
        /// The file.
        path: PathBuf,
    },
    /// Something overwrote the file while it was read, whatever locks there were.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The file is none of redb's.
    #[error("{} is not a redb file", path.display())]
    NotRedb {
        /// The file.
        path: PathBuf,
    },
    /// A redb file of another tool.
    #[error("{} is a redb file, but not a chunkmigrate KV file: {detail}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        detail: String,
    },
    /// The file has a format of redb's that redb does not read any more.
    #[error("{} is a redb file of format {version}, which is too old to read", path.display())]
    OldRedb {
        /// The file.
        path: PathBuf,
        /// The version of redb's format.
        version: u8,
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
pub(super) fn engine<E: Into<redb::Error>>(
    action: &'static str,
    path: &Path,
) -> impl Fn(E) -> UmbrellaError {
    move |source| {
        let path = path.to_owned();
        match source.into() {
            redb::Error::Corrupted(detail) => KvError::Damaged { path, detail }.into(),
            redb::Error::PreviousIo => KvError::MustReopen { path }.into(),
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
            redb::Error::UpgradeRequired(version) => KvError::OldRedb { path, version }.into(),
            source => KvError::Engine {
                action,
                path,
                source,
            }
            .into(),
        }
    }
}

/// The same, where a table is opened.
pub(super) fn table_error(path: &Path) -> impl Fn(redb::TableError) -> UmbrellaError + '_ {
    move |error| match error {
        redb::TableError::Storage(error) => engine("read", path)(error),
        other => KvError::Foreign {
            path: path.to_owned(),
            detail: other.to_string(),
        }
        .into(),
    }
}
