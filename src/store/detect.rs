//! Which kind of store a file is, from its first bytes and never from its name.

use std::fs::{self, File, FileType};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::{IoContext as _, Result};

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const REDB_MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A SQLite database.
    Sqlite,
    /// A redb file, of this tool or another.
    Kv,
    /// A file of no bytes.
    Empty,
    /// Anything else.
    Unknown,
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
    /// The file is neither.
    #[error("{} is neither a SQLite database nor a KV file", path.display())]
    Neither {
        /// The file.
        path: PathBuf,
    },
}

/// Tells what a file is by its first bytes. Symbolic links are followed.
///
/// # Errors
/// The file is not there or can't be read, or is a directory, FIFO or device.
pub fn detect(path: &Path) -> Result<StoreKind> {
    let metadata = fs::metadata(path).io_context("read", path)?;
    if !metadata.is_file() {
        return Err(KindError::NotAFile {
            path: path.to_owned(),
            found: what(metadata.file_type()),
        }
        .into());
    }
    let mut start = Vec::with_capacity(16);
    File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut start))
        .io_context("read", path)?;
    Ok(match start.as_slice() {
        [] => StoreKind::Empty,
        start if start == SQLITE_MAGIC => StoreKind::Sqlite,
        start if start.starts_with(REDB_MAGIC) => StoreKind::Kv,
        _ => StoreKind::Unknown,
    })
}

impl StoreKind {
    /// Demands a SQLite database.
    ///
    /// # Errors
    /// [`KindError`] names what the file is instead.
    pub fn expect_sqlite(self, path: &Path) -> Result<()> {
        let path = path.to_owned();
        Err(match self {
            StoreKind::Sqlite => return Ok(()),
            StoreKind::Kv => KindError::KvNotSqlite { path },
            StoreKind::Empty => KindError::Empty { path },
            StoreKind::Unknown => KindError::Neither { path },
        }
        .into())
    }

    /// Demands a KV file.
    ///
    /// # Errors
    /// [`KindError`] names what the file is instead.
    pub fn expect_kv(self, path: &Path) -> Result<()> {
        let path = path.to_owned();
        Err(match self {
            StoreKind::Kv => return Ok(()),
            StoreKind::Sqlite => KindError::SqliteNotKv { path },
            StoreKind::Empty => KindError::Empty { path },
            StoreKind::Unknown => KindError::Neither { path },
        }
        .into())
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
