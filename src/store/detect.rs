//! Which kind of store a file is, from its first bytes and never from its name.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::error::{IoContext as _, KindError, Result};

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

/// Tells what a file is by its first bytes. Symbolic links are followed.
///
/// # Errors
/// The file is not there or can't be read, or is a directory, FIFO or device.
pub fn detect(path: &Path) -> Result<StoreKind> {
    let metadata = fs::metadata(path).io_context("read", path)?;
    if !metadata.is_file() {
        return Err(KindError::not_a_file(path, metadata.file_type()).into());
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
    /// The name that reports use: `sqlite` or `kv`.
    pub const fn name(self) -> &'static str {
        match self {
            StoreKind::Sqlite => "sqlite",
            StoreKind::Kv => "kv",
            StoreKind::Empty => "empty",
            StoreKind::Unknown => "unknown",
        }
    }

    /// Demands a store of either kind.
    ///
    /// # Errors
    /// [`KindError`] names what the file is instead.
    pub fn expect_store(self, path: &Path) -> Result<()> {
        let path = path.to_owned();
        Err(match self {
            StoreKind::Sqlite | StoreKind::Kv => return Ok(()),
            StoreKind::Empty => KindError::Empty { path },
            StoreKind::Unknown => KindError::Neither { path },
        }
        .into())
    }

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
