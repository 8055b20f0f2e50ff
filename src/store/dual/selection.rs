use crate::codec::{file_chunks_prefix, key_prefix};
use crate::record::{RecordKey, RecordKind};

/// Which records an operation is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Selection<'a> {
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

impl<'a> Selection<'a> {
    pub(super) fn kind(&self) -> RecordKind {
        match self {
            Selection::Kind(kind) => *kind,
            Selection::FileChunks { .. }
            | Selection::SymbolChunks { .. }
            | Selection::SymbolKindChunks { .. } => RecordKind::Chunk,
            Selection::FileSymbols { .. } => RecordKind::SymbolMetrics,
        }
    }

    /// In a table: columns, and the text that each must hold.
    pub(super) fn conditions(&self) -> Vec<(&'static str, &'a str)> {
        match *self {
            Selection::Kind(_) => Vec::new(),
            Selection::FileChunks { file_path } | Selection::FileSymbols { file_path } => {
                vec![("file_path", file_path)]
            }
            Selection::SymbolChunks {
                file_path,
                symbol_name,
            } => vec![("file_path", file_path), ("symbol_name", symbol_name)],
            Selection::SymbolKindChunks { symbol_kind } => vec![("symbol_kind", symbol_kind)],
        }
    }

    /// Among keys: what all those begin with that may be of this selection.
    pub(super) fn key_prefix(&self) -> Vec<u8> {
        match *self {
            Selection::FileChunks { file_path } | Selection::SymbolChunks { file_path, .. } => {
                file_chunks_prefix(file_path)
            }
            Selection::Kind(_)
            | Selection::SymbolKindChunks { .. }
            | Selection::FileSymbols { .. } => key_prefix(self.kind()).as_bytes().to_vec(),
        }
    }

    /// Whether a key with this prefix may be of this selection.
    ///
    /// The chunks of `a` and those of `a:b` share the prefix of the former.
    pub(super) fn may_hold(&self, key: &RecordKey) -> bool {
        match (self, key) {
            (
                Selection::FileChunks { file_path } | Selection::SymbolChunks { file_path, .. },
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
            Selection::Kind(_) | Selection::FileChunks { .. } => None,
            Selection::SymbolChunks { symbol_name, .. } => Some(("symbol_name", symbol_name)),
            Selection::SymbolKindChunks { symbol_kind } => Some(("symbol_kind", symbol_kind)),
            Selection::FileSymbols { file_path } => Some(("file_path", file_path)),
        }
    }
}
