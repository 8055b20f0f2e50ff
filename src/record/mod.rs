//! The records themselves, independent of how a store keeps them.

mod chunk;
mod execution;
mod id_sequences;
mod key;
mod kind;
mod metrics;
mod schema;
mod value;

use crate::error::Result;
pub use chunk::CodeChunk;
pub use execution::ExecutionRecord;
pub use id_sequences::IdSequences;
pub use key::RecordKey;
pub use kind::{KindSet, PerKind, RecordKind};
pub use metrics::{FileMetrics, SymbolMetrics};
pub(crate) use schema::{Field, FieldClass, KindSchema};
pub(crate) use value::FieldValues;
pub(crate) use value::Value;

/// A record of any kind.
///
/// ```
/// use chunkmigrate::record::{CodeChunk, Record, RecordKind};
///
/// let record = Record::Chunk(CodeChunk::new("a.rs", 0, 2, "fn")).with_id(7);
/// assert_eq!(record.kind(), RecordKind::Chunk);
/// assert_eq!(record.id(), Some(7));
/// assert_eq!(record.into_chunk().map(|chunk| chunk.content).as_deref(), Some("fn"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A chunk of source code.
    Chunk(CodeChunk),
    /// A run of the indexing tool.
    ExecutionLog(ExecutionRecord),
    /// Metrics of a file.
    FileMetrics(FileMetrics),
    /// Metrics of a symbol.
    SymbolMetrics(SymbolMetrics),
}

impl Record {
    /// The kind of this record.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Record::Chunk(_) => RecordKind::Chunk,
            Record::ExecutionLog(_) => RecordKind::ExecutionLog,
            Record::FileMetrics(_) => RecordKind::FileMetrics,
            Record::SymbolMetrics(_) => RecordKind::SymbolMetrics,
        }
    }

    /// The row id that the table assigned; `None` for kinds without ids.
    pub const fn id(&self) -> Option<i64> {
        match self {
            Record::Chunk(chunk) => Some(chunk.id),
            Record::ExecutionLog(execution) => Some(execution.id),
            Record::FileMetrics(_) | Record::SymbolMetrics(_) => None,
        }
    }

    /// Checks the constraints that the field types don't enforce.
    ///
    /// # Errors
    /// [`Error::OffsetRange`](crate::Error::OffsetRange) or
    /// [`Error::NotFinite`](crate::Error::NotFinite).
    ///
    /// ```
    /// use chunkmigrate::Error;
    /// use chunkmigrate::record::{CodeChunk, Record};
    ///
    /// let record = Record::Chunk(CodeChunk::new("a.rs", 0, u64::MAX, ""));
    /// assert!(matches!(record.check(), Err(Error::OffsetRange { field: "byte_end" })));
    /// ```
    pub fn check(&self) -> Result<()> {
        let values = self.values();
        values.iter().try_for_each(|(field, value)| value.check(field))
    }

    /// Its values in the order of the fields.
    pub(crate) fn values(&self) -> FieldValues<'_> {
        let values = match self {
            Record::Chunk(chunk) => chunk.values(),
            Record::ExecutionLog(execution) => execution.values(),
            Record::FileMetrics(metrics) => metrics.values(),
            Record::SymbolMetrics(metrics) => metrics.values(),
        };
        FieldValues::new(self.kind().schema(), values)
    }

    /// The record with these values; `None` if they are not those of a record of the kind.
    pub(crate) fn from_values(kind: RecordKind, values: FieldValues<'_>) -> Option<Self> {
        let values = values.into_values();
        Some(match kind {
            RecordKind::Chunk => Record::Chunk(CodeChunk::from_values(values)?),
            RecordKind::ExecutionLog => Record::ExecutionLog(ExecutionRecord::from_values(values)?),
            RecordKind::FileMetrics => Record::FileMetrics(FileMetrics::from_values(values)?),
            RecordKind::SymbolMetrics => Record::SymbolMetrics(SymbolMetrics::from_values(values)?),
        })
    }

    /// The record with another row id; unchanged if its kind has no ids.
    #[must_use]
    pub fn with_id(mut self, id: i64) -> Self {
        match &mut self {
            Record::Chunk(chunk) => chunk.id = id,
            Record::ExecutionLog(execution) => execution.id = id,
            Record::FileMetrics(_) | Record::SymbolMetrics(_) => {}
        }
        self
    }

    /// The chunk; `None` if this is a record of another kind.
    pub fn into_chunk(self) -> Option<CodeChunk> {
        match self {
            Record::Chunk(chunk) => Some(chunk),
            _ => None,
        }
    }

    /// The execution; `None` if this is a record of another kind.
    pub fn into_execution(self) -> Option<ExecutionRecord> {
        match self {
            Record::ExecutionLog(execution) => Some(execution),
            _ => None,
        }
    }

    /// The metrics of a file; `None` if this is a record of another kind.
    pub fn into_file_metrics(self) -> Option<FileMetrics> {
        match self {
            Record::FileMetrics(metrics) => Some(metrics),
            _ => None,
        }
    }

    /// The metrics of a symbol; `None` if this is a record of another kind.
    pub fn into_symbol_metrics(self) -> Option<SymbolMetrics> {
        match self {
            Record::SymbolMetrics(metrics) => Some(metrics),
            _ => None,
        }
    }

    /// What identifies this record among those of its kind.
    pub fn key(&self) -> RecordKey {
        match self {
            Record::Chunk(chunk) => RecordKey::Chunk {
                file_path: chunk.file_path.clone(),
                byte_start: chunk.byte_start,
                byte_end: chunk.byte_end,
            },
            Record::ExecutionLog(execution) => {
                RecordKey::ExecutionLog { execution_id: execution.execution_id.clone() }
            }
            Record::FileMetrics(metrics) => {
                RecordKey::FileMetrics { file_path: metrics.file_path.clone() }
            }
            Record::SymbolMetrics(metrics) => {
                RecordKey::SymbolMetrics { symbol_id: metrics.symbol_id }
            }
        }
    }
}
