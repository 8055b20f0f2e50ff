//! Canonical JSON: exactly one encoding of each record.

use std::io;

use super::decode::decode_values;
use super::key::{invalid, key_kind, read_integer, record_key, write_number, write_own_key};
use super::text::{read_text, write_text};
use super::{DecodeError, Entry, MAX_ENTRY_BYTES, MAX_VALUE_BYTES};
use crate::error::{Error, Result};
use crate::record::{Field, FieldClass, FieldValues, KindSchema, Record, RecordKind, Value};

impl Record {
    /// The canonical bytes of the record, its value in a KV file (`docs/format.md`): one JSON object
    /// without whitespace, all fields in fixed order.
    ///
    /// # Errors
    /// [`Error::Encode`]: a float is not finite, so JSON has no number for it.
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use chunkmigrate::record::{CodeChunk, Record};
    ///
    /// let value = Record::Chunk(CodeChunk::new("a.rs", 0, 2, "fn")).to_json()?;
    /// assert!(value.starts_with(br#"{"id":0,"file_path":"a.rs","byte_start":0,"byte_end":2,"#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        encode_values(&self.values(), &mut out)?;
        Ok(out)
    }

    /// The record that an entry holds. Whitespace, field order and the notation of floats may vary.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`]: the key or the value is invalid, or it is the key of another record.
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use chunkmigrate::kv::Entry;
    /// use chunkmigrate::record::{CodeChunk, Record};
    ///
    /// let record = Record::Chunk(CodeChunk::new("a.rs", 0, 2, "fn"));
    /// let (key, value) = (record.key().encode(), record.to_json()?);
    /// assert_eq!(Record::from_entry(Entry { key: &key, value: &value })?, record);
    /// assert!(Record::from_entry(Entry { key: b"chunk:b.rs:0:2", value: &value }).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_entry(entry: Entry<'_>) -> Result<Record> {
        let kind = key_kind(entry.key).map_err(|error| invalid(entry.key, error.to_string()))?;
        decode_entry(kind, entry)
    }
}

/// The record of a kind that an entry holds.
pub(crate) fn decode_entry(kind: RecordKind, entry: Entry<'_>) -> Result<Record> {
    let Entry { key, value } = entry;
    let record = decode_json(kind, value).map_err(|error| invalid(key, error.to_string()))?;
    let own_key = record_key(&record);
    if own_key != key {
        let own_key = String::from_utf8_lossy(&own_key);
        return Err(invalid(key, format!("it belongs to {own_key:?}")));
    }
    Ok(record)
}

/// Appends the canonical bytes of a record.
///
/// # Errors
/// As [`Record::to_json`]; `out` may then end with part of a record.
pub(crate) fn encode_values(values: &FieldValues<'_>, out: &mut Vec<u8>) -> Result<()> {
    // Reserve space for the escapes of typical source text: growing by doubling would use twice the
    // size of a large record.
    let text = values.text_len();
    out.reserve(text + text / 8 + 512);
    out.push(b'{');
    for (place, (field, value)) in values.iter().enumerate() {
        out.extend_from_slice(name(field, place).as_bytes());
        match value {
            Value::Text(text) => write_text(text, out),
            Value::Null => out.extend_from_slice(b"null"),
            Value::Integer(integer) => write_number(out, *integer),
            Value::Offset(offset) => write_number(out, *offset),
            Value::Real(_) => serde_json::to_writer(&mut *out, value).map_err(Error::Encode)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// What is before the value of a field, apart from the brace before the first one.
fn name(field: &Field, place: usize) -> &'static str {
    match place {
        0 => field.json_name.trim_start_matches(','),
        _ => field.json_name,
    }
}

/// Whether a KV file can hold an entry of these sizes.
pub(crate) const fn fits(key: &[u8], value: &[u8]) -> bool {
    let (key, value) = (key.len(), value.len());
    value <= MAX_VALUE_BYTES && key <= MAX_VALUE_BYTES && key + value <= MAX_ENTRY_BYTES
}

/// Whether `value` is the canonical encoding of a record of the kind.
pub fn is_canonical(kind: RecordKind, value: &[u8]) -> bool {
    canonical_values(kind.schema(), value).is_some()
}

/// The values of a record from its canonical encoding; `None` if `value` is anything else.
pub(crate) fn canonical_values<'v>(
    schema: &'static KindSchema,
    value: &'v [u8],
) -> Option<FieldValues<'v>> {
    read_canonical(schema, value, |_| true)
}

/// Whether `value` is the canonical encoding of the record with this key; `buffer` is overwritten.
pub(crate) fn is_canonical_of(
    schema: &'static KindSchema,
    entry: Entry<'_>,
    buffer: &mut Vec<u8>,
) -> bool {
    read_canonical_of(schema, entry, buffer, |_| false).is_some()
}

/// As [`read_canonical`], if the record is that of the entry's key; `buffer` is overwritten. The
/// fields of the key are always wanted.
pub(crate) fn read_canonical_of<'v>(
    schema: &'static KindSchema,
    entry: Entry<'v>,
    buffer: &mut Vec<u8>,
    wanted: impl Fn(usize) -> bool,
) -> Option<FieldValues<'v>> {
    let wanted = |place| wanted(place) || schema.key.contains(&place);
    let values = read_canonical(schema, entry.value, wanted)?;
    buffer.clear();
    write_own_key(&values, buffer);
    (buffer == entry.key).then_some(values)
}

/// As [`canonical_values`]; the texts of fields that are not `wanted` are checked but have no value.
pub(crate) fn read_canonical<'v>(
    schema: &'static KindSchema,
    value: &'v [u8],
    wanted: impl Fn(usize) -> bool,
) -> Option<FieldValues<'v>> {
    let mut rest = str::from_utf8(value).ok()?.strip_prefix('{')?;
    let mut values = Vec::with_capacity(schema.fields.len());
    for (place, field) in schema.fields.iter().enumerate() {
        let after_name = rest.strip_prefix(name(field, place))?;
        let (value, after) = canonical_value(field, after_name, wanted(place))?;
        values.push(value);
        rest = after;
    }
    (rest == "}").then(|| FieldValues::new(schema, values))
}

/// The value at the start of `rest`, and what follows it.
fn canonical_value<'v>(field: &Field, rest: &'v str, wanted: bool) -> Option<(Value<'v>, &'v str)> {
    if field.nullable
        && let Some(after) = rest.strip_prefix("null")
    {
        return Some((Value::Null, after));
    }
    Some(match field.class {
        FieldClass::Integer => {
            let (integer, after) = read_integer(rest)?;
            (Value::Integer(integer), after)
        }
        FieldClass::Offset => {
            let (integer, after) = read_integer(rest)?;
            (Value::Offset(u64::try_from(integer).ok()?), after)
        }
        FieldClass::Text => {
            let (text, after) = read_text(rest.strip_prefix('"')?, wanted)?;
            (Value::Text(text), after)
        }
        FieldClass::Real => {
            let end = rest.bytes().position(|byte| matches!(byte, b',' | b'}'))?;
            let (number, after) = rest.split_at_checked(end)?;
            (Value::Real(canonical_real(number)?), after)
        }
    })
}

fn canonical_real(number: &str) -> Option<f64> {
    read_canonical_real(number).filter(|real| *real != 0.0 || real.is_sign_positive())
}

/// A float in the notation that serde_json writes, -0.0 included; `None` for any other.
pub(crate) fn read_canonical_real(number: &str) -> Option<f64> {
    let real = number.parse::<f64>().ok()?;
    let mut rest = Rest(number.as_bytes());
    serde_json::to_writer(&mut rest, &real).ok()?;
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
pub fn decode_json(kind: RecordKind, value: &[u8]) -> Result<Record, DecodeError> {
    let values = decode_values(kind.schema(), value)?;
    Record::from_values(kind, values).ok_or_else(DecodeError::not_an_object)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::test_entries::{TestEntry, any_entry, entries_in_other_notations};

    /// Compares everything that reads a value with what serde makes of it.
    fn check(entry: &TestEntry) {
        let schema = entry.kind.schema();
        let expected = entry.canonical_record();
        let read = canonical_values(schema, &entry.value);
        let read = read.map(|values| Record::from_values(entry.kind, values).unwrap());
        assert_eq!(read, expected, "{entry:?}");
        let mut buffer = b"from before".to_vec();
        let is_canonical = is_canonical_of(schema, entry.entry(), &mut buffer);
        assert_eq!(is_canonical, entry.is_sound(), "{entry:?}");
        let decoded = decode_json(entry.kind, &entry.value).ok();
        assert_eq!(decoded, entry.record(), "{entry:?}");
        if let Some(record) = expected {
            assert_eq!(canonical_id(&entry.value), record.id());
            assert_eq!(record.to_json().unwrap(), entry.value);
        }
    }

    #[test]
    fn of_other_notations_the_fast_path_accepts_exactly_what_serde_writes() {
        entries_in_other_notations().for_each(|entry| check(&entry));
    }

    proptest! {
        #[test]
        fn the_fast_path_accepts_exactly_what_serde_reads_and_writes_as_it_is(entry in any_entry()) {
            check(&entry);
        }
    }
}
