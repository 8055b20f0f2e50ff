//! Streams of records: one interface to every store that records are read from.
//!
//! A [`Source`] yields the records of one kind as entries in key order. Copying reads one stream
//! and loads the other store, comparing joins two streams, and a digest hashes one stream; none of
//! them depends on the type of store.

mod batch;
mod digest;
mod invalid_row;
mod jobs;
pub(crate) mod json;
mod merge_join;
mod parallel;
mod pipeline;
mod queue;
mod record_stream;
mod row_batch;
mod store_label;
#[cfg(test)]
pub(crate) mod test_batch;
#[cfg(test)]
mod tests;
mod uncopied_table;

pub(crate) use batch::{Batch, Content};
pub use digest::KindContent;
pub(crate) use digest::{digest_kind, digest_table};
pub(crate) use invalid_row::key_text;
pub use invalid_row::{InvalidReason, InvalidRow, RawValue, Visited};
pub(crate) use jobs::Jobs;
pub(crate) use merge_join::{Cursor, MergeJoin};
pub(crate) use parallel::join2;
pub(crate) use pipeline::pipeline;
pub(crate) use queue::{QueueClosed, QueueReceiver, QueueSender, WAITING_BYTES, queue};
pub(crate) use record_stream::{RecordStream, check_kind, check_stream, check_table, read_kind};
pub(crate) use row_batch::RowBatch;
pub use store_label::StoreLabel;
pub use uncopied_table::UncopiedTable;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::codec::{Digest, Entry, KindTotals};
use crate::error::Result;
use crate::fsio::StoreKind;
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::table::{CarriedTables, TableSchema};

/// An item of a stream: an entry or an invalid row.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A record's key and value.
    Entry(Entry<'a>),
    /// An invalid SQLite row.
    Invalid(&'a InvalidRow),
}

impl<'a> Item<'a> {
    /// The key; an invalid row may have none.
    pub fn key(self) -> Option<&'a [u8]> {
        match self {
            Item::Entry(entry) => Some(entry.key),
            Item::Invalid(row) => row.key.as_deref(),
        }
    }
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

    /// Whether the current item is an entry that is known to be sound: its value is the canonical
    /// record of its key, and causes no warning.
    fn is_known_sound(&self) -> bool;
}

/// The totals that a store's manifest records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestTotals {
    /// Counts and digest of each kind.
    pub kinds: PerKind<KindTotals>,
    /// Counts and digest of each carried table, by name.
    pub tables: BTreeMap<String, KindTotals>,
    /// The combined digest.
    pub sha256: Digest,
}

/// Where the content of a store came from, according to its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When it was copied, in Unix seconds; `None` if that cannot be read.
    pub made_at: Option<i64>,
    /// The name of the source file, without its directory.
    pub file_name: String,
    /// Which store the source was, by its [name](StoreKind::name).
    pub store: String,
}

/// A consistent snapshot of either kind of store.
///
/// No method has a default, so that a wrapper has to forward every method; otherwise findings could
/// get lost. Methods for features of only one kind of store return nothing for the other.
pub trait Source: Send {
    /// The file path, as specified by the caller.
    fn path(&self) -> &Path;

    /// The kind of store.
    fn store(&self) -> StoreKind;

    /// Calls `visit` for every entry of a kind, in ascending order of the keys' bytes, and for each
    /// invalid row as the scan reaches it. Invalid rows without a key come first.
    ///
    /// # Errors
    /// The store can't be read to its end, or the error of `visit`.
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Number of rows or keys of a kind, if known in advance.
    fn expected_records(&self, kind: RecordKind) -> Option<u64>;

    /// The number of all records of these kinds, if it is known; that of carried rows never is.
    fn expected_of(&self, only: KindSet) -> Option<u64> {
        match self.carried() {
            Some(_) => None,
            None => only.iter().map(|kind| self.expected_records(kind)).sum(),
        }
    }

    /// Whether every entry is built from a row when it is read and is therefore canonical and
    /// stored under its record's own key. The entries of a KV file are untrusted.
    fn entries_are_canonical(&self) -> bool;

    /// The id sequences.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&self) -> Result<IdSequences>;

    /// Total number of keys in a KV file, including unknown ones; `None` for a database.
    ///
    /// # Errors
    /// The store can't be read.
    fn total_keys(&self) -> Result<Option<u64>>;

    /// Calls `visit` for every entry whose key has an unknown form, in key order. Only a KV file
    /// can have such entries.
    ///
    /// # Errors
    /// The store can't be read to its end, or the error of `visit`.
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

    /// Whether the last writer closed the KV file. If not, for example after a kill, the last
    /// complete state is read.
    fn closed_cleanly(&self) -> bool;

    /// Magellan's schema version, if the store has one.
    fn schema_version(&self) -> Option<i64>;

    /// The selected kinds whose table does not exist.
    fn missing(&self) -> &[RecordKind];

    /// The tables that contain other data, by name.
    ///
    /// # Errors
    /// The store can't be read.
    fn other_tables(&self) -> Result<Vec<UncopiedTable>>;

    /// Calls `visit` with the id of each symbol whose metrics are stored under the id of another
    /// symbol of the database's graph, and with a message that says so. Only a database can have a
    /// graph.
    ///
    /// # Errors
    /// The store can't be read to its end, or the error of `visit`.
    fn visit_wrong_symbols(&self, visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()>;

    /// The tables that are carried in addition to the four kinds; `None` without any.
    fn carried(&self) -> Option<&CarriedTables>;

    /// Selected tables and objects of a database that can't be carried, each with the reason.
    fn left_out(&self) -> &[UncopiedTable];

    /// Calls `visit` for every row of a carried table, in ascending order of the keys' bytes.
    ///
    /// # Errors
    /// The store can't be read to its end, or the error of `visit`.
    fn visit_table(
        &self,
        table: &TableSchema,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Whether a table has the column `TABLE.COLUMN` and no record field corresponds to it.
    fn has_unknown_column(&self, column: &str) -> bool;

    /// Approximate total size of keys and values in bytes.
    fn expected_bytes(&self) -> u64;

    /// The minimum size in bytes of the temporary files for sorting the records by key.
    fn sorting_bytes(&self) -> u64;

    /// Confirms that everything read so far belongs to one state. A database that is read without a
    /// lock may have changed since it was opened; call this before using the results.
    ///
    /// # Errors
    /// [`Error::DatabaseChanged`](crate::Error::DatabaseChanged) or
    /// [`Error::KvFileChanged`](crate::Error::KvFileChanged).
    fn confirm(&self) -> Result<()>;
}

impl fmt::Debug for dyn Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.path()).finish()
    }
}
