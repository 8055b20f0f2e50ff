//! Reading a KV file.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use redb::{
    Database, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase as _,
    ReadableTableMetadata as _,
};

use serde::de::DeserializeOwned;

use super::manifest::{FormatMarker, Manifest};
use super::overlay::Overlay;
use super::{FORMAT_NAME, FORMAT_VERSION, KvError, META, RECORDS, engine, meta_entry};
use crate::codec::{Entry, key_prefix};
use crate::error::{IoContext as _, Result};
use crate::record::{RecordKind, Sequences};

/// Memory that redb may use to read.
const CACHE_BYTES: usize = 8 << 20;

/// A KV file, open for reading in one state.
pub struct KvFile {
    path: PathBuf,
    // Tables are opened anew for each use: an open one holds its root page, which may be as large
    // as the largest record.
    transaction: ReadTransaction,
    // Dropped behind the transaction that reads through it.
    _database: Engine,
}

enum Engine {
    Checked { _database: Database },
    Plain { _database: ReadOnlyDatabase },
}

impl std::fmt::Debug for KvFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KvFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl KvFile {
    /// Opens a file that may be damaged: every page is checked first, and the file stays as it is.
    /// A file whose writer was killed is repaired in memory.
    ///
    /// # Errors
    /// The file is damaged, open for writing elsewhere, of another tool or of another version.
    pub fn open_checked(path: &Path) -> Result<Self> {
        let file = File::open(path).io_context("open", path)?;
        if is_locked(&file) {
            return Err(KvError::Locked {
                path: path.to_owned(),
            }
            .into());
        }
        let overlay = Overlay::new(file).io_context("read", path)?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open(true);
        let database = builder
            .create_with_backend(overlay)
            .map_err(engine("open", path))?;
        let transaction = database.begin_read().map_err(engine("read", path))?;
        let engine = Engine::Checked {
            _database: database,
        };
        Self::from_transaction(path, transaction, engine)
    }

    /// Opens a file that this process has just written: no page is checked beforehand.
    ///
    /// # Errors
    /// As [`KvFile::open_checked`], but damage may go unnoticed.
    pub(crate) fn open_trusted(path: &Path) -> Result<Self> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = builder.open_read_only(path).map_err(engine("open", path))?;
        let transaction = database.begin_read().map_err(engine("read", path))?;
        let engine = Engine::Plain {
            _database: database,
        };
        Self::from_transaction(path, transaction, engine)
    }

    fn from_transaction(
        path: &Path,
        transaction: ReadTransaction,
        database: Engine,
    ) -> Result<Self> {
        let file = KvFile {
            path: path.to_owned(),
            transaction,
            _database: database,
        };
        match file.document::<FormatMarker>(meta_entry::FORMAT)? {
            Some(format) if format.name != FORMAT_NAME => {
                return Err(foreign(path, format!("its format is {:?}", format.name)));
            }
            Some(format) if format.version != FORMAT_VERSION => {
                return Err(KvError::Version {
                    path: path.to_owned(),
                    found: format.version,
                }
                .into());
            }
            Some(_) => {}
            None => return Err(foreign(path, "it names no format".to_owned())),
        }
        file.records()?;
        Ok(file)
    }

    fn records(&self) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>> {
        match self.transaction.open_table(RECORDS) {
            Err(redb::TableError::TableDoesNotExist(_)) => Err(KvError::Damaged {
                path: self.path.clone(),
                detail: "it has no table of records".to_owned(),
            }
            .into()),
            table => table.map_err(table_error(&self.path)),
        }
    }

    fn document<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>> {
        let meta = self.transaction.open_table(META);
        let meta = meta.map_err(table_error(&self.path))?;
        let document = meta.get(name).map_err(engine("read", &self.path))?;
        let Some(document) = document else {
            return Ok(None);
        };
        match serde_json::from_slice(document.value()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(KvError::Damaged {
                path: self.path.clone(),
                detail: format!("its {name} document can't be read: {error}"),
            }
            .into()),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of all keys, whatever they are.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn len(&self) -> Result<u64> {
        self.records()?.len().map_err(engine("read", &self.path))
    }

    /// Whether there are no keys.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Number of keys that start like those of a kind.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn count(&self, kind: RecordKind) -> Result<u64> {
        let mut count = 0;
        self.visit(kind, &mut |_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    /// The id high-water marks; 0 where the file tells none.
    ///
    /// # Errors
    /// The file or its document can't be read.
    pub fn sequences(&self) -> Result<Sequences> {
        Ok(self.document(meta_entry::SEQUENCES)?.unwrap_or_default())
    }

    /// What the last migration said of the content, unless a write since then has dropped it.
    ///
    /// # Errors
    /// The file or its document can't be read.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        self.document(meta_entry::MANIFEST)
    }

    /// Hands every entry whose key starts like those of a kind to `visit`, in key order.
    ///
    /// # Errors
    /// The file can't be read to its end, or `visit` failed.
    pub fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        let prefix = key_prefix(kind).as_bytes();
        let entries = self
            .records()?
            .range(prefix..)
            .map_err(engine("read", &self.path))?;
        for entry in entries {
            let (key, value) = entry.map_err(engine("read", &self.path))?;
            let entry = Entry {
                key: key.value(),
                value: value.value(),
            };
            if !entry.key.starts_with(prefix) {
                break;
            }
            visit(entry)?;
        }
        Ok(())
    }

    /// Hands every entry to `visit`, in key order, whatever its key.
    ///
    /// # Errors
    /// The file can't be read to its end, or `visit` failed.
    pub fn visit_all(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        let entries = self.records()?.range::<&[u8]>(..);
        let entries = entries.map_err(engine("read", &self.path))?;
        for entry in entries {
            let (key, value) = entry.map_err(engine("read", &self.path))?;
            visit(Entry {
                key: key.value(),
                value: value.value(),
            })?;
        }
        Ok(())
    }
}

/// Whether a redb writer has the file open. Takes a shared lock that lasts until the file is
/// closed; a file system without locks has no locked files.
pub(crate) fn is_locked(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn foreign(path: &Path, detail: String) -> crate::Error {
    KvError::Foreign {
        path: path.to_owned(),
        detail,
    }
    .into()
}

fn table_error(path: &Path) -> impl Fn(redb::TableError) -> crate::Error + '_ {
    move |error| match error {
        redb::TableError::Storage(error) => engine("read", path)(error),
        other => foreign(path, other.to_string()),
    }
}
