//! The encoding of a record: its key, its canonical JSON, and digests over both.
//!
//! The rules are those of version 1 of the KV file format (`docs/format.md`). They apply to every
//! store: a SQLite row is converted to the key and value that it would have in a KV file, so that
//! two stores can be compared.

pub(crate) mod decode;
pub(crate) mod digest;
pub(crate) mod export_end;
pub(crate) mod json;
pub(crate) mod key;
pub(crate) mod ndjson;
#[cfg(test)]
pub(crate) mod test_entries;
mod text;

use decode::DecodeError;
pub(crate) use decode::{decode_values, one_line, quoted_short};
pub(crate) use digest::{Digest, EntrySum, KindHasher, KindTotals, combined_digest};
pub(crate) use export_end::ExportEnd;
pub(crate) use json::{
    canonical_id, canonical_values, decode_entry, decode_json, encode_values, fits,
    is_canonical_of, read_canonical, read_canonical_of, read_canonical_real,
};
pub(crate) use key::{
    double_colons, file_chunks_prefix, key_kind, parse_key, read_integer, record_key, write_key,
    write_number, write_own_key,
};
pub(crate) use ndjson::Line;
pub(crate) use text::{read_text, write_text};

use crate::record::{KindSet, RecordKind};

/// A record in its encoded form: the bytes of its key and of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry<'a> {
    /// The key; a store's entries are ordered by it.
    pub key: &'a [u8],
    /// The value: canonical JSON, except for invalid entries of a KV file.
    pub value: &'a [u8],
}

/// Whether an unknown key concerns the selected kinds: a key with the prefix of one of them is a
/// damaged key of that kind.
pub(crate) fn may_be_of(key: &[u8], kinds: KindSet) -> bool {
    let begins = |kind: RecordKind| key.starts_with(kind.key_prefix().as_bytes());
    // Carried tables are read whatever kinds are.
    kinds == KindSet::ALL || kinds.iter().any(begins) || key.starts_with(b"table:")
}

/// Maximum size of a record's value in bytes: redb's limit.
pub const MAX_VALUE_BYTES: usize = 3 << 30;
/// Maximum size of key and value together in bytes: redb's limit.
pub const MAX_ENTRY_BYTES: usize = MAX_VALUE_BYTES + (768 << 20);
