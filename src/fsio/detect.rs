//! Detects the type of a file from its first bytes, never from its name.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::error::{Error, IoContext as _, Result};
use crate::file_format::FileFormat;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const REDB_MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
const EXPORT_START: &[u8] = b"{\"kind\":\"";

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A SQLite database.
    Sqlite,
    /// A redb file, of this tool or another.
    Kv,
    /// JSON Lines, as written by an export. They can be imported, but are not a store.
    Ndjson,
    /// An empty file.
    Empty,
    /// Another known format that cannot be read.
    Other(FileFormat),
    /// Anything else.
    Unknown,
}

/// Detects the type of a file from its first bytes. Follows symbolic links.
///
/// # Errors
/// The file does not exist or can't be read, or is a directory, FIFO or device.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::store::{StoreKind, detect};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("code.kv");
/// std::fs::write(&path, "SQLite format 3\0, whatever its name says")?;
/// assert_eq!(detect(&path)?, StoreKind::Sqlite);
/// # Ok(())
/// # }
/// ```
pub fn detect(path: &Path) -> Result<StoreKind> {
    let metadata = fs::metadata(path).io_context("read", path)?;
    if !metadata.is_file() {
        return Err(Error::not_a_file(path, metadata.file_type()));
    }
    let mut start = Vec::with_capacity(16);
    File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut start))
        .io_context("read", path)?;
    Ok(StoreKind::of_first_bytes(&start))
}

impl StoreKind {
    /// The type of a file with these first bytes; 16 bytes are enough.
    pub(crate) fn of_first_bytes(start: &[u8]) -> Self {
        match start {
            [] => StoreKind::Empty,
            start if start.starts_with(SQLITE_MAGIC) => StoreKind::Sqlite,
            start if start.starts_with(REDB_MAGIC) => StoreKind::Kv,
            start if start.starts_with(EXPORT_START) => StoreKind::Ndjson,
            start => match FileFormat::of_first_bytes(start) {
                Some(format) => StoreKind::Other(format),
                None => StoreKind::Unknown,
            },
        }
    }

    /// The name that reports use, such as `sqlite` or `kv`.
    pub const fn name(self) -> &'static str {
        match self {
            StoreKind::Sqlite => "sqlite",
            StoreKind::Kv => "kv",
            StoreKind::Ndjson => "ndjson",
            StoreKind::Empty => "empty",
            StoreKind::Other(format) => format.name(),
            StoreKind::Unknown => "unknown",
        }
    }

    /// Requires a store of either kind; the error names anything else.
    pub(crate) fn expect_store(self, path: &Path) -> Result<()> {
        match self {
            StoreKind::Sqlite | StoreKind::Kv => Ok(()),
            other => Err(other.not_a_store(path)),
        }
    }

    /// Requires a store of one kind; the error names anything else.
    pub(crate) fn expect(self, wanted: StoreKind, path: &Path) -> Result<()> {
        let given = path.to_owned();
        match (self, wanted) {
            (found, wanted) if found == wanted => Ok(()),
            (StoreKind::Kv, _) => Err(Error::KvNotSqlite { path: given }),
            (StoreKind::Sqlite, _) => Err(Error::SqliteNotKv { path: given }),
            (other, _) => Err(other.not_a_store(path)),
        }
    }

    fn not_a_store(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            StoreKind::Ndjson => Error::IsExport { path },
            StoreKind::Empty => Error::EmptyFile { path },
            StoreKind::Other(format) => Error::OtherFormat { path, format },
            StoreKind::Sqlite | StoreKind::Kv | StoreKind::Unknown => {
                Error::UnrecognizedFile { path }
            }
        }
    }
}
impl Serialize for StoreKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
