//! Read operations of the chunk store.

use super::ChunkStore;
use crate::error::Result;
use crate::record::{CodeChunk, Record, RecordKey, RecordKind};
use crate::store::backend::RecordFilter;

impl ChunkStore {
    /// The chunk with the span `byte_start..byte_end`; `None` if there is none.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// store.store_chunk(&CodeChunk::new("a.rs", 0, 3, "abc"))?;
    /// assert!(store.get_chunk_by_span("a.rs", 0, 3)?.is_some());
    /// assert!(store.get_chunk_by_span("a.rs", 0, 2)?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_chunk_by_span(
        &self,
        file_path: &str,
        byte_start: u64,
        byte_end: u64,
    ) -> Result<Option<CodeChunk>> {
        let max = i64::MAX.unsigned_abs();
        if byte_start > max || byte_end > max {
            // No store can contain it, and SQLite cannot represent it as a parameter.
            return Ok(None);
        }
        let record = self.records.get(&RecordKey::Chunk {
            file_path: file_path.to_owned(),
            byte_start,
            byte_end,
        })?;
        Ok(record.and_then(Record::into_chunk))
    }

    /// The chunks of a file, ordered by `byte_start`, then `byte_end`.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// for start in [10, 9, 0] {
    ///     store.store_chunk(&CodeChunk::new("a.rs", start, 20, "…"))?;
    /// }
    /// store.store_chunk(&CodeChunk::new("a.rs:b", 5, 20, "…"))?;
    /// let starts = store.get_chunks_for_file("a.rs")?.into_iter().map(|chunk| chunk.byte_start);
    /// assert_eq!(starts.collect::<Vec<_>>(), [0, 9, 10]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_chunks_for_file(&self, file_path: &str) -> Result<Vec<CodeChunk>> {
        self.chunks(RecordFilter::chunks_of(file_path))
    }

    /// The chunks of a file that define a symbol with a given name, ordered by `byte_start`, then
    /// `byte_end`.
    ///
    /// A key-value backend reads all chunks of the file: O(n) in their number.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// let chunk = CodeChunk::new("a.rs", 0, 3, "abc").with_symbol("main", "Function");
    /// store.store_chunk(&chunk)?;
    /// assert_eq!(store.get_chunks_for_symbol("a.rs", "main")?.len(), 1);
    /// assert_eq!(store.get_chunks_for_symbol("b.rs", "main")?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_chunks_for_symbol(
        &self,
        file_path: &str,
        symbol_name: &str,
    ) -> Result<Vec<CodeChunk>> {
        self.chunks(RecordFilter::chunks_of(file_path).with("symbol_name", symbol_name))
    }

    /// The chunks that define symbols of a given kind, ordered by `file_path`, `byte_start`,
    /// `byte_end`.
    ///
    /// Reads all chunks of the store: O(n) in their number.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// let chunk = CodeChunk::new("a.rs", 0, 3, "abc").with_symbol("main", "Function");
    /// store.store_chunk(&chunk)?;
    /// assert_eq!(store.get_chunks_by_kind("Function")?.len(), 1);
    /// assert_eq!(store.get_chunks_by_kind("Struct")?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_chunks_by_kind(&self, symbol_kind: &str) -> Result<Vec<CodeChunk>> {
        self.chunks(RecordFilter::all(RecordKind::Chunk).with("symbol_kind", symbol_kind))
    }

    /// The number of chunks. Reads all their keys: O(n) in their number.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let store = chunkmigrate::store::ChunkStore::in_memory(None)?;
    /// assert_eq!(store.count_chunks()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn count_chunks(&self) -> Result<u64> {
        self.records.count(&RecordFilter::all(RecordKind::Chunk))
    }

    /// The number of chunks of a file.
    ///
    /// # Errors
    /// See [the store](ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::CodeChunk, store::ChunkStore};
    /// let store = ChunkStore::in_memory(None)?;
    /// store.store_chunk(&CodeChunk::new("a.rs", 0, 3, "abc"))?;
    /// assert_eq!(store.count_chunks_for_file("a.rs")?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn count_chunks_for_file(&self, file_path: &str) -> Result<u64> {
        self.records.count(&RecordFilter::chunks_of(file_path))
    }

    fn chunks(&self, selection: RecordFilter<'_>) -> Result<Vec<CodeChunk>> {
        let mut chunks = Vec::new();
        self.records.visit(&selection, &mut |record| {
            chunks.extend(record.into_chunk());
            Ok(())
        })?;
        chunks.sort_by(|a: &CodeChunk, b| {
            let place = |chunk: &CodeChunk| (chunk.byte_start, chunk.byte_end);
            (&a.file_path, place(a)).cmp(&(&b.file_path, place(b)))
        });
        Ok(chunks)
    }
}
