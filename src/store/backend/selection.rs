use crate::codec::file_chunks_prefix;
use crate::record::RecordKind;

/// The records that an operation applies to.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct RecordFilter<'a> {
    pub(super) kind: RecordKind,
    /// The file of chunks; a part of their keys.
    pub(super) chunks_of: Option<&'a str>,
    /// A field that is not in the key, with the text that it must equal.
    pub(super) field: Option<(&'static str, &'a str)>,
}

impl<'a> RecordFilter<'a> {
    /// All records of a kind.
    pub(in crate::store) fn all(kind: RecordKind) -> Self {
        RecordFilter { kind, chunks_of: None, field: None }
    }

    /// The chunks of a file.
    pub(in crate::store) fn chunks_of(file_path: &'a str) -> Self {
        RecordFilter { chunks_of: Some(file_path), ..Self::all(RecordKind::Chunk) }
    }

    /// Those of the records with a text in a field that is not in their keys.
    pub(in crate::store) fn with(self, field: &'static str, text: &'a str) -> Self {
        RecordFilter { field: Some((field, text)), ..self }
    }

    /// The condition in a table: columns with the text that each must equal.
    pub(super) fn conditions(&self) -> Vec<(&'static str, &'a str)> {
        let file = self.chunks_of.map(|file_path| ("file_path", file_path));
        file.into_iter().chain(self.field).collect()
    }

    /// The common prefix of all keys that may match. The chunks of `a:b` have that of `a` too.
    pub(super) fn key_prefix(&self) -> Vec<u8> {
        match self.chunks_of {
            Some(file_path) => file_chunks_prefix(file_path),
            None => self.kind.key_prefix().as_bytes().to_vec(),
        }
    }
}
