//! The records that are moved, and nothing about how a store keeps them.

mod check;
mod chunk;
mod execution;
mod json_fields;
mod metrics;

pub use check::RecordError;
pub use chunk::CodeChunk;
pub use execution::ExecutionRecord;
pub use metrics::{FileMetrics, SymbolMetrics};

use std::fmt;

/// The four kinds of records, in the order in which their keys sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A span of source code: [`CodeChunk`].
    Chunk,
    /// One run of the indexing tool: [`ExecutionRecord`].
    ExecutionLog,
    /// Metrics of a file: [`FileMetrics`].
    FileMetrics,
    /// Metrics of a symbol: [`SymbolMetrics`].
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

    /// The name that options, reports and the manifest use, such as `file-metrics`.
    pub const fn name(self) -> &'static str {
        match self {
            RecordKind::Chunk => "chunk",
            RecordKind::ExecutionLog => "execution-log",
            RecordKind::FileMetrics => "file-metrics",
            RecordKind::SymbolMetrics => "symbol-metrics",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A record of any kind.
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

    /// The row id that a table gave the record; `None` for kinds that have none beside their key.
    pub const fn id(&self) -> Option<i64> {
        match self {
            Record::Chunk(chunk) => Some(chunk.id),
            Record::ExecutionLog(execution) => Some(execution.id),
            Record::FileMetrics(_) | Record::SymbolMetrics(_) => None,
        }
    }

    /// Bytes of all its text.
    pub(crate) fn text_len(&self) -> usize {
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Record::Chunk(r) => {
                let texts = [&r.file_path, &r.content, &r.content_hash];
                texts.map(String::len).iter().sum::<usize>()
                    + len(&r.symbol_name)
                    + len(&r.symbol_kind)
            }
            Record::ExecutionLog(r) => {
                let texts = [
                    &r.execution_id,
                    &r.tool_version,
                    &r.args,
                    &r.db_path,
                    &r.outcome,
                ];
                texts.map(String::len).iter().sum::<usize>() + len(&r.root) + len(&r.error_message)
            }
            Record::FileMetrics(r) => r.file_path.len(),
            Record::SymbolMetrics(r) => r.symbol_name.len() + r.kind.len() + r.file_path.len(),
        }
    }

    /// The record with another row id; as it is if its kind has none beside its key.
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
            Record::ExecutionLog(_) | Record::FileMetrics(_) | Record::SymbolMetrics(_) => None,
        }
    }

    /// The execution; `None` if this is a record of another kind.
    pub fn into_execution(self) -> Option<ExecutionRecord> {
        match self {
            Record::ExecutionLog(execution) => Some(execution),
            Record::Chunk(_) | Record::FileMetrics(_) | Record::SymbolMetrics(_) => None,
        }
    }

    /// The metrics of a file; `None` if this is a record of another kind.
    pub fn into_file_metrics(self) -> Option<FileMetrics> {
        match self {
            Record::FileMetrics(metrics) => Some(metrics),
            Record::Chunk(_) | Record::ExecutionLog(_) | Record::SymbolMetrics(_) => None,
        }
    }

    /// The metrics of a symbol; `None` if this is a record of another kind.
    pub fn into_symbol_metrics(self) -> Option<SymbolMetrics> {
        match self {
            Record::SymbolMetrics(metrics) => Some(metrics),
            Record::Chunk(_) | Record::ExecutionLog(_) | Record::FileMetrics(_) => None,
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
            Record::ExecutionLog(execution) => RecordKey::ExecutionLog {
                execution_id: execution.execution_id.clone(),
            },
            Record::FileMetrics(metrics) => RecordKey::FileMetrics {
                file_path: metrics.file_path.clone(),
            },
            Record::SymbolMetrics(metrics) => RecordKey::SymbolMetrics {
                symbol_id: metrics.symbol_id,
            },
        }
    }
}

/// What identifies a record. Two records of one store never share it.
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
    /// A run of the tool has an id of its own, beside the row id.
    ExecutionLog {
        /// The id that the tool gave the run.
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

/// One value for each kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// Makes a value for each kind, in key order.
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

    /// The value of one kind, to change.
    pub const fn get_mut(&mut self, kind: RecordKind) -> &mut T {
        match kind {
            RecordKind::Chunk => &mut self.chunk,
            RecordKind::ExecutionLog => &mut self.execution_log,
            RecordKind::FileMetrics => &mut self.file_metrics,
            RecordKind::SymbolMetrics => &mut self.symbol_metrics,
        }
    }

    /// Kinds and values, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (RecordKind, &T)> {
        RecordKind::ALL
            .into_iter()
            .map(|kind| (kind, self.get(kind)))
    }
}

/// The highest row id ever given in each table that hands ids out (AUTOINCREMENT's high-water
/// mark), 0 where none above 0 was. An id at or below it is not given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequences {
    /// Ids of chunks.
    pub code_chunks: i64,
    /// Ids of the execution log.
    pub execution_log: i64,
}

impl Sequences {
    /// Below every id.
    #[cfg(feature = "native-v2")]
    pub(crate) const LOWEST: Sequences = Sequences {
        code_chunks: i64::MIN,
        execution_log: i64::MIN,
    };

    /// The mark of a kind; 0 for kinds that hand no ids out.
    pub const fn get(&self, kind: RecordKind) -> i64 {
        match kind {
            RecordKind::Chunk => self.code_chunks,
            RecordKind::ExecutionLog => self.execution_log,
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => 0,
        }
    }

    /// Raises the mark of a kind to an id, if it is lower; nothing for kinds that hand no ids out.
    pub fn raise(&mut self, kind: RecordKind, id: i64) {
        match kind {
            RecordKind::Chunk => self.code_chunks = self.code_chunks.max(id),
            RecordKind::ExecutionLog => self.execution_log = self.execution_log.max(id),
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => {}
        }
    }

    /// The marks of some kinds, and 0 for the others.
    #[cfg(feature = "native-v2")]
    pub(crate) fn of_kinds(self, is_asked_for: impl Fn(RecordKind) -> bool) -> Sequences {
        let mut some = Sequences::default();
        for kind in RecordKind::ALL {
            if is_asked_for(kind) {
                some.raise(kind, self.get(kind));
            }
        }
        some
    }

    /// The higher mark of each kind.
    #[must_use]
    pub fn max(mut self, other: Sequences) -> Sequences {
        for kind in RecordKind::ALL {
            self.raise(kind, other.get(kind));
        }
        self
    }
}
