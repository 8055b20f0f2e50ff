//! One view of both stores: records of one kind as a stream of entries in key order.
//!
//! Copying is "read one stream, load the other side", comparing is "join two streams", a digest is
//! "hash one stream"; none of them knows which store it has in hand.

mod detect;
mod pipe;

pub use detect::{StoreKind, detect};
pub use pipe::{Batch, RecordStream, pipe};

use crate::codec::Entry;
use crate::error::Result;
use crate::record::{RecordKind, Sequences};
use crate::sqlite::{InvalidRow, SqliteSnapshot, Visited};

/// An item of a stream: an entry, or a row that has none.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A record's key and value.
    Entry(Entry<'a>),
    /// A SQLite row that is no record.
    Invalid(&'a InvalidRow),
}

/// Items of one kind, entries in strictly ascending order of their keys.
pub trait SortedItems {
    /// Moves to the next item; `false` behind the last.
    ///
    /// # Errors
    /// The store could not be read to its end.
    fn advance(&mut self) -> Result<bool>;

    /// The item that [`advance`](SortedItems::advance) moved to; `None` before the first and
    /// behind the last.
    fn current(&self) -> Option<Item<'_>>;
}

/// One consistent state of a store, whichever it is.
pub trait Snapshot: Send {
    /// Number of rows or keys of a kind.
    ///
    /// # Errors
    /// The store can't be read.
    fn count(&self, kind: RecordKind) -> Result<u64>;

    /// The id high-water marks.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&self) -> Result<Sequences>;

    /// Hands every entry of a kind to `visit`, in ascending order of the keys' bytes, and each row
    /// that has no record when it comes up.
    ///
    /// # Errors
    /// The store can't be read to its end, or `visit` failed.
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()>;
}

impl Snapshot for SqliteSnapshot {
    fn count(&self, kind: RecordKind) -> Result<u64> {
        Ok(self.survey(kind).rows)
    }

    fn sequences(&self) -> Result<Sequences> {
        SqliteSnapshot::sequences(self)
    }

    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        SqliteSnapshot::visit(self, kind, visit)
    }
}

#[cfg(feature = "native-v2")]
impl Snapshot for crate::kv::KvFile {
    fn count(&self, kind: RecordKind) -> Result<u64> {
        crate::kv::KvFile::count(self, kind)
    }

    fn sequences(&self) -> Result<Sequences> {
        crate::kv::KvFile::sequences(self)
    }

    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        crate::kv::KvFile::visit(self, kind, &mut |entry| visit(Ok(entry.into())))
    }
}
