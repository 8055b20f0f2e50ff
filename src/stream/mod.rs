//! Records on the move: one view of every store that records are read from.
//!
//! A [`Source`] gives the records of one kind as entries in key order. Copying is "read one stream,
//! load the other side", comparing is "join two streams", a digest is "hash one stream"; none of them
//! knows which store it has in hand.

mod batch;
mod digest;
mod invalid_row;
mod parallel;
mod queue;
mod reader_thread;
#[cfg(test)]
mod tests;
mod uncopied_table;

pub use batch::Batch;
pub use digest::{KindContent, digest_kind, digest_stream};
pub(crate) use invalid_row::key_text;
pub use invalid_row::{InvalidReason, InvalidRow, RawValue, Visited, VisitedEntry, VisitedValue};
pub(crate) use parallel::join2;
pub(crate) use queue::{QueueClosed, QueueReceiver, QueueSender, queue};
pub use reader_thread::{RecordStream, read_kind, read_stream};
pub use uncopied_table::UncopiedTable;

use std::fmt;
use std::path::Path;

use crate::codec::{Digest, Entry, KindTotals};
use crate::error::Result;
use crate::fsio::StoreKind;
use crate::record::{IdSequences, PerKind, RecordKind};

/// An item of a stream: an entry, or a row that has none.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A record's key and value.
    Entry(Entry<'a>),
    /// An invalid SQLite row.
    Invalid(&'a InvalidRow),
}

/// Items of one kind, entries in strictly ascending order of their keys.
pub trait SortedStream {
    /// Moves to the next item; `false` after the last.
    ///
    /// # Errors
    /// The store could not be read to its end.
    fn advance(&mut self) -> Result<bool>;

    /// The item that [`advance`](SortedStream::advance) moved to; `None` before the first and after
    /// the last.
    fn current(&self) -> Option<Item<'_>>;

    /// As [`Source::entries_are_canonical`].
    fn entries_are_canonical(&self) -> bool;
}

/// What the manifest of a store says about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestTotals {
    /// Counts and digest of each kind.
    pub kinds: PerKind<KindTotals>,
    /// The combined digest.
    pub sha256: Digest,
}

/// Where the content of a store came from, according to its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When it was copied, in Unix seconds, where that can be read.
    pub made_at: Option<i64>,
    /// The name of the source file, without its directory.
    pub file_name: String,
    /// Which store the source was, by its [name](StoreKind::name).
    pub store: String,
}

/// One consistent state of a store, whichever it is.
///
/// No method has a default: what wraps a source has to pass on everything, or findings get lost.
/// Methods about things that only one of the stores has return nothing for the other.
pub trait Source: Send {
    /// The file, as it was given.
    fn path(&self) -> &Path;

    /// Which store it is.
    fn store(&self) -> StoreKind;

    /// Calls `visit` for every entry of a kind, in ascending order of the keys' bytes, and for each
    /// invalid row when it comes up. Invalid rows without a key come first.
    ///
    /// # Errors
    /// The store can't be read to its end, or `visit` failed.
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Number of rows or keys of a kind, where it is known beforehand.
    fn expected_records(&self, kind: RecordKind) -> Option<u64>;

    /// Whether each entry is built from a row when it is read, and so is the canonical entry of its
    /// record, under the record's own key. The entries of a KV file may be anything.
    fn entries_are_canonical(&self) -> bool;

    /// The id sequences.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&self) -> Result<IdSequences>;

    /// Number of all keys of a KV file, unknown ones included; `None` for a database.
    ///
    /// # Errors
    /// The store can't be read.
    fn total_keys(&self) -> Result<Option<u64>>;

    /// Calls `visit` for every entry whose key has no known form, in key order. Only a KV file can
    /// have such entries.
    ///
    /// # Errors
    /// The store can't be read to its end, or `visit` failed.
    fn visit_unknown(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()>;

    /// The totals in the manifest of a KV file, if it has one.
    ///
    /// # Errors
    /// The store can't be read.
    fn manifest_totals(&self) -> Result<Option<ManifestTotals>>;

    /// Where the content came from, according to the manifest of a KV file, if it has one.
    ///
    /// # Errors
    /// The store can't be read.
    fn origin(&self) -> Result<Option<Origin>>;

    /// Whether the last writer of a KV file closed it; if not, as after a kill, what is read is the
    /// last complete state.
    fn closed_cleanly(&self) -> bool;

    /// Magellan's schema version, where the store has one.
    fn schema_version(&self) -> Option<i64>;

    /// The kinds that were asked for and whose table does not exist.
    fn missing(&self) -> &[RecordKind];

    /// The tables that hold something else, by name.
    ///
    /// # Errors
    /// The store can't be read.
    fn other_tables(&self) -> Result<Vec<UncopiedTable>>;

    /// Calls `visit` with the id of each symbol whose metrics are stored under the id of another
    /// symbol of the database's graph, and with a sentence that says so. Only a database can have a
    /// graph.
    ///
    /// # Errors
    /// The store can't be read to its end, or `visit` failed.
    fn visit_wrong_symbols(&self, visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()>;

    /// Whether a table has a column, given as `TABLE.COLUMN`, that no record has a field for.
    fn has_unknown_column(&self, column: &str) -> bool;

    /// About how many bytes of keys and values there are.
    fn expected_bytes(&self) -> u64;

    /// The least number of bytes of temporary files that sorting the records by key takes.
    fn sorting_bytes(&self) -> u64;

    /// Confirms that everything read so far belongs to one state. Until it has returned, a database
    /// that is read without a lock may have been changed meanwhile.
    ///
    /// # Errors
    /// [`Error::Changed`](crate::Error::Changed).
    fn confirm(&self) -> Result<()>;
}

impl fmt::Debug for dyn Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.path()).finish()
    }
}
