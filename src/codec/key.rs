//! Text keys: one for each record, and their parser.

use std::borrow::Cow;

use thiserror::Error;

use crate::error::Error;
use crate::record::{FieldClass, FieldValues, KindSchema, Record, RecordKey, RecordKind, Value};

/// Why bytes are not a valid record key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key starts with an unknown prefix.
    #[error("the key starts with none of {}", RecordKind::ALL.map(RecordKind::key_prefix).join(", "))]
    UnknownPrefix,
    /// The key is not UTF-8.
    #[error("the key is not valid UTF-8 at byte {valid_up_to}")]
    NotUtf8 {
        /// Number of valid bytes before the error.
        valid_up_to: usize,
    },
    /// A chunk key has fewer than two `:` after its prefix.
    #[error("the chunk key lacks a path, start or end")]
    MissingOffset,
    /// A `:` in a path is not doubled.
    #[error("a ':' in the path is not doubled")]
    SingleColon,
    /// A number is not in this format's notation, or is out of range.
    #[error("{text:?} is not a valid number in a key")]
    Number {
        /// The text in place of the number.
        text: String,
    },
}

impl RecordKey {
    /// The bytes of the key, under which a KV file has the record (`docs/format.md`).
    ///
    /// ```
    /// use chunkmigrate::record::RecordKey;
    ///
    /// let file_path = r"C:\a.rs".to_owned();
    /// let key = RecordKey::Chunk { file_path, byte_start: 7, byte_end: 16 };
    /// assert_eq!(key.encode(), br"chunk:C::\a.rs:7:16");
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut key = Vec::new();
        write_key(self.kind().schema(), self.values().iter(), &mut key);
        key
    }

    /// Parses the bytes of a key. Accepts exactly those that [`encode`](RecordKey::encode) returns.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] says what is wrong with the key.
    ///
    /// ```
    /// use chunkmigrate::record::RecordKey;
    ///
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let file_path = "a:b.rs".to_owned();
    /// let key = RecordKey::Chunk { file_path, byte_start: 0, byte_end: 2 };
    /// assert_eq!(RecordKey::parse(b"chunk:a::b.rs:0:2")?, key);
    /// assert!(RecordKey::parse(b"chunk:a:b.rs:0:2").is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse(key: &[u8]) -> crate::Result<RecordKey> {
        parse_key(key).map_err(|error| invalid(key, error.to_string()))
    }
}

/// The bytes of a record's key.
pub fn record_key(record: &Record) -> Vec<u8> {
    let mut key = Vec::new();
    write_own_key(&record.values(), &mut key);
    key
}

/// Appends the bytes of a record's key.
pub(crate) fn write_own_key(values: &FieldValues<'_>, out: &mut Vec<u8>) {
    write_key(values.schema, values.key(), out);
}

/// Appends the bytes of a key: the prefix of the kind and the values of the key's fields, separated
/// by `:`.
pub(crate) fn write_key<'v>(
    schema: &KindSchema,
    values: impl Iterator<Item = &'v Value<'v>>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(schema.key_prefix.as_bytes());
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b':');
        }
        match value {
            Value::Text(text) if schema.doubles_colons => double_colons(out, text),
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::Integer(integer) => write_number(out, *integer),
            Value::Offset(offset) => write_number(out, *offset),
            // No key has a field of another class.
            Value::Null | Value::Real(_) => {}
        }
    }
}

/// The common prefix of all chunk keys of a file.
///
/// Keys of other files may start with it too, for example those of `a:b` with the prefix of `a`.
/// They sort after those of `a`.
pub fn file_chunks_prefix(file_path: &str) -> Vec<u8> {
    let mut prefix = RecordKind::Chunk.key_prefix().as_bytes().to_vec();
    double_colons(&mut prefix, file_path);
    prefix.push(b':');
    prefix
}

pub(super) fn invalid(key: &[u8], detail: String) -> Error {
    Error::InvalidRecord { key: String::from_utf8_lossy(key).into_owned(), detail }
}

/// Parses the bytes of a key: a single `:` in a path, a leading zero or a plus sign is an error.
pub fn parse_key(key: &[u8]) -> Result<RecordKey, KeyError> {
    let mut values = Vec::with_capacity(3);
    let kind = visit_values(key, &mut |value| values.push(value))?;
    RecordKey::from_values(kind, values.into_iter()).ok_or(KeyError::MissingOffset)
}

/// The kind of record that a key identifies.
pub fn key_kind(key: &[u8]) -> Result<RecordKind, KeyError> {
    visit_values(key, &mut |_| {})
}

/// Calls `visit` for each value of a key, and returns the key's kind.
fn visit_values<'k>(
    key: &'k [u8],
    visit: &mut dyn FnMut(Value<'k>),
) -> Result<RecordKind, KeyError> {
    let (kind, rest) = RecordKind::ALL
        .into_iter()
        .find_map(|kind| Some((kind, key.strip_prefix(kind.key_prefix().as_bytes())?)))
        .ok_or(KeyError::UnknownPrefix)?;
    let rest = str::from_utf8(rest).map_err(|error| KeyError::NotUtf8 {
        valid_up_to: kind.key_prefix().len() + error.valid_up_to(),
    })?;
    visit_fields(kind.schema(), kind.schema().key, rest, visit)?;
    Ok(kind)
}

/// Calls `visit` for the values of these fields of a key.
fn visit_fields<'k>(
    schema: &KindSchema,
    fields: &[usize],
    text: &'k str,
    visit: &mut dyn FnMut(Value<'k>),
) -> Result<(), KeyError> {
    let Some((last, before)) = fields.split_last() else {
        return Ok(());
    };
    let mut text = text;
    if !before.is_empty() {
        // From the right: the text may contain colons, the numbers can't.
        let (rest, last) = text.rsplit_once(':').ok_or(KeyError::MissingOffset)?;
        visit_fields(schema, before, rest, visit)?;
        text = last;
    }
    visit(match schema.field(*last).class {
        FieldClass::Text if schema.doubles_colons => Value::Text(single_colons(text)?),
        FieldClass::Text => Value::Text(Cow::Borrowed(text)),
        FieldClass::Offset => Value::Offset(parse_offset(text)?),
        FieldClass::Integer | FieldClass::Real => Value::Integer(parse_integer(text)?),
    });
    Ok(())
}

pub(crate) fn write_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a text with every `:` doubled.
pub(crate) fn double_colons(out: &mut Vec<u8>, text: &str) {
    let mut parts = text.split(':');
    out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        out.extend_from_slice(b"::");
        out.extend_from_slice(part.as_bytes());
    }
}

fn single_colons(doubled: &str) -> Result<Cow<'_, str>, KeyError> {
    let colons = doubled.bytes().filter(|&byte| byte == b':').count();
    match colons {
        0 => Ok(Cow::Borrowed(doubled)),
        _ if colons == 2 * doubled.matches("::").count() => {
            Ok(Cow::Owned(doubled.replace("::", ":")))
        }
        _ => Err(KeyError::SingleColon),
    }
}

fn parse_offset(text: &str) -> Result<u64, KeyError> {
    u64::try_from(parse_integer(text)?).map_err(|_| no_number(text))
}

fn parse_integer(text: &str) -> Result<i64, KeyError> {
    canonical_integer(text).ok_or_else(|| no_number(text))
}

/// An integer in the only notation that keys and canonical JSON have for it.
fn canonical_integer(text: &str) -> Option<i64> {
    let (integer, rest) = read_integer(text)?;
    rest.is_empty().then_some(integer)
}

/// The integer at the start of a text, and what follows its digits; `None` unless it is in the only
/// notation that this format writes.
pub(crate) fn read_integer(text: &str) -> Option<(i64, &str)> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut magnitude: u64 = 0;
    let mut length = 0;
    for digit in digits.bytes().take_while(u8::is_ascii_digit) {
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        length += 1;
    }
    let (digits, rest) = digits.split_at_checked(length)?;
    let is_padded = digits.starts_with('0') && (length > 1 || is_negative);
    let integer = match is_negative {
        true => 0_i64.checked_sub_unsigned(magnitude)?,
        false => i64::try_from(magnitude).ok()?,
    };
    (length > 0 && !is_padded).then_some((integer, rest))
}

fn no_number(text: &str) -> KeyError {
    KeyError::Number { text: text.to_owned() }
}
