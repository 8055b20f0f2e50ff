use super::schema::{KindSchema, place, places};
use super::value::record_type;

record_type! {
    /// A span of a source file with its content.
    #[derive(Eq)]
    CodeChunk {
        /// Row id in the tool's table.
        id: i64,
        /// Path of the source file, as the tool wrote it.
        file_path: String,
        /// First byte of the span in the source file, at most [`i64::MAX`].
        byte_start: u64,
        /// One past the last byte of the span, at most [`i64::MAX`].
        byte_end: u64,
        /// The source text of the span.
        content: String,
        /// Hex SHA-256 of `content`, as the tool wrote it.
        content_hash: String,
        /// Name of the symbol that the span defines, if any.
        symbol_name: Option<String>,
        /// Kind of that symbol, such as `Function`.
        symbol_kind: Option<String>,
        /// When the chunk was stored, in Unix seconds.
        created_at: i64,
    }
}

pub(super) static CHUNK: KindSchema = KindSchema {
    name: "chunk",
    table: "code_chunks",
    key_prefix: "chunk:",
    fields: CodeChunk::FIELDS,
    key: &places(CodeChunk::FIELDS, ["file_path", "byte_start", "byte_end"]),
    doubles_colons: true,
    has_ids: true,
    time: place(CodeChunk::FIELDS, "created_at"),
    hashed: Some(places(CodeChunk::FIELDS, ["content", "content_hash"])),
    largest: place(CodeChunk::FIELDS, "content"),
    without_default: &[],
    indexes: &[
        ("idx_chunks_file_path", "file_path"),
        ("idx_chunks_symbol_name", "symbol_name"),
        ("idx_chunks_content_hash", "content_hash"),
    ],
};
