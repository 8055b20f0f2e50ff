mod read;

use std::path::Path;
use std::sync::Arc;

use super::backend::{self, RecordFilter, RecordStore, RecordTransaction, checked};
use crate::error::Result;
use crate::fsio::IfMissing;
use crate::kv::KvBackend;
use crate::record::{CodeChunk, Record, RecordKind};
use crate::sqlite::SharedConnection;

/// The chunks of a tool, in a key-value backend or in SQLite.
///
/// Both give the same answers to the same calls: ids, order, errors. Which one it is is settled when
/// the store is made; an error of the backend is never answered from elsewhere. Clones are handles on
/// the same chunks.
///
/// # Errors
/// Beside what is said at an operation, each fails if the store can't be read or written, and each
/// that hands out chunks if what it finds is no chunk:
/// [`Error::InvalidRecord`](crate::Error::InvalidRecord). A damaged chunk of another file, symbol
/// or kind hinders nothing. An operation that fails has written nothing.
///
/// The same cause is the same error over both, but for what only one of them has: a file that is no
/// database ([`Error`](crate::Error)), or no KV file, or that another
/// process has locked, or that the disk fails to read or write.
///
/// ```
/// # fn main() -> chunkmigrate::Result<()> {
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
///
/// let store = ChunkStore::in_memory(None)?;
/// let id = store.store_chunk(&CodeChunk::new("src/main.rs", 0, 12, "fn main() {}"))?;
/// assert_eq!(id, 1);
/// let chunk = store.get_chunk_by_span("src/main.rs", 0, 12)?;
/// assert_eq!(chunk.map(|chunk| chunk.content).as_deref(), Some("fn main() {}"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ChunkStore {
    records: Arc<dyn RecordStore>,
}

impl ChunkStore {
    /// Chunks in a SQLite file, which is made if there is none. Its table is made by
    /// [`ensure_schema`](ChunkStore::ensure_schema) or the first write.
    ///
    /// # Errors
    /// The file can't be opened, or is no database.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chunkmigrate::store::ChunkStore;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let store = ChunkStore::new(&folder.path().join("code.db"))?;
    /// assert_eq!(store.count_chunks()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(path: &Path) -> Result<Self> {
        let records = backend::in_sqlite_file(path, IfMissing::Create)?;
        Ok(ChunkStore { records })
    }

    /// Chunks in a SQLite file that is there.
    ///
    /// # Errors
    /// There is no file, it can't be opened, or is no database.
    pub fn open(path: &Path) -> Result<Self> {
        let records = backend::in_sqlite_file(path, IfMissing::Fail)?;
        Ok(ChunkStore { records })
    }

    /// Chunks in a SQLite database that is open already: a `rusqlite::Connection`, or a
    /// [`SharedConnection`] that others use too.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chunkmigrate::rusqlite::Connection;
    /// use chunkmigrate::store::ChunkStore;
    ///
    /// let store = ChunkStore::with_connection(Connection::open_in_memory()?);
    /// assert!(!store.has_kv_backend());
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_connection(connection: impl Into<SharedConnection>) -> Self {
        let records = backend::over_connection(connection.into());
        ChunkStore { records }
    }

    /// Chunks in a key-value backend.
    ///
    /// ```
    /// # #[cfg(feature = "native-v2")]
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use std::sync::Arc;
    /// use chunkmigrate::kv::{KvBackend, RedbBackend};
    /// use chunkmigrate::store::ChunkStore;
    ///
    /// let backend: Arc<dyn KvBackend> = Arc::new(RedbBackend::in_memory()?);
    /// assert!(ChunkStore::with_kv_backend(backend).has_kv_backend());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "native-v2"))]
    /// # fn main() {}
    /// ```
    pub fn with_kv_backend(backend: Arc<dyn KvBackend>) -> Self {
        let records = backend::over_kv_backend(backend);
        ChunkStore { records }
    }

    /// Chunks in a key-value backend if one is given, else in a new SQLite database in memory, which
    /// goes with the store.
    ///
    /// # Errors
    /// SQLite can't make the database.
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let store = chunkmigrate::store::ChunkStore::in_memory(None)?;
    /// assert!(!store.has_kv_backend());
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_memory(backend: Option<Arc<dyn KvBackend>>) -> Result<Self> {
        let records = backend::in_memory(backend)?;
        Ok(ChunkStore { records })
    }

    /// Whether the chunks are in a key-value backend.
    pub fn has_kv_backend(&self) -> bool {
        self.records.has_kv_backend()
    }

    /// Whether no id is ever given twice, as in a key-value backend and in a table that a store has
    /// made. In a table of another program that is not AUTOINCREMENT SQLite gives the highest id again
    /// once its chunk is gone.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chunkmigrate::rusqlite::Connection;
    /// use chunkmigrate::store::ChunkStore;
    ///
    /// assert!(ChunkStore::in_memory(None)?.keeps_ids()?);
    /// let connection = Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE code_chunks (id INTEGER PRIMARY KEY, file_path TEXT,
    ///     byte_start INT, byte_end INT, content TEXT, content_hash TEXT, created_at INT)")?;
    /// assert!(!ChunkStore::with_connection(connection).keeps_ids()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keeps_ids(&self) -> Result<bool> {
        self.records.keeps_ids(RecordKind::Chunk)
    }

    /// Makes the table of chunks with its indexes, if there is none; a key-value backend needs none.
    /// Without this the first write makes it, and until then there are no chunks.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let store = chunkmigrate::store::ChunkStore::in_memory(None)?;
    /// store.ensure_schema()?;
    /// store.ensure_schema()?;
    /// assert_eq!(store.count_chunks()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ensure_schema(&self) -> Result<()> {
        self.records.ensure_schema(RecordKind::Chunk)
    }

    /// Stores a chunk under a new id, one above the highest that was ever given, and returns the id;
    /// that of the argument doesn't matter. A chunk of the same span is replaced.
    ///
    /// # Errors
    /// [`RecordError`](crate::record::RecordError): an offset above [`i64::MAX`], or no id is left.
    /// Else see [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// assert_eq!(store.store_chunk(&CodeChunk::new("a.rs", 0, 3, "old"))?, 1);
    /// assert_eq!(store.store_chunk(&CodeChunk::new("a.rs", 0, 3, "new"))?, 2);
    /// assert_eq!(store.count_chunks()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn store_chunk(&self, chunk: &CodeChunk) -> Result<i64> {
        let ids = self.store_chunks(std::slice::from_ref(chunk))?;
        Ok(ids.into_iter().next().unwrap_or_default())
    }

    /// Stores chunks as [`store_chunk`](ChunkStore::store_chunk) does, in one transaction, and
    /// returns their ids in the order of the chunks.
    ///
    /// # Errors
    /// As [`store_chunk`](ChunkStore::store_chunk); then none of them is stored.
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// let chunks = [CodeChunk::new("a.rs", 0, 1, "a"), CodeChunk::new("a.rs", 1, 2, "b")];
    /// assert_eq!(store.store_chunks(&chunks)?, [1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn store_chunks(&self, chunks: &[CodeChunk]) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(chunks.len());
        if chunks.is_empty() {
            return Ok(ids);
        }
        self.write(&mut |transaction| {
            // A backend may run this again.
            ids.clear();
            for chunk in chunks {
                let record = checked(Record::Chunk(chunk.clone()))?;
                ids.push(transaction.replace(record)?);
            }
            Ok(())
        })?;
        Ok(ids)
    }

    /// Takes all chunks of a file away; returns how many. Their ids are not given again.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// store.store_chunk(&CodeChunk::new("a.rs", 0, 3, "abc"))?;
    /// assert_eq!(store.delete_chunks_for_file("a.rs")?, 1);
    /// assert_eq!(store.delete_chunks_for_file("a.rs")?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_chunks_for_file(&self, file_path: &str) -> Result<u64> {
        let mut deleted = 0;
        self.write(&mut |transaction| {
            deleted = transaction.delete_all(&RecordFilter::FileChunks { file_path })?;
            Ok(())
        })?;
        Ok(deleted)
    }

    fn write(&self, write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>) -> Result<()> {
        self.records.transaction(&[RecordKind::Chunk], write)
    }
}
