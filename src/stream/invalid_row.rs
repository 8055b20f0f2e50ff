//! Rows that have no exact record.

use std::borrow::Cow;
use std::fmt;

use crate::codec::{Entry, quoted_short};
use crate::record::{Record, RecordKind};

/// Of a longer blob only the start is shown, so many bytes.
const SHOWN_BYTES: usize = 16;

/// Why a row has no exact record, as a code for programs. For people there is
/// [`InvalidRow::message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InvalidReason {
    /// NULL in a column that every record needs.
    Null,
    /// A value of another storage class than the column's: a blob, a real for an integer.
    StorageClass,
    /// Text that is no valid UTF-8, or in a UTF-16 database no valid UTF-16.
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
    /// A constraint of the target's table refuses it: a foreign key, a check, a column that is not
    /// there.
    Constraint,
    /// The id stands for another symbol in the target of a merge.
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

/// A value as SQLite stores it.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValue {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text that can be read.
    Text(String),
    /// Text whose stored bytes are no text.
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
    /// The value in short, as SQL or Rust writes it: control characters are escaped, long text and
    /// blobs are shortened.
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
                f.write_str(if shown.len() < bytes.len() {
                    "…'"
                } else {
                    "'"
                })
            }
        }
    }
}

/// A row that has no exact record. It displays as one line that names the row and what is wrong
/// with it: `code_chunks row 7 (file_path "a.rs", byte_start -5, byte_end 9): byte_start is -5, must
/// be 0 or more`.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidRow {
    /// The kind of record that the row's table holds.
    pub kind: RecordKind,
    /// The table.
    pub table: &'static str,
    /// The row id.
    pub rowid: i64,
    /// The column that is to blame: the first one, or the key's or id's first.
    pub column: &'static str,
    /// What is wrong with it, for programs.
    pub reason: InvalidReason,
    /// What is wrong with it, for people: a sentence without a full stop, such as `byte_start is -5,
    /// must be 0 or more`. It quotes no text of the row.
    pub message: String,
    /// The row's key, if it has one.
    pub key: Option<Vec<u8>>,
    /// The columns that make the key.
    pub key_columns: &'static [&'static str],
    /// Every column that a record knows, with its value as stored.
    pub values: Vec<(&'static str, RawValue)>,
}

impl InvalidRow {
    /// The columns of the key with their values in short, by which the row can be found; empty if
    /// the values are not known.
    pub(crate) fn key_text(&self) -> String {
        key_text(self.key_columns, &self.values)
    }

    /// As it displays, without the values of the key.
    pub(crate) fn without_values(&self) -> String {
        let (table, rowid, message) = (self.table, self.rowid, &self.message);
        format!("{table} row {rowid}: {message}")
    }

    /// About how many bytes its values take.
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

/// Columns of a row with their values in short.
pub(crate) fn key_text(columns: &[&str], values: &[(&str, RawValue)]) -> String {
    let of_key = |column: &&str| {
        let value = values.iter().find(|(name, _)| name == column);
        value.map(|(name, value)| format!("{name} {value}"))
    };
    let shown: Vec<String> = columns.iter().filter_map(of_key).collect();
    shown.join(", ")
}

/// A text behind a space and in brackets, or nothing.
fn in_brackets(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(" ({text})"),
    }
}

/// What a scan meets at one place of its order: an entry, or a row that has none.
pub type Visited<'a> = Result<VisitedEntry<'a>, Box<InvalidRow>>;

/// An entry, or the record that it is made of.
#[derive(Debug)]
pub struct VisitedEntry<'a> {
    /// As [`Entry::key`].
    pub key: &'a [u8],
    /// The value.
    pub value: VisitedValue<'a>,
}

/// The value of an entry.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are records, and a box for each costs more than to move it"
)]
pub enum VisitedValue<'a> {
    /// As [`Entry::value`]. A large one may be taken over, so that it is not there twice.
    Bytes(Cow<'a, [u8]>),
    /// The record whose canonical bytes are the value, which whoever takes it may write.
    Record(Record),
}

impl<'a> From<Entry<'a>> for VisitedEntry<'a> {
    fn from(entry: Entry<'a>) -> Self {
        VisitedEntry {
            key: entry.key,
            value: VisitedValue::Bytes(Cow::Borrowed(entry.value)),
        }
    }
}
