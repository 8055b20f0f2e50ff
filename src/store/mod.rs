//! One view of both stores.
//!
//! To move and compare records, a [`Snapshot`] gives those of one kind as a stream of entries in key
//! order. Copying is "read one stream, load the other side", comparing is "join two streams", a
//! digest is "hash one stream"; none of them knows which store it has in hand.
//!
//! To keep records, [`ChunkStore`], [`MetricsOps`] and [`ExecutionLog`] read and write them in place,
//! in a [`KvBackend`](crate::kv::KvBackend) when there is one and in SQLite otherwise, with the same
//! answers.

mod batch;
#[cfg(feature = "native-v2")]
mod beside;
mod chunks;
mod clock;
mod detect;
mod digest;
mod dual;
mod error;
mod execution;
mod file_format;
#[cfg(feature = "native-v2")]
mod kv_snapshot;
mod metrics;
mod new_chunk;
#[cfg(feature = "native-v2")]
mod open;
#[cfg(feature = "native-v2")]
mod pending;
mod pipe;
mod queue;
mod sqlite_snapshot;

pub use batch::Batch;
#[cfg(feature = "native-v2")]
pub(crate) use beside::beside;
pub use chunks::ChunkStore;
pub use clock::{Clock, SystemClock};
pub use detect::{StoreKind, detect};
pub use digest::{KindContent, digest_kind};
pub use error::StoreError;
pub use execution::{ExecutionEnd, ExecutionLog, ExecutionStart};
pub use file_format::FileFormat;
pub use metrics::{HotspotQuery, MetricsOps};
#[cfg(feature = "native-v2")]
pub use open::{OpenOptions, Opening, open_pair, retry_if_changed};
pub use pipe::{RecordStream, pipe};
#[cfg(feature = "native-v2")]
pub(crate) use queue::{QueueClosed, QueueReceiver, QueueSender, queue};

use std::path::Path;

use crate::codec::{Digest, Entry, KindTotals};
use crate::error::Result;
use crate::record::{PerKind, RecordKind, Sequences};
use crate::sqlite::{InvalidRow, OtherTable, Visited};

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

    /// Whether entries are [made of rows](Visit::makes_entries).
    fn makes_entries(&self) -> bool {
        false
    }
}

/// What a store says of its own content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Counts and digest of each kind.
    pub kinds: PerKind<KindTotals>,
    /// The combined digest.
    pub sha256: Digest,
}

/// Where the content of a store came from, as the store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When it came, in Unix seconds, where that can be read.
    pub made_at: Option<i64>,
    /// The name of the source file, without its folder.
    pub file_name: String,
    /// Which store the source was, by its [name](StoreKind::name).
    pub store: String,
}

/// What can be read kind by kind, in key order.
pub trait Visit: Send {
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

    /// Number of rows or keys of a kind, where it is known beforehand.
    fn expected_records(&self, _kind: RecordKind) -> Option<u64> {
        None
    }

    /// Whether each entry is made of a row when it is read, and so is the canonical one of its
    /// record, whose key is its own. Others, as those of a KV file, may be anything.
    fn makes_entries(&self) -> bool {
        false
    }
}

/// One consistent state of a store, whichever it is.
///
/// What only some stores have is nothing to the others: a store that stands for another one has to
/// hand on every method.
pub trait Snapshot: Visit {
    /// The file, as it was given.
    fn path(&self) -> &Path;

    /// Which store it is.
    fn store(&self) -> StoreKind;

    /// The id high-water marks.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&self) -> Result<Sequences>;

    /// Number of all keys of a KV file, also of those of no known form; `None` for a database.
    ///
    /// # Errors
    /// The store can't be read.
    fn total_keys(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Hands every entry whose key is of no known form to `visit`, in key order. Only a KV file can
    /// have such.
    ///
    /// # Errors
    /// The store can't be read to its end, or `visit` failed.
    fn visit_unknown(&self, _visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        Ok(())
    }

    /// What the store says of its own content: the manifest of a KV file, if it has one.
    ///
    /// # Errors
    /// The store can't be read.
    fn claims(&self) -> Result<Option<Claims>> {
        Ok(None)
    }

    /// Where its content came from: the manifest of a KV file, if it has one.
    ///
    /// # Errors
    /// The store can't be read.
    fn origin(&self) -> Result<Option<Origin>> {
        Ok(None)
    }

    /// Whether the last writer of a KV file closed it; if not, what is read is the last complete state.
    ///
    /// # Errors
    /// The store can't be read.
    fn closed_cleanly(&self) -> Result<bool> {
        Ok(true)
    }

    /// Magellan's schema version, where the store tells one.
    fn schema_version(&self) -> Option<i64> {
        None
    }

    /// The kinds that were asked for and for which the store has no place.
    fn missing(&self) -> &[RecordKind] {
        &[]
    }

    /// The tables that hold something else, by name.
    ///
    /// # Errors
    /// The store can't be read.
    fn other_tables(&self) -> Result<Vec<OtherTable>> {
        Ok(Vec::new())
    }

    /// Hands the id of each symbol to `visit` whose metrics stand under the id of another one in the
    /// database's graph, with a sentence that says so. Only a database can have a graph.
    ///
    /// # Errors
    /// The store can't be read to its end, or `visit` failed.
    fn visit_wrong_symbols(&self, _visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        Ok(())
    }

    /// Whether a table has a column, given as `TABLE.COLUMN`, that no record has a field for.
    ///
    /// # Errors
    /// The store can't be read.
    fn has_unknown_column(&self, _column: &str) -> Result<bool> {
        Ok(false)
    }

    /// About how many bytes of keys and values there are.
    fn expected_bytes(&self) -> u64;

    /// How many bytes of temporary files it takes at least to bring the records into key order.
    fn sorting_bytes(&self) -> u64 {
        0
    }

    /// Confirms that what was read is one state.
    ///
    /// # Errors
    /// Somebody wrote the store while it was read without a lock.
    fn confirm(&self) -> Result<()>;
}
