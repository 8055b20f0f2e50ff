//! The lines of a rejects file: invalid rows with their values as stored in SQLite, invalid entries
//! of a KV file with their value, and invalid lines of text.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use crate::codec::Entry;
use crate::compare::{Finding, RowLocation};
use crate::error::Result;
use crate::stream::{InvalidRow, RawValue};

/// A row as a line of the rejects file.
pub(super) fn row_line(row: &InvalidRow) -> impl Serialize + use<'_> {
    RowLine {
        table: row.table,
        rowid: row.rowid,
        key: row.key.as_deref().map(String::from_utf8_lossy),
        key_columns: row.kind.schema().key_names().collect(),
        column: row.column,
        reason: row.reason.name(),
        message: &row.message,
        values: Values(&row.values),
    }
}

#[derive(Serialize)]
struct RowLine<'r> {
    table: &'r str,
    rowid: i64,
    key: Option<Cow<'r, str>>,
    key_columns: Vec<&'static str>,
    column: &'r str,
    reason: &'r str,
    message: &'r str,
    values: Values<'r>,
}

struct Values<'r>(&'r [(&'static str, RawValue)]);

impl Serialize for Values<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(column, value)| (column, raw_json(value))))
    }
}

/// A value with its storage class; values that JSON can't represent are in hex or a word.
fn raw_json(value: &RawValue) -> Value {
    let class = value.storage_class();
    match value {
        RawValue::Null => json!({"class": class, "value": null}),
        RawValue::Integer(integer) => json!({"class": class, "value": integer}),
        RawValue::Real(real) if real.is_finite() => json!({"class": class, "value": real}),
        RawValue::Real(real) => json!({"class": class, "value": real.to_string()}),
        RawValue::Text(text) => json!({"class": class, "value": text}),
        RawValue::MalformedText(bytes) | RawValue::Blob(bytes) => {
            json!({"class": class, "hex": hex(bytes)})
        }
    }
}

/// An entry of a KV file as a line of the rejects file; key and value are in hex if they are not
/// valid text.
pub(super) fn entry_line(entry: Entry<'_>, why: &Finding) -> impl Serialize {
    let (key, key_hex) = text_or_hex(entry.key);
    let (value, value_hex) = text_or_hex(entry.value);
    EntryLine {
        table: None,
        key,
        key_hex,
        class: why.class.name(),
        message: why.message.clone(),
        value,
        value_hex,
    }
}

/// A record that the target rejects, as a line of the rejects file.
pub(super) fn rejected_line<'r>(
    entry: Entry<'r>,
    row: &RowLocation,
    message: &'r str,
) -> impl Serialize + use<'r> {
    RefusedLine {
        table: row.table,
        rowid: row.rowid,
        key: String::from_utf8_lossy(entry.key),
        column: row.column,
        reason: row.reason.name(),
        message,
        value: String::from_utf8_lossy(entry.value),
    }
}

#[derive(Serialize)]
struct RefusedLine<'r> {
    table: &'static str,
    rowid: Option<i64>,
    key: Cow<'r, str>,
    column: &'static str,
    reason: &'static str,
    message: &'r str,
    /// The record's canonical JSON.
    value: Cow<'r, str>,
}

#[derive(Serialize)]
struct EntryLine {
    // Always null: the line has the same first fields as those of rows.
    table: Option<()>,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hex: Option<String>,
    class: &'static str,
    message: String,
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_hex: Option<String>,
}

/// The invalid lines of a text.
pub(super) trait RejectedLines {
    /// Calls `visit` for every line, in order.
    ///
    /// # Errors
    /// The lines can't be read to their end, or the error of `visit`.
    fn visit(&self, visit: &mut dyn FnMut(RejectedLine<'_>) -> Result<()>) -> Result<()>;
}

/// An invalid line of text.
pub(super) struct RejectedLine<'l> {
    pub(super) line: u64,
    /// The part of its key that is known.
    pub(super) key: Option<&'l str>,
    /// The line, or its start if it is too long.
    pub(super) text: &'l [u8],
    pub(super) why: Finding,
}

/// A line of text as a line of the rejects file.
pub(super) fn text_line<'l>(line: &'l RejectedLine<'_>) -> impl Serialize + use<'l> {
    let (text, text_hex) = text_or_hex(line.text);
    TextLine {
        table: None,
        line: line.line,
        key: line.key,
        class: line.why.class.name(),
        message: &line.why.message,
        text,
        text_hex,
    }
}

#[derive(Serialize)]
struct TextLine<'l> {
    // Always null, as for an entry.
    table: Option<()>,
    line: u64,
    key: Option<&'l str>,
    class: &'static str,
    message: &'l str,
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_hex: Option<String>,
}

fn text_or_hex(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(hex(bytes))),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
