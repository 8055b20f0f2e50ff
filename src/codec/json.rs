//! Canonical JSON: exactly one encoding of each record.

use std::borrow::Cow;
use std::io;

use serde::Deserialize;
use thiserror::Error;

use super::explain::{Explanation, explain};
use crate::error::RecordError;
use crate::record::{Record, RecordKind};

/// Why a record has no canonical encoding.
#[derive(Debug, Error)]
#[error("the record cannot be encoded as JSON")]
pub struct EncodeError {
    #[from]
    source: serde_json::Error,
}

impl From<EncodeError> for crate::Error {
    fn from(error: EncodeError) -> Self {
        crate::Error::Encode(error.source)
    }
}

/// Why bytes are no record.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The document is not a JSON object.
    #[error("the value is not a JSON object")]
    NotAnObject,
    /// The JSON is malformed, or its fields don't match the record's.
    #[error("{message}")]
    Json {
        /// What is wrong: a sentence without a full stop, such as `loc is 10.0, must be an integer
        /// or null`.
        message: String,
        /// The same without any text from the value.
        without_values: String,
    },
    /// A field has a value that no store can hold.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl DecodeError {
    fn of(kind: RecordKind, value: &[u8], error: &serde_json::Error) -> Self {
        let Explanation {
            message,
            without_values,
        } = explain(kind, value, error);
        DecodeError::Json {
            message,
            without_values,
        }
    }

    /// What is wrong, without any text from the value.
    pub fn without_values(&self) -> String {
        match self {
            DecodeError::Json { without_values, .. } => without_values.clone(),
            error => error.to_string(),
        }
    }
}

/// serde_json's message for a single line of text, with the column but without the useless "line
/// 1".
pub(super) fn one_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line 1 column {}", error.column());
    match text.strip_suffix(&place) {
        Some(what) if error.column() > 0 => format!("{what} at column {}", error.column()),
        Some(what) => what.to_owned(),
        None => text,
    }
}

/// The canonical bytes of a record: one JSON object without whitespace, all fields in fixed order.
///
/// # Errors
/// A float is not finite, so JSON has no number for it.
pub fn encode_json(record: &Record) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    encode_json_into(record, &mut out)?;
    Ok(out)
}

/// Appends the canonical bytes of a record.
///
/// # Errors
/// As [`encode_json`]; `out` may then end with part of a record.
pub fn encode_json_into(record: &Record, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Record::Chunk(chunk) = record {
        // Reserve space for the escapes of typical source text: growing by doubling would use twice
        // the size of a large chunk.
        out.reserve(chunk.content.len() + chunk.content.len() / 8 + 512);
    }
    encode_json_to(record, out)
}

fn encode_json_to(record: &Record, out: impl io::Write) -> Result<(), EncodeError> {
    match record {
        Record::Chunk(record) => serde_json::to_writer(out, record)?,
        Record::ExecutionLog(record) => serde_json::to_writer(out, record)?,
        Record::FileMetrics(record) => serde_json::to_writer(out, record)?,
        Record::SymbolMetrics(record) => serde_json::to_writer(out, record)?,
    }
    Ok(())
}

/// Whether `value` is the canonical encoding of `record`; compares without allocating a second
/// copy.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::codec::encode_json;
/// use chunkmigrate::codec::is_canonical;
/// use chunkmigrate::record::{CodeChunk, Record};
///
/// let record = Record::Chunk(CodeChunk::new("a.rs", 0, 2, "fn"));
/// let mut value = encode_json(&record)?;
/// assert!(is_canonical(&record, &value));
/// value.push(b' ');
/// assert!(!is_canonical(&record, &value));
/// # Ok(())
/// # }
/// ```
pub fn is_canonical(record: &Record, value: &[u8]) -> bool {
    let mut rest = Rest(value);
    encode_json_to(record, &mut rest).is_ok() && rest.0.is_empty()
}

/// A writer that compares its input with the expected bytes and fails at the first difference.
struct Rest<'v>(&'v [u8]);

impl io::Write for Rest<'_> {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        match self.0.strip_prefix(written) {
            Some(rest) => {
                self.0 = rest;
                Ok(written.len())
            }
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The row id from the canonical bytes of a record, in which it is the first field; `None` for
/// kinds without ids.
pub(crate) fn canonical_id(value: &[u8]) -> Option<i64> {
    let rest = value.strip_prefix(b"{\"id\":")?;
    let id = rest.split(|byte| *byte == b',').next()?;
    str::from_utf8(id).ok()?.parse().ok()
}

/// The content of a chunk and its stored hash.
#[derive(Debug, Deserialize)]
pub(crate) struct HashedContent<'v> {
    #[serde(borrow)]
    pub(crate) content: Cow<'v, str>,
    #[serde(borrow)]
    pub(crate) content_hash: Cow<'v, str>,
}

/// Decodes only these two fields. The value must be known to be a valid chunk.
///
/// # Errors
/// The value is not a valid chunk.
pub(crate) fn decode_content(value: &[u8]) -> Result<HashedContent<'_>, DecodeError> {
    let content = serde_json::from_slice(value);
    content.map_err(|error| DecodeError::of(RecordKind::Chunk, value, &error))
}

/// Decodes a record of a kind from JSON.
///
/// Whitespace, field order and the notation of floats may vary; to check for the canonical form,
/// use [`is_canonical`]. Everything else is strict: each field exactly once, no other fields,
/// nothing after the object, and integers without fraction or exponent, in range.
///
/// # Errors
/// [`DecodeError`] describes why the value is not a valid record.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::codec::decode_json;
/// use chunkmigrate::record::RecordKind;
///
/// let value = br#"{"symbol_count":3,"file_path":"a.rs","loc":null,"estimated_loc":1e1,"fan_in":0,
///     "fan_out":0,"complexity_score":null,"last_updated":0}"#;
/// let metrics = decode_json(RecordKind::FileMetrics, value)?.into_file_metrics();
/// assert_eq!(metrics.and_then(|metrics| metrics.estimated_loc), Some(10.0));
/// // A nullable field must still be present.
/// assert!(decode_json(RecordKind::FileMetrics, br#"{"file_path":"a.rs"}"#).is_err());
/// # Ok(())
/// # }
/// ```
pub fn decode_json(kind: RecordKind, value: &[u8]) -> Result<Record, DecodeError> {
    // serde would also accept an array of the fields as a struct.
    if value.trim_ascii_start().first() != Some(&b'{') {
        return Err(DecodeError::NotAnObject);
    }
    let record = match kind {
        RecordKind::Chunk => serde_json::from_slice(value).map(Record::Chunk),
        RecordKind::ExecutionLog => serde_json::from_slice(value).map(Record::ExecutionLog),
        RecordKind::FileMetrics => serde_json::from_slice(value).map(Record::FileMetrics),
        RecordKind::SymbolMetrics => serde_json::from_slice(value).map(Record::SymbolMetrics),
    };
    let record = record.map_err(|error| DecodeError::of(kind, value, &error))?;
    record.check()?;
    Ok(record)
}
