use serde::{Deserialize, Serialize};

use super::serde_helpers::required;

/// A span of a source file with its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeChunk {
    /// Row id in the tool's table.
    pub id: i64,
    /// Path of the source file, as the tool wrote it.
    pub file_path: String,
    /// First byte of the span in the source file, at most [`i64::MAX`].
    pub byte_start: u64,
    /// One past the last byte of the span, at most [`i64::MAX`].
    pub byte_end: u64,
    /// The source text of the span.
    pub content: String,
    /// Hex SHA-256 of `content`, as the tool wrote it.
    pub content_hash: String,
    /// Name of the symbol that the span defines, if any.
    #[serde(deserialize_with = "required")]
    pub symbol_name: Option<String>,
    /// Kind of that symbol, such as `Function`.
    #[serde(deserialize_with = "required")]
    pub symbol_kind: Option<String>,
    /// When the chunk was stored, in Unix seconds.
    pub created_at: i64,
}
