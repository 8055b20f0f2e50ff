//! What the dual-mode stores need of a key-value store.

use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::record::IdSequences;

const RAN_AGAIN: &str = "a scan was repeated, which only a backend with its own scan_prefix may do";

/// A key-value store with transactions, its keys in ascending order of their bytes.
///
/// [`RedbBackend`](super::RedbBackend) is one; a tool may bring its own. Everything is built on
/// [`transaction`](KvBackend::transaction); an implementation that can read without one does better
/// to implement `get` and `scan_prefix` too.
///
/// Two handles on one backend are two clones of its [`Arc`](std::sync::Arc); what one of them
/// commits, the other reads.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// use chunkmigrate::Result;
/// use chunkmigrate::codec::Entry;
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
    /// Runs `f` in a write transaction and commits it. If `f` fails, nothing of what it did remains
    /// and its error comes back. A write transaction waits for the one before it to end.
    ///
    /// `f` may be run again after what it did was taken back, for example because of a conflict. A
    /// backend that does so implements [`scan_prefix`](KvBackend::scan_prefix) too.
    ///
    /// `f` must not begin another write transaction of the same backend, which would wait for its
    /// own end.
    ///
    /// # Errors
    /// That of `f`, or the store can't be read or written.
    fn transaction(&self, f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()>;

    /// The value of a key; `None` if there is none.
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

    /// Hands the entries whose keys begin with a prefix to `visit`, in ascending order of their keys
    /// and all of one state, until it returns `false`. None is handed out twice.
    ///
    /// # Errors
    /// That of `visit`, or the store can't be read. [`Error::Backend`] if this is not implemented and
    /// [`transaction`](KvBackend::transaction) runs again.
    fn scan_prefix(
        &self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        let mut has_run = false;
        self.transaction(&mut |transaction| {
            // What was visited can't be taken back.
            if std::mem::replace(&mut has_run, true) {
                return Err(Error::Backend(RAN_AGAIN.into()));
            }
            transaction.scan_prefix(prefix, visit)
        })
    }

    /// Gives a key a value, in place of the one it may have.
    ///
    /// # Errors
    /// The store can't be written.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.transaction(&mut |transaction| transaction.put(key, value))
    }

    /// Takes a key and its value away; `false` if it had none.
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

/// A write transaction of a [`KvBackend`]. It reads what it has written.
///
/// A backend that keeps a statement about its content, as the manifest of a KV file is one, takes it
/// back in the same transaction as the first write.
pub trait KvTransaction {
    /// The value of a key; `None` if there is none.
    ///
    /// # Errors
    /// The store can't be read.
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Gives a key a value, in place of the one it may have.
    ///
    /// # Errors
    /// The store can't be written.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Takes a key and its value away; `false` if it had none.
    ///
    /// # Errors
    /// The store can't be written.
    fn delete(&mut self, key: &[u8]) -> Result<bool>;

    /// Hands the entries whose keys begin with a prefix to `visit`, in ascending order of their
    /// keys, until it returns `false`.
    ///
    /// # Errors
    /// That of `visit`, or the store can't be read.
    fn scan_prefix(
        &mut self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()>;

    /// The id high-water marks, 0 where none was ever set. They stand beside the keys.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&mut self) -> Result<IdSequences>;

    /// Sets the id high-water marks.
    ///
    /// # Errors
    /// The store can't be written.
    fn set_sequences(&mut self, sequences: IdSequences) -> Result<()>;
}
