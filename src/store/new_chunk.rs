use super::clock::unix_seconds;
use crate::codec::Digest;
use crate::record::CodeChunk;

impl CodeChunk {
    /// Creates a chunk: `id` is 0 until a store assigns one, `content_hash` is the hex SHA-256 of
    /// the content, and `created_at` is the current time in Unix seconds.
    ///
    /// ```
    /// use chunkmigrate::record::CodeChunk;
    ///
    /// let chunk = CodeChunk::new("src/main.rs", 0, 12, "fn main() {}").with_symbol("main", "Function");
    /// assert_eq!(chunk.content_hash.len(), 64);
    /// assert_eq!(chunk.symbol_name.as_deref(), Some("main"));
    /// ```
    pub fn new(
        file_path: impl Into<String>,
        byte_start: u64,
        byte_end: u64,
        content: impl Into<String>,
    ) -> Self {
        let content = content.into();
        CodeChunk {
            id: 0,
            file_path: file_path.into(),
            byte_start,
            byte_end,
            content_hash: Digest::of(&content).to_string(),
            content,
            symbol_name: None,
            symbol_kind: None,
            created_at: unix_seconds(),
        }
    }

    /// The same chunk with the symbol that it defines.
    #[must_use]
    pub fn with_symbol(mut self, name: impl Into<String>, kind: impl Into<String>) -> Self {
        self.symbol_name = Some(name.into());
        self.symbol_kind = Some(kind.into());
        self
    }
}
