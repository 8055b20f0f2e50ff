use super::RecordKind;

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
}
