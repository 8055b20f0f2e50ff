mod read;

use std::sync::Arc;

use super::backend::{RecordFilter, RecordStore, RecordTransaction, checked};
use super::constructors::constructors;
use crate::error::Result;
use crate::record::{CodeChunk, Record, RecordKind};

/// The chunks of a code indexer, in a key-value backend or in SQLite.
///
/// Both return the same results for the same calls: ids, order, errors. The storage is chosen when
/// the store is created; if the backend fails, the error is returned and SQLite is never used
/// instead. Clones are handles on the same chunks.
///
/// # Errors
/// Besides its own errors, each operation fails if the store can't be read or written, and each
/// that returns chunks if it finds an invalid one
/// ([`Error::InvalidRecord`](crate::Error::InvalidRecord)). A corrupt chunk of another file, symbol
/// or kind affects nothing. An operation that fails has written nothing.
///
/// The same cause is the same error in both modes, except for errors of the file: that it is not a
/// database or KV file, is locked by another process, or cannot be read or written.
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
    constructors!();

    fn of(records: Arc<dyn RecordStore>) -> Self {
        ChunkStore { records }
    }

    /// Whether the chunks are in a key-value backend.
    pub fn has_kv_backend(&self) -> bool {
        self.records.has_kv_backend()
    }

    /// Whether ids are never reused. True for a key-value backend, and for a table created by a
    /// store. In another program's table without AUTOINCREMENT, SQLite reuses the highest id after
    /// its chunk is deleted.
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

    /// Creates the table of chunks with its indexes if it is missing; does nothing for a key-value
    /// backend. Without this call, the first write creates the table; until then there are no
    /// chunks.
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

    /// Stores a chunk under a new id, one above the highest ever assigned, and returns the id. The
    /// id of `chunk` is ignored. Replaces a chunk of the same span.
    ///
    /// # Errors
    /// [`Error::OffsetRange`](crate::Error::OffsetRange) or
    /// [`Error::NoIdLeft`](crate::Error::NoIdLeft). Otherwise see [the store](ChunkStore#errors).
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
    /// returns their ids in the order of `chunks`.
    ///
    /// # Errors
    /// As [`store_chunk`](ChunkStore::store_chunk); in that case no chunk is stored.
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
            // A backend may run this closure again.
            ids.clear();
            for chunk in chunks {
                let record = checked(Record::Chunk(chunk.clone()))?;
                ids.push(transaction.replace(record)?);
            }
            Ok(())
        })?;
        Ok(ids)
    }

    /// Deletes all chunks of a file; returns their number. Their ids are not reused.
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
            deleted = transaction.delete_all(&RecordFilter::chunks_of(file_path))?;
            Ok(())
        })?;
        Ok(deleted)
    }

    fn write(&self, write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>) -> Result<()> {
        self.records.transaction(&[RecordKind::Chunk], write)
    }
}
