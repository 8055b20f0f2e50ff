//! The encoding of a record: its key, its canonical JSON, and digests over both.
//!
//! The rules are those of version 1 of the KV file format (`docs/format.md`). They apply to every
//! store: a SQLite row is converted to the key and value that it would have in a KV file, so that
//! two stores can be compared.
//!
//! ```
//! use chunkmigrate::codec::{decode_json, encode_json, parse_key, record_key};
//! use chunkmigrate::record::{CodeChunk, Record, RecordKind};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let record = Record::Chunk(CodeChunk::new("a:b.rs", 0, 2, "fn"));
//! let (key, value) = (record_key(&record), encode_json(&record)?);
//! assert_eq!(key, b"chunk:a::b.rs:0:2");
//! assert!(value.starts_with(br#"{"id":0,"file_path":"a:b.rs","byte_start":0,"byte_end":2,"#));
//!
//! assert_eq!(parse_key(&key)?, record.key());
//! assert_eq!(decode_json(RecordKind::Chunk, &value)?, record);
//! # Ok(())
//! # }
//! ```

mod decode;
pub(crate) mod digest;
pub(crate) mod export_end;
mod json;
mod key;
pub(crate) mod ndjson;
mod text;

pub use decode::DecodeError;
pub(crate) use decode::{decode_values, quoted_short};
pub use digest::Digest;
pub(crate) use digest::{KindHasher, KindTotals, combined_digest};
pub(crate) use export_end::ExportEnd;
pub use json::{EncodeError, decode_json, encode_json, is_canonical};
pub(crate) use json::{
    canonical_id, canonical_values, encode_values, fits, is_canonical_of, read_canonical,
};
pub use key::{
    KeyError, chunk_key, encode_key, execution_log_key, file_chunks_prefix, file_metrics_key,
    key_kind, parse_key, record_key, symbol_metrics_key,
};
pub(crate) use key::{write_key, write_own_key};
pub(crate) use ndjson::Line;

use crate::record::{KindSet, RecordKind};

/// A record in its encoded form: the bytes of its key and of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry<'a> {
    /// The key; a store's entries are ordered by it.
    pub key: &'a [u8],
    /// The value: canonical JSON, except for invalid entries of a KV file.
    pub value: &'a [u8],
}

/// The prefix of all keys of a kind.
///
/// ```
/// use chunkmigrate::{codec::key_prefix, record::RecordKind};
///
/// assert_eq!(key_prefix(RecordKind::FileMetrics), "metrics:file:");
/// ```
pub const fn key_prefix(kind: RecordKind) -> &'static str {
    kind.schema().key_prefix
}

/// Whether an unknown key concerns the selected kinds: a key with the prefix of one of them is a
/// damaged key of that kind.
pub(crate) fn may_be_of(key: &[u8], kinds: KindSet) -> bool {
    let begins = |kind| key.starts_with(key_prefix(kind).as_bytes());
    kinds == KindSet::ALL || kinds.iter().any(begins)
}

/// Maximum size of a record's value in bytes: redb's limit.
pub const MAX_VALUE_BYTES: usize = 3 << 30;
/// Maximum size of key and value together in bytes: redb's limit.
pub const MAX_ENTRY_BYTES: usize = MAX_VALUE_BYTES + (768 << 20);
