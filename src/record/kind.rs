use std::fmt;

use serde::{Deserialize, Serialize};

use super::chunk::CHUNK;
use super::execution::EXECUTION_LOG;
use super::metrics::{FILE_METRICS, SYMBOL_METRICS};
use super::schema::KindSchema;

/// The four kinds of records, in the order in which their keys sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A span of source code: [`CodeChunk`](super::CodeChunk).
    Chunk,
    /// One run of the indexing tool: [`ExecutionRecord`](super::ExecutionRecord).
    ExecutionLog,
    /// Metrics of a file: [`FileMetrics`](super::FileMetrics).
    FileMetrics,
    /// Metrics of a symbol: [`SymbolMetrics`](super::SymbolMetrics).
    SymbolMetrics,
}

impl RecordKind {
    /// Every kind, in key order.
    pub const ALL: [RecordKind; 4] = [
        RecordKind::Chunk,
        RecordKind::ExecutionLog,
        RecordKind::FileMetrics,
        RecordKind::SymbolMetrics,
    ];

    /// What its records look like.
    pub(crate) const fn schema(self) -> &'static KindSchema {
        match self {
            RecordKind::Chunk => &CHUNK,
            RecordKind::ExecutionLog => &EXECUTION_LOG,
            RecordKind::FileMetrics => &FILE_METRICS,
            RecordKind::SymbolMetrics => &SYMBOL_METRICS,
        }
    }

    /// The name that options, reports and the manifest use, such as `file-metrics`.
    pub const fn name(self) -> &'static str {
        self.schema().name
    }

    /// The SQLite table that contains its records.
    pub const fn table(self) -> &'static str {
        self.schema().table
    }

    /// Whether its records have unique ids in addition to their keys.
    pub const fn has_ids(self) -> bool {
        self.schema().has_ids
    }

    /// Whether a list of kinds includes this one; an empty list includes all.
    ///
    /// ```
    /// use chunkmigrate::record::RecordKind;
    ///
    /// assert!(RecordKind::Chunk.is_asked_for(&[]));
    /// assert!(!RecordKind::Chunk.is_asked_for(&[RecordKind::ExecutionLog]));
    /// ```
    pub fn is_asked_for(self, only: &[RecordKind]) -> bool {
        only.is_empty() || only.contains(&self)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One value for each kind of record. As JSON, an object with the [names](RecordKind::name) of all
/// kinds.
///
/// ```
/// use chunkmigrate::record::{PerKind, RecordKind};
///
/// let mut counts = PerKind::<u64>::default();
/// *counts.get_mut(RecordKind::Chunk) += 1;
/// assert_eq!(counts.iter().next(), Some((RecordKind::Chunk, &1)));
/// assert_eq!(PerKind::from_fn(RecordKind::name).file_metrics, "file-metrics");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PerKind<T> {
    /// The value for chunks.
    pub chunk: T,
    /// The value for the execution log.
    pub execution_log: T,
    /// The value for file metrics.
    pub file_metrics: T,
    /// The value for symbol metrics.
    pub symbol_metrics: T,
}

impl<T> PerKind<T> {
    /// Creates a value for each kind, in key order.
    pub fn from_fn(mut value: impl FnMut(RecordKind) -> T) -> Self {
        PerKind {
            chunk: value(RecordKind::Chunk),
            execution_log: value(RecordKind::ExecutionLog),
            file_metrics: value(RecordKind::FileMetrics),
            symbol_metrics: value(RecordKind::SymbolMetrics),
        }
    }

    /// The value of one kind.
    pub const fn get(&self, kind: RecordKind) -> &T {
        match kind {
            RecordKind::Chunk => &self.chunk,
            RecordKind::ExecutionLog => &self.execution_log,
            RecordKind::FileMetrics => &self.file_metrics,
            RecordKind::SymbolMetrics => &self.symbol_metrics,
        }
    }

    /// A mutable reference to the value of one kind.
    pub const fn get_mut(&mut self, kind: RecordKind) -> &mut T {
        match kind {
            RecordKind::Chunk => &mut self.chunk,
            RecordKind::ExecutionLog => &mut self.execution_log,
            RecordKind::FileMetrics => &mut self.file_metrics,
            RecordKind::SymbolMetrics => &mut self.symbol_metrics,
        }
    }

    /// All kinds with their values, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (RecordKind, &T)> {
        RecordKind::ALL
            .into_iter()
            .map(|kind| (kind, self.get(kind)))
    }
}
