//! A KV file that is read and written in place.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadableDatabase as _, ReadableTable, Table, WriteTransaction};

use super::backend::{KvBackend, KvTransaction};
use super::create::{initialize, is_new, make_if_missing};
use super::error::{engine, table_error};
use super::format::{META, RECORDS, check_format, meta_entry, open_records, read_sequences};
use super::manifest::encode_document;
use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::fsio::{IfMissing, check_store_path};
use crate::record::IdSequences;

/// Memory limit of redb's cache.
const CACHE_BYTES: usize = 32 << 20;

/// A KV file as a [`KvBackend`], for use with the dual-mode stores.
///
/// Every write transaction is durable when it returns. The first write of a transaction removes the
/// file's manifest, because it would no longer match.
///
/// The file is opened without verification, as fast as redb can: a corrupt file may return wrong
/// content or panic. `chunkmigrate verify` checks a file without that risk, while no store has it
/// open.
///
/// ```
/// # fn main() -> chunkmigrate::Result<()> {
/// use chunkmigrate::kv::{KvBackend, RedbBackend};
///
/// let backend = RedbBackend::in_memory()?;
/// backend.put(b"metrics:symbol:1", b"{}")?;
/// assert_eq!(backend.get(b"metrics:symbol:1")?.as_deref(), Some(&b"{}"[..]));
/// assert!(backend.delete(b"metrics:symbol:1")?);
/// assert_eq!(backend.get(b"metrics:symbol:1")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedbBackend {
    database: Database,
    path: PathBuf,
}

impl RedbBackend {
    /// Opens an existing KV file. Repairs it if its writer was killed.
    ///
    /// # Errors
    /// - The file does not exist, or can't be read and written.
    /// - [`Error::KvFileInUse`]: this or another process has it open.
    /// - [`Error::NotRedb`], [`Error::NotChunkmigrate`], [`Error::KvVersion`]: it is not a KV file that
    ///   this version can read.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chunkmigrate::Error;
    /// use chunkmigrate::kv::{RedbBackend};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("code.kv");
    /// let backend = RedbBackend::open_or_create(&path)?;
    /// // It is open already.
    /// let second = RedbBackend::open(&path);
    /// assert!(matches!(second, Err(Error::KvFileInUse { .. })));
    /// drop(backend);
    /// RedbBackend::open(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(path: &Path) -> Result<Self> {
        check_store_path(path, IfMissing::Fail)?;
        let database = builder().open(path).map_err(opening(path))?;
        check_tables(&database, path)?;
        Ok(RedbBackend { database, path: path.to_owned() })
    }

    /// Opens a KV file, or creates an empty one if it is missing or has no bytes. Creation is
    /// atomic.
    ///
    /// # Errors
    /// The errors of [`open`](RedbBackend::open), or the file can't be created.
    pub fn open_or_create(path: &Path) -> Result<Self> {
        check_store_path(path, IfMissing::Create)?;
        make_if_missing(path)?;
        Self::open(path)
    }

    /// An empty in-memory store, which is discarded with its last handle.
    ///
    /// # Errors
    /// redb can't create it.
    pub fn in_memory() -> Result<Self> {
        let path = Path::new(":memory:");
        let database = builder().create_with_backend(InMemoryBackend::new());
        Self::from_database(database.map_err(engine("create", path))?, path)
    }

    /// Wraps a redb database that was opened with custom settings, such as another cache size. A
    /// database without tables becomes an empty KV file. Errors refer to it as `path`.
    ///
    /// # Errors
    /// It is not a KV file that this version supports, or can't be read and written.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::path::Path;
    /// use chunkmigrate::kv::RedbBackend;
    /// use chunkmigrate::redb::Database;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("code.kv");
    /// let database = Database::builder().set_cache_size(4 << 20).create(&path)?;
    /// let backend = RedbBackend::from_database(database, &path)?;
    /// assert_eq!(backend.path(), path);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_database(database: Database, path: &Path) -> Result<Self> {
        if is_new(&database, path)? {
            initialize(&database, path)?;
        }
        check_tables(&database, path)?;
        Ok(RedbBackend { database, path: path.to_owned() })
    }

    /// The file path, as specified by the caller.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl KvBackend for RedbBackend {
    fn transaction(&self, f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()> {
        let path = self.path.as_path();
        let transaction = self.database.begin_write().map_err(engine("write", path))?;
        let written = {
            let mut tables = RedbTransaction::open(&transaction, path)?;
            f(&mut tables)?;
            tables.written
        };
        match written {
            true => transaction.commit().map_err(engine("write", path)),
            false => transaction.abort().map_err(engine("read", path)),
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let transaction = self.database.begin_read();
        let transaction = transaction.map_err(engine("read", &self.path))?;
        get(&open_records(&transaction, &self.path)?, key, &self.path)
    }

    fn scan_prefix(
        &self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        let transaction = self.database.begin_read();
        let transaction = transaction.map_err(engine("read", &self.path))?;
        let records = open_records(&transaction, &self.path)?;
        scan_prefix(&records, prefix, &self.path, visit)
    }
}

struct RedbTransaction<'t> {
    records: Table<'t, &'static [u8], &'static [u8]>,
    meta: Table<'t, &'static str, &'static [u8]>,
    path: &'t Path,
    written: bool,
}

impl<'t> RedbTransaction<'t> {
    fn open(transaction: &'t WriteTransaction, path: &'t Path) -> Result<Self> {
        let records = transaction.open_table(RECORDS);
        let meta = transaction.open_table(META);
        Ok(RedbTransaction {
            records: records.map_err(table_error(path))?,
            meta: meta.map_err(table_error(path))?,
            path,
            written: false,
        })
    }

    /// Removes the manifest before the first write of the transaction.
    fn invalidate_manifest(&mut self) -> Result<()> {
        if !self.written {
            let removed = self.meta.remove(meta_entry::MANIFEST);
            removed.map_err(engine("write", self.path))?;
            self.written = true;
        }
        Ok(())
    }
}

impl KvTransaction for RedbTransaction<'_> {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        get(&self.records, key, self.path)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.invalidate_manifest()?;
        let inserted = self.records.insert(key, value);
        inserted.map(|_| ()).map_err(engine("write", self.path))
    }

    fn delete(&mut self, key: &[u8]) -> Result<bool> {
        let removed = self.records.remove(key);
        let found = removed.map_err(engine("write", self.path))?.is_some();
        if found {
            self.invalidate_manifest()?;
        }
        Ok(found)
    }

    fn scan_prefix(
        &mut self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        scan_prefix(&self.records, prefix, self.path, visit)
    }

    fn sequences(&mut self) -> Result<IdSequences> {
        read_sequences(&self.meta, self.path)
    }

    fn set_sequences(&mut self, sequences: IdSequences) -> Result<()> {
        self.invalidate_manifest()?;
        let document = encode_document(&sequences)?;
        let inserted = self.meta.insert(meta_entry::SEQUENCES, document.as_slice());
        inserted.map(|_| ()).map_err(engine("write", self.path))
    }
}

fn get(
    records: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
    path: &Path,
) -> Result<Option<Vec<u8>>> {
    let value = records.get(key).map_err(engine("read", path))?;
    Ok(value.map(|value| value.value().to_vec()))
}

fn scan_prefix(
    records: &impl ReadableTable<&'static [u8], &'static [u8]>,
    prefix: &[u8],
    path: &Path,
    visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    for entry in records.range(prefix..).map_err(engine("read", path))? {
        let (key, value) = entry.map_err(engine("read", path))?;
        let (key, value) = (key.value(), value.value());
        if !key.starts_with(prefix) || !visit(Entry { key, value })? {
            break;
        }
    }
    Ok(())
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn opening(path: &Path) -> impl Fn(redb::DatabaseError) -> crate::Error + '_ {
    move |error| match error {
        redb::DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() == ErrorKind::InvalidData =>
        {
            Error::NotRedb { path: path.to_owned() }
        }
        error => engine("open", path)(error),
    }
}

fn check_tables(database: &Database, path: &Path) -> Result<()> {
    let transaction = database.begin_read().map_err(engine("read", path))?;
    check_format(&transaction, path).map(|_| ())
}
