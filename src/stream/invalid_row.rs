//! Rows that cannot be represented exactly as a record.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::codec::{Entry, quoted_short};
use crate::error::in_brackets;
use crate::record::{FieldValues, KindSchema, RecordKind};

/// Longer blobs are displayed shortened to this many bytes.
const SHOWN_BYTES: usize = 16;

/// Why a row is invalid, as a code for programs. [`InvalidRow::message`] is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InvalidReason {
    /// NULL in a required column.
    Null,
    /// The wrong storage class for the column, such as a blob, or a real in an integer column.
    StorageClass,
    /// Text that is not valid UTF-8, or in a UTF-16 database not valid UTF-16.
    NotUtf8,
    /// An integer out of the column's range.
    Range,
    /// A float that is infinite.
    NotFinite,
    /// Another row has the same key.
    DuplicateKey,
    /// Another row has the same id.
    DuplicateId,
    /// The record is larger than a KV file can hold.
    TooLarge,
    /// A constraint of the target table rejects it: a foreign key, a CHECK, or a missing column.
    Constraint,
    /// The id belongs to a different symbol in the target of a merge.
    WrongSymbol,
}

impl InvalidReason {
    /// The name that reports use, such as `storage-class`.
    pub const fn name(self) -> &'static str {
        match self {
            InvalidReason::Null => "null",
            InvalidReason::StorageClass => "storage-class",
            InvalidReason::NotUtf8 => "not-utf8",
            InvalidReason::Range => "range",
            InvalidReason::NotFinite => "not-finite",
            InvalidReason::DuplicateKey => "duplicate-key",
            InvalidReason::DuplicateId => "duplicate-id",
            InvalidReason::TooLarge => "too-large",
            InvalidReason::Constraint => "constraint",
            InvalidReason::WrongSymbol => "wrong-symbol",
        }
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for InvalidReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A value as SQLite stores it.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValue {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// Valid text.
    Text(String),
    /// Text with an invalid encoding, as the stored bytes.
    MalformedText(Vec<u8>),
    /// A blob.
    Blob(Vec<u8>),
}

impl RawValue {
    /// The storage class, as SQLite's `typeof()` names it.
    pub const fn storage_class(&self) -> &'static str {
        match self {
            RawValue::Null => "null",
            RawValue::Integer(_) => "integer",
            RawValue::Real(_) => "real",
            RawValue::Text(_) | RawValue::MalformedText(_) => "text",
            RawValue::Blob(_) => "blob",
        }
    }
}

impl fmt::Display for RawValue {
    /// A short form of the value in SQL or Rust syntax: control characters are escaped, long text
    /// and blobs are shortened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawValue::Null => f.write_str("NULL"),
            RawValue::Integer(integer) => write!(f, "{integer}"),
            RawValue::Real(real) => write!(f, "{real:?}"),
            RawValue::Text(text) => f.write_str(&quoted_short(text)),
            RawValue::MalformedText(bytes) | RawValue::Blob(bytes) => {
                let shown = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
                f.write_str("x'")?;
                shown.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(if shown.len() < bytes.len() { "…'" } else { "'" })
            }
        }
    }
}

/// A row that cannot be represented exactly as a record. It displays as one line with the row and
/// the problem: `code_chunks row 7 (file_path "a.rs", byte_start -5, byte_end 9): byte_start is -5,
/// must be 0 or more`.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidRow {
    /// The kind of record that the table contains.
    pub kind: RecordKind,
    /// The table.
    pub table: &'static str,
    /// The row id.
    pub rowid: i64,
    /// The first invalid column; for duplicates, the first column of the key or the id.
    pub column: &'static str,
    /// What is wrong with it, as a code for programs.
    pub reason: InvalidReason,
    /// What is wrong with it, for people: a sentence without a full stop, such as `byte_start is
    /// -5, must be 0 or more`. It contains no text from the row.
    pub message: String,
    /// The row's key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Every column that corresponds to a field of the record, with its stored value.
    pub values: Vec<(&'static str, RawValue)>,
}

impl InvalidRow {
    /// The key columns with their shortened values, to locate the row; empty if the values are
    /// unknown.
    pub(crate) fn key_text(&self) -> String {
        key_text(self.kind.schema(), &self.values)
    }

    /// The displayed text without the values of the key.
    pub(crate) fn without_values(&self) -> String {
        let (table, rowid, message) = (self.table, self.rowid, &self.message);
        format!("{table} row {rowid}: {message}")
    }

    /// Approximate size of its values in bytes.
    pub(crate) fn size(&self) -> usize {
        let values = self.values.iter().map(|(_, value)| match value {
            RawValue::Text(text) => text.len(),
            RawValue::MalformedText(bytes) | RawValue::Blob(bytes) => bytes.len(),
            RawValue::Null | RawValue::Integer(_) | RawValue::Real(_) => 0,
        });
        values.sum::<usize>() + 512
    }
}

impl fmt::Display for InvalidRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, rowid) = (self.table, self.rowid);
        let key = in_brackets(&self.key_text());
        write!(f, "{table} row {rowid}{key}: {}", self.message)
    }
}

/// The key columns with their shortened values.
pub(crate) fn key_text(schema: &KindSchema, values: &[(&str, RawValue)]) -> String {
    let of_key = |column| {
        let value = values.iter().find(|(name, _)| *name == column);
        value.map(|(name, value)| format!("{name} {value}"))
    };
    let shown: Vec<String> = schema.key_names().filter_map(of_key).collect();
    shown.join(", ")
}

/// What a scan visits at one position.
#[derive(Debug)]
pub enum Visited<'a> {
    /// An entry.
    Entry {
        /// As [`Entry::key`].
        key: &'a [u8],
        /// As [`Entry::value`]. Owned if large, so that it can be moved instead of copied.
        value: Cow<'a, [u8]>,
    },
    /// A row as the values of a record, which another thread converts to an entry.
    Row {
        /// As [`Entry::key`].
        key: &'a [u8],
        /// The values.
        values: &'a FieldValues<'a>,
    },
    /// An invalid row.
    Invalid(Box<InvalidRow>),
}

impl Visited<'_> {
    /// The key; an invalid row may have none.
    pub(crate) fn key(&self) -> Option<&[u8]> {
        match self {
            Visited::Entry { key, .. } | Visited::Row { key, .. } => Some(key),
            Visited::Invalid(row) => row.key.as_deref(),
        }
    }
}

impl<'a> From<Entry<'a>> for Visited<'a> {
    fn from(entry: Entry<'a>) -> Self {
        Visited::Entry { key: entry.key, value: Cow::Borrowed(entry.value) }
    }
}
