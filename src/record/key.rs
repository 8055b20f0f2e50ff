use super::RecordKind;
use super::value::{FieldType, Value};

/// The identity of a record. No two records of a store share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecordKey {
    /// A chunk is the span `byte_start..byte_end` of a file.
    Chunk {
        /// Path of the file, as the tool wrote it.
        file_path: String,
        /// First byte, at most [`i64::MAX`].
        byte_start: u64,
        /// One past the last byte, at most [`i64::MAX`].
        byte_end: u64,
    },
    /// A run is identified by an id of its own, in addition to the row id.
    ExecutionLog {
        /// The id that the tool assigned to the run.
        execution_id: String,
    },
    /// A file has one set of metrics.
    FileMetrics {
        /// Path of the file, as the tool wrote it.
        file_path: String,
    },
    /// A symbol has one set of metrics.
    SymbolMetrics {
        /// Id of the symbol in the tool's graph.
        symbol_id: i64,
    },
}

impl RecordKey {
    /// The kind of record that this key identifies.
    pub const fn kind(&self) -> RecordKind {
        match self {
            RecordKey::Chunk { .. } => RecordKind::Chunk,
            RecordKey::ExecutionLog { .. } => RecordKind::ExecutionLog,
            RecordKey::FileMetrics { .. } => RecordKind::FileMetrics,
            RecordKey::SymbolMetrics { .. } => RecordKind::SymbolMetrics,
        }
    }

    /// The values of the key's fields, in the order of the key.
    pub(crate) fn values(&self) -> Vec<Value<'_>> {
        match self {
            RecordKey::Chunk { file_path, byte_start, byte_end } => {
                vec![file_path.to_value(), byte_start.to_value(), byte_end.to_value()]
            }
            RecordKey::ExecutionLog { execution_id } => vec![execution_id.to_value()],
            RecordKey::FileMetrics { file_path } => vec![file_path.to_value()],
            RecordKey::SymbolMetrics { symbol_id } => vec![symbol_id.to_value()],
        }
    }

    /// The key with these values; `None` if they are not those of a key of the kind.
    pub(crate) fn from_values<'a>(
        kind: RecordKind,
        mut values: impl Iterator<Item = Value<'a>>,
    ) -> Option<Self> {
        let mut next = || values.next();
        Some(match kind {
            RecordKind::Chunk => RecordKey::Chunk {
                file_path: FieldType::from_value(next()?)?,
                byte_start: FieldType::from_value(next()?)?,
                byte_end: FieldType::from_value(next()?)?,
            },
            RecordKind::ExecutionLog => {
                RecordKey::ExecutionLog { execution_id: FieldType::from_value(next()?)? }
            }
            RecordKind::FileMetrics => {
                RecordKey::FileMetrics { file_path: FieldType::from_value(next()?)? }
            }
            RecordKind::SymbolMetrics => {
                RecordKey::SymbolMetrics { symbol_id: FieldType::from_value(next()?)? }
            }
        })
    }
}
