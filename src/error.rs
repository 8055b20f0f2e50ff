//! What can go wrong.
//!
//! Rules:
//! - Each layer has small enums of its own, such as [`SqliteError`], [`StoreError`] and
//!   [`TargetError`](crate::migrate::TargetError); they fold into [`enum@Error`], which every public
//!   function returns that touches a store.
//! - A message says what happened and to which file; the cause is its `source()`, never repeated in
//!   the message. redb's errors have no `source()`, so their text is the cause.
//! - Advice is not part of a message: the program derives it from the variant.
//! - An error is never downgraded to "no more data" or "not found", and a divergence or an invalid
//!   row is not an error but a finding, reported with the result.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::codec::EncodeError;
use crate::file_format::FileFormat;
use crate::record::RecordError;
use crate::sqlite::SqliteError;
use crate::store::StoreError;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any failure of this crate.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::path::Path;
/// use chunkmigrate::error::{Error, KindError};
/// use chunkmigrate::store::{StoreKind, detect};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = &folder.path().join("code.db");
/// # std::fs::write(path, "# no database")?;
/// let failure = detect(path)?.expect_sqlite(path);
/// assert!(matches!(failure, Err(Error::Kind(KindError::Neither { .. }))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create`, `sync`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A SQLite database could not be read or written.
    #[error(transparent)]
    Sqlite(Box<SqliteError>),
    /// A KV file could not be read or written.
    #[cfg(feature = "native-v2")]
    #[error(transparent)]
    Kv(Box<crate::kv::KvError>),
    /// The target of a copy could not be made or published.
    #[cfg(feature = "native-v2")]
    #[error(transparent)]
    Target(Box<crate::migrate::TargetError>),
    /// Text could not be imported.
    #[cfg(feature = "native-v2")]
    #[error(transparent)]
    Import(#[from] crate::migrate::ImportError),
    /// A file is not the kind of store that it should be.
    #[error(transparent)]
    Kind(#[from] KindError),
    /// A record has a value that no store can keep.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A record that was not [checked](crate::record::Record::check) has no canonical bytes.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A dual-mode store can't do what it was asked for.
    #[error(transparent)]
    Store(Box<StoreError>),
    /// A key-value backend that is not of this crate failed.
    #[error("the key-value backend failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// [`Progress::is_cancelled`](crate::Progress::is_cancelled) said so.
    #[error("interrupted")]
    Cancelled,
    /// The operating system gave no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// This crate contradicts itself; a bug.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<SqliteError> for Error {
    fn from(error: SqliteError) -> Self {
        Error::Sqlite(Box::new(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Error::Store(Box::new(error))
    }
}

#[cfg(feature = "native-v2")]
impl From<crate::kv::KvError> for Error {
    fn from(error: crate::kv::KvError) -> Self {
        Error::Kv(Box::new(error))
    }
}

#[cfg(feature = "native-v2")]
impl From<crate::migrate::TargetError> for Error {
    fn from(error: crate::migrate::TargetError) -> Self {
        Error::Target(Box::new(error))
    }
}

/// Gives an I/O error the file that it is about.
pub(crate) trait IoContext<T> {
    fn io_context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn io_context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}

/// A file is not the kind of store that it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KindError {
    /// The path names no regular file.
    #[error("{} is {found}, not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file has no bytes.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A KV file stands where a SQLite database should.
    #[error("{} is a KV file, not a SQLite database", path.display())]
    KvNotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database stands where a KV file should.
    #[error("{} is a SQLite database, not a KV file", path.display())]
    SqliteNotKv {
        /// The file.
        path: PathBuf,
    },
    /// Lines of JSON stand where a store should.
    #[error("{} is an NDJSON export, not a store", path.display())]
    Ndjson {
        /// The file.
        path: PathBuf,
    },
    /// The file is in another format that is known.
    #[error("{} is {format}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: FileFormat,
    },
    /// The file is neither.
    #[error("{} is neither a SQLite database nor a KV file", path.display())]
    Neither {
        /// The file.
        path: PathBuf,
    },
}

impl KindError {
    pub(crate) fn not_a_file(path: &Path, file_type: FileType) -> Self {
        KindError::NotAFile {
            path: path.to_owned(),
            found: what(file_type),
        }
    }
}

#[cfg(unix)]
fn what(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn what(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else {
        "something else"
    }
}
