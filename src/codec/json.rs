//! Canonical JSON: exactly one encoding of each record.

use std::borrow::Cow;
use std::io;

use memchr::{memchr, memchr2};
use thiserror::Error;

use super::decode::decode_values;
use super::key::canonical_integer;
use super::{DecodeError, MAX_ENTRY_BYTES, MAX_VALUE_BYTES};
use crate::record::{Field, FieldClass, FieldValues, KindSchema, Record, RecordKind, Value};

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

/// The canonical bytes of a record: one JSON object without whitespace, all fields in fixed order.
///
/// # Errors
/// A float is not finite, so JSON has no number for it.
pub fn encode_json(record: &Record) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    encode_values(&record.values(), &mut out)?;
    Ok(out)
}

/// Appends the canonical bytes of a record.
///
/// # Errors
/// As [`encode_json`]; `out` may then end with part of a record.
pub(crate) fn encode_values(
    values: &FieldValues<'_>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    // Reserve space for the escapes of typical source text: growing by doubling would use twice the
    // size of a large record.
    let text = values.text_len();
    out.reserve(text + text / 8 + 512);
    let mut before = b'{';
    for (field, value) in values.iter() {
        out.extend_from_slice(&[before, b'"']);
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *out, value)?;
        before = b',';
    }
    out.push(b'}');
    Ok(())
}

/// Whether a KV file can hold an entry of these sizes.
pub(crate) const fn fits(key: &[u8], value: &[u8]) -> bool {
    let (key, value) = (key.len(), value.len());
    value <= MAX_VALUE_BYTES && key <= MAX_VALUE_BYTES && key + value <= MAX_ENTRY_BYTES
}

/// Whether `value` is the canonical encoding of a record of the kind.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::codec::{encode_json, is_canonical};
/// use chunkmigrate::record::{CodeChunk, Record, RecordKind};
///
/// let mut value = encode_json(&Record::Chunk(CodeChunk::new("a.rs", 0, 2, "fn")))?;
/// assert!(is_canonical(RecordKind::Chunk, &value));
/// value.push(b' ');
/// assert!(!is_canonical(RecordKind::Chunk, &value));
/// # Ok(())
/// # }
/// ```
pub fn is_canonical(kind: RecordKind, value: &[u8]) -> bool {
    canonical_values(kind.schema(), value).is_some()
}

/// The values of a record from its canonical encoding; `None` if `value` is anything else.
pub(crate) fn canonical_values<'v>(
    schema: &'static KindSchema,
    value: &'v [u8],
) -> Option<FieldValues<'v>> {
    let mut rest = str::from_utf8(value).ok()?;
    let mut values = Vec::with_capacity(schema.fields.len());
    let mut before = "{\"";
    for field in schema.fields {
        rest = rest.strip_prefix(before)?.strip_prefix(field.name)?;
        let (value, after) = canonical_value(field, rest.strip_prefix("\":")?)?;
        values.push(value);
        rest = after;
        before = ",\"";
    }
    (rest == "}").then(|| FieldValues::new(schema, values))
}

/// The value at the start of `rest`, and what follows it.
fn canonical_value<'v>(field: &Field, rest: &'v str) -> Option<(Value<'v>, &'v str)> {
    if field.nullable
        && let Some(after) = rest.strip_prefix("null")
    {
        return Some((Value::Null, after));
    }
    if field.class == FieldClass::Text {
        let (text, after) = canonical_text(rest.strip_prefix('"')?)?;
        return Some((Value::Text(text), after));
    }
    let end = rest.bytes().position(|byte| matches!(byte, b',' | b'}'))?;
    let (number, after) = rest.split_at_checked(end)?;
    let value = match field.class {
        FieldClass::Integer => Value::Integer(canonical_integer(number)?),
        FieldClass::Offset => Value::Offset(u64::try_from(canonical_integer(number)?).ok()?),
        FieldClass::Real | FieldClass::Text => Value::Real(canonical_real(number)?),
    };
    Some((value, after))
}

fn canonical_real(number: &str) -> Option<f64> {
    let real = number.parse::<f64>().ok()? + 0.0;
    let mut rest = Rest(number.as_bytes());
    serde_json::to_writer(&mut rest, &Value::Real(real)).ok()?;
    rest.0.is_empty().then_some(real)
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

/// The text up to the closing quote, and what follows the quote.
fn canonical_text(rest: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut end = 0;
    let mut has_escapes = false;
    loop {
        let at = end + memchr2(b'"', b'\\', rest.as_bytes().get(end..)?)?;
        if rest.as_bytes().get(at) == Some(&b'"') {
            end = at;
            break;
        }
        has_escapes = true;
        end = at + 2;
    }
    let (raw, after) = (rest.get(..end)?, rest.get(end + 1..)?);
    // Not `any`, so that the loop is vectorized.
    let lowest = raw.bytes().fold(u8::MAX, u8::min);
    if lowest < b' ' && !raw.is_empty() {
        return None;
    }
    Some(match has_escapes {
        true => (Cow::Owned(canonical_escapes(raw)?), after),
        false => (Cow::Borrowed(raw), after),
    })
}

/// The text that is written with these escapes; `None` if one of them is not the canonical one.
fn canonical_escapes(mut raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    while let Some(at) = memchr(b'\\', raw.as_bytes()) {
        text.push_str(raw.get(..at)?);
        let escape = raw.as_bytes().get(at + 1)?;
        let (character, length) = match escape {
            b'"' | b'\\' => (*escape, 2),
            b'b' => (0x08, 2),
            b't' => (b'\t', 2),
            b'n' => (b'\n', 2),
            b'f' => (0x0c, 2),
            b'r' => (b'\r', 2),
            b'u' => (control(raw.get(at + 2..at + 6)?)?, 6),
            _ => return None,
        };
        text.push(char::from(character));
        raw = raw.get(at + length..)?;
    }
    text.push_str(raw);
    Some(text)
}

/// The control character with these four hexadecimal digits, if it has no shorter escape.
fn control(digits: &str) -> Option<u8> {
    let digits = digits.strip_prefix("00")?;
    let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let control = u8::from_str_radix(digits, 16).ok()?;
    let has_shorter = matches!(control, 0x08 | b'\t' | b'\n' | 0x0c | b'\r');
    (digits.bytes().all(is_lower_hex) && control < b' ' && !has_shorter).then_some(control)
}

/// The row id from the canonical bytes of a record, in which it is the first field; `None` for
/// kinds without ids.
pub(crate) fn canonical_id(value: &[u8]) -> Option<i64> {
    let rest = value.strip_prefix(b"{\"id\":")?;
    let id = rest.split(|byte| *byte == b',').next()?;
    str::from_utf8(id).ok()?.parse().ok()
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
    let values = decode_values(kind.schema(), value)?;
    Record::from_values(kind, values).ok_or(DecodeError::NotAnObject)
}
