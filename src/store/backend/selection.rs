use crate::codec::file_chunks_prefix;
use crate::record::RecordKind;

/// The records that an operation applies to.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum RecordFilter<'a> {
    /// All records of a kind.
    Kind(RecordKind),
    /// The chunks of a file.
    FileChunks { file_path: &'a str },
    /// The chunks of a file that define a symbol with a given name.
    SymbolChunks {
        file_path: &'a str,
        symbol_name: &'a str,
    },
    /// The chunks that define symbols of a given kind.
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

    /// The condition in a table: columns with the text that each must equal.
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

    /// The common prefix of all keys that may match.
    pub(super) fn key_prefix(&self) -> Vec<u8> {
        match *self {
            RecordFilter::FileChunks { file_path }
            | RecordFilter::SymbolChunks { file_path, .. } => file_chunks_prefix(file_path),
            RecordFilter::Kind(_)
            | RecordFilter::SymbolKindChunks { .. }
            | RecordFilter::FileSymbols { .. } => self.kind().key_prefix().as_bytes().to_vec(),
        }
    }

    /// The path that the key of a chunk must have; `None` if every key with the prefix may match.
    ///
    /// The chunks of `a:b` have the prefix of `a` too.
    pub(super) fn path_in_key(&self) -> Option<&'a str> {
        match *self {
            RecordFilter::FileChunks { file_path }
            | RecordFilter::SymbolChunks { file_path, .. } => Some(file_path),
            RecordFilter::Kind(_)
            | RecordFilter::SymbolKindChunks { .. }
            | RecordFilter::FileSymbols { .. } => None,
        }
    }

    /// The condition on a record whose key may match: a field with the text that it must equal;
    /// `None` if the key is sufficient.
    pub(super) fn field(&self) -> Option<(&'static str, &'a str)> {
        match *self {
            RecordFilter::Kind(_) | RecordFilter::FileChunks { .. } => None,
            RecordFilter::SymbolChunks { symbol_name, .. } => Some(("symbol_name", symbol_name)),
            RecordFilter::SymbolKindChunks { symbol_kind } => Some(("symbol_kind", symbol_kind)),
            RecordFilter::FileSymbols { file_path } => Some(("file_path", file_path)),
        }
    }
}
