use crate::codec::{file_chunks_prefix, key_prefix};
use crate::record::{RecordKey, RecordKind};

/// Which records an operation is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum RecordFilter<'a> {
    /// All of a kind.
    Kind(RecordKind),
    /// The chunks of a file.
    FileChunks { file_path: &'a str },
    /// The chunks of a file that define a symbol of a name.
    SymbolChunks {
        file_path: &'a str,
        symbol_name: &'a str,
    },
    /// The chunks that define a symbol of a kind.
    SymbolKindChunks { symbol_kind: &'a str },
    /// The metrics of the symbols of a file.
    FileSymbols { file_path: &'a str },
}

impl<'a> RecordFilter<'a> {
    pub(super) fn kind(&self) -> RecordKind {
        match self {
            RecordFilter::Kind(kind) => *kind,
            RecordFilter::FileChunks { .. }
            | RecordFilter::SymbolChunks { .. }
            | RecordFilter::SymbolKindChunks { .. } => RecordKind::Chunk,
            RecordFilter::FileSymbols { .. } => RecordKind::SymbolMetrics,
        }
    }

    /// In a table: columns, and the text that each must hold.
    pub(super) fn conditions(&self) -> Vec<(&'static str, &'a str)> {
        match *self {
            RecordFilter::Kind(_) => Vec::new(),
            RecordFilter::FileChunks { file_path } | RecordFilter::FileSymbols { file_path } => {
                vec![("file_path", file_path)]
            }
            RecordFilter::SymbolChunks {
                file_path,
                symbol_name,
            } => vec![("file_path", file_path), ("symbol_name", symbol_name)],
            RecordFilter::SymbolKindChunks { symbol_kind } => vec![("symbol_kind", symbol_kind)],
        }
    }

    /// Among keys: what all those begin with that may be of this selection.
    pub(super) fn key_prefix(&self) -> Vec<u8> {
        match *self {
            RecordFilter::FileChunks { file_path }
            | RecordFilter::SymbolChunks { file_path, .. } => file_chunks_prefix(file_path),
            RecordFilter::Kind(_)
            | RecordFilter::SymbolKindChunks { .. }
            | RecordFilter::FileSymbols { .. } => key_prefix(self.kind()).as_bytes().to_vec(),
        }
    }

    /// Whether a key with this prefix may be of this selection.
    ///
    /// The chunks of `a` and those of `a:b` share the prefix of the former.
    pub(super) fn may_match_key(&self, key: &RecordKey) -> bool {
        match (self, key) {
            (
                RecordFilter::FileChunks { file_path }
                | RecordFilter::SymbolChunks { file_path, .. },
                RecordKey::Chunk {
                    file_path: found, ..
                },
            ) => found == file_path,
            _ => key.kind() == self.kind(),
        }
    }

    /// What a record whose key may be of this selection must hold to be of it: a field and its text;
    /// `None` if the key tells all.
    pub(super) fn field(&self) -> Option<(&'static str, &'a str)> {
        match *self {
            RecordFilter::Kind(_) | RecordFilter::FileChunks { .. } => None,
            RecordFilter::SymbolChunks { symbol_name, .. } => Some(("symbol_name", symbol_name)),
            RecordFilter::SymbolKindChunks { symbol_kind } => Some(("symbol_kind", symbol_kind)),
            RecordFilter::FileSymbols { file_path } => Some(("file_path", file_path)),
        }
    }
}
