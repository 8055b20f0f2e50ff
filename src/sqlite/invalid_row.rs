//! Rows that have no exact record.

use std::borrow::Cow;

use std::fmt;

use crate::codec::Entry;
use crate::record::{Record, RecordKind};

/// Why a row has no exact record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
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
}

impl Reason {
    /// The name that reports use, such as `storage-class`.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Null => "null",
            Reason::StorageClass => "storage-class",
            Reason::NotUtf8 => "not-utf8",
            Reason::Range => "range",
            Reason::NotFinite => "not-finite",
            Reason::DuplicateKey => "duplicate-key",
            Reason::DuplicateId => "duplicate-id",
            Reason::TooLarge => "too-large",
            Reason::Constraint => "constraint",
        }
    }
}

impl fmt::Display for Reason {
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

/// A row that has no exact record.
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
    /// What is wrong with it.
    pub reason: Reason,
    /// The row's key, if it has one.
    pub key: Option<Vec<u8>>,
    /// The columns that make the key.
    pub key_columns: &'static [&'static str],
    /// Every column that a record knows, with its value as stored.
    pub values: Vec<(&'static str, RawValue)>,
}

impl InvalidRow {
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
