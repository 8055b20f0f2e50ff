//! The key-value store interface that the dual-mode stores are built on.

use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::record::IdSequences;

const RAN_AGAIN: &str = "a scan was repeated, which only a backend with its own scan_prefix may do";

/// A key-value store with transactions and keys in ascending byte order.
///
/// [`RedbBackend`](super::RedbBackend) implements it, and tools may supply their own. Every method
/// has a default on top of [`transaction`](KvBackend::transaction); an implementation that can read
/// without a write transaction should also implement `get` and `scan_prefix`.
///
/// To get two handles on one backend, clone its [`Arc`](std::sync::Arc): each sees what the other
/// commits.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// use chunkmigrate::Result;
/// use chunkmigrate::kv::Entry;
/// use chunkmigrate::kv::{KvBackend, KvTransaction};
/// use chunkmigrate::record::{CodeChunk, IdSequences};
/// use chunkmigrate::store::ChunkStore;
///
/// #[derive(Default)]
/// struct Memory(Mutex<Content>);
///
/// #[derive(Default, Clone)]
/// struct Content {
///     entries: BTreeMap<Vec<u8>, Vec<u8>>,
///     sequences: IdSequences,
/// }
///
/// impl KvBackend for Memory {
///     fn transaction(
///         &self,
///         f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>,
///     ) -> Result<()> {
///         let mut content = self.0.lock().expect("nobody panicked");
///         let mut changed = content.clone();
///         f(&mut changed)?;
///         *content = changed;
///         Ok(())
///     }
/// }
///
/// impl KvTransaction for Content {
///     fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
///         Ok(self.entries.get(key).cloned())
///     }
///
///     fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
///         self.entries.insert(key.to_vec(), value.to_vec());
///         Ok(())
///     }
///
///     fn delete(&mut self, key: &[u8]) -> Result<bool> {
///         Ok(self.entries.remove(key).is_some())
///     }
///
///     fn scan_prefix(
///         &mut self,
///         prefix: &[u8],
///         visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
///     ) -> Result<()> {
///         for (key, value) in self.entries.range(prefix.to_vec()..) {
///             if !key.starts_with(prefix) || !visit(Entry { key, value })? {
///                 break;
///             }
///         }
///         Ok(())
///     }
///
///     fn sequences(&mut self) -> Result<IdSequences> {
///         Ok(self.sequences)
///     }
///
///     fn set_sequences(&mut self, sequences: IdSequences) -> Result<()> {
///         self.sequences = sequences;
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let store = ChunkStore::with_kv_backend(Arc::new(Memory::default()));
/// assert_eq!(store.store_chunk(&CodeChunk::new("src/main.rs", 0, 12, "fn main() {}"))?, 1);
/// # Ok(())
/// # }
/// ```
pub trait KvBackend: Send + Sync {
    /// Runs `f` in a write transaction and commits it. If `f` fails, the transaction is rolled back
    /// and its error is returned. Write transactions are serialized: each waits for the previous
    /// one to end.
    ///
    /// `f` may run again after a rollback, for example because of a conflict. A backend that does
    /// so must also implement [`scan_prefix`](KvBackend::scan_prefix).
    ///
    /// `f` must not begin another write transaction of the same backend: it would deadlock.
    ///
    /// # Errors
    /// The error of `f`, or the store can't be read or written.
    fn transaction(&self, f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()>;

    /// The value of a key; `None` if the key is missing.
    ///
    /// # Errors
    /// The store can't be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut value = None;
        self.transaction(&mut |transaction| {
            value = transaction.get(key)?;
            Ok(())
        })?;
        Ok(value)
    }

    /// Calls `visit` for every entry whose key starts with `prefix`, in ascending key order and
    /// from one snapshot, until it returns `false`. No entry is visited twice.
    ///
    /// # Errors
    /// The error of `visit`, or the store can't be read. [`Error::Backend`] if this is not
    /// implemented and [`transaction`](KvBackend::transaction) runs its function again.
    fn scan_prefix(
        &self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        let mut has_run = false;
        self.transaction(&mut |transaction| {
            // Visited entries can't be taken back.
            if std::mem::replace(&mut has_run, true) {
                return Err(Error::Backend(RAN_AGAIN.into()));
            }
            transaction.scan_prefix(prefix, visit)
        })
    }

    /// Sets the value of a key, replacing the old one.
    ///
    /// # Errors
    /// The store can't be written.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.transaction(&mut |transaction| transaction.put(key, value))
    }

    /// Deletes a key and its value; returns `false` if the key is missing.
    ///
    /// # Errors
    /// The store can't be written.
    fn delete(&self, key: &[u8]) -> Result<bool> {
        let mut found = false;
        self.transaction(&mut |transaction| {
            found = transaction.delete(key)?;
            Ok(())
        })?;
        Ok(found)
    }
}

/// A write transaction of a [`KvBackend`]. Reads see its own writes.
///
/// A backend that stores metadata derived from its content, such as the manifest of a KV file, must
/// invalidate it in the transaction of the first write.
pub trait KvTransaction {
    /// The value of a key; `None` if the key is missing.
    ///
    /// # Errors
    /// The store can't be read.
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Sets the value of a key, replacing the old one.
    ///
    /// # Errors
    /// The store can't be written.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Deletes a key and its value; returns `false` if the key is missing.
    ///
    /// # Errors
    /// The store can't be written.
    fn delete(&mut self, key: &[u8]) -> Result<bool>;

    /// Calls `visit` for every entry whose key starts with `prefix`, in ascending key order, until
    /// it returns `false`.
    ///
    /// # Errors
    /// The error of `visit`, or the store can't be read.
    fn scan_prefix(
        &mut self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()>;

    /// The id sequences, 0 where none was set. They are stored separately from the entries.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&mut self) -> Result<IdSequences>;

    /// Sets the id sequences.
    ///
    /// # Errors
    /// The store can't be written.
    fn set_sequences(&mut self, sequences: IdSequences) -> Result<()>;
}
