//! What a comparison finds.

use std::fmt;

use serde_json::Value;

use crate::record::RecordKind;
use crate::sqlite::{InvalidRow, Reason};

/// One of the two stores that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first store.
    Left,
    /// The second store.
    Right,
}

impl Side {
    /// `left` or `right`.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Left => "left",
            Side::Right => "right",
        }
    }
}

/// The classes of divergence, in the order in which reports list them.
///
/// ```
/// use chunkmigrate::compare::DivergenceClass;
///
/// for class in DivergenceClass::ALL {
///     println!("{class:14} {}", class.advice());
/// }
/// assert!(DivergenceClass::ContentHash.is_warning());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DivergenceClass {
    /// The record is on the left side only.
    OnlyLeft,
    /// The record is on the right side only.
    OnlyRight,
    /// Both sides have the record, and fields differ.
    Field,
    /// The value is no record.
    Undecodable,
    /// The value is a record, but not in its canonical bytes.
    Noncanonical,
    /// The record's own identity is not the key under which it stands.
    KeyMismatch,
    /// The key is of no known form.
    UnknownKey,
    /// A SQLite row has no exact record.
    InvalidRow,
    /// The manifest's count or digest is not the content's.
    Manifest,
    /// The id high-water marks differ.
    Sequence,
    /// `content_hash` is not the SHA-256 of `content`. A warning: the store holds what the tool
    /// wrote.
    ContentHash,
}

impl DivergenceClass {
    /// Every class, in the order in which reports list them.
    pub const ALL: [DivergenceClass; 11] = [
        DivergenceClass::OnlyLeft,
        DivergenceClass::OnlyRight,
        DivergenceClass::Field,
        DivergenceClass::Undecodable,
        DivergenceClass::Noncanonical,
        DivergenceClass::KeyMismatch,
        DivergenceClass::UnknownKey,
        DivergenceClass::InvalidRow,
        DivergenceClass::Manifest,
        DivergenceClass::Sequence,
        DivergenceClass::ContentHash,
    ];

    /// The name that reports use, such as `only-left`.
    pub const fn name(self) -> &'static str {
        match self {
            DivergenceClass::OnlyLeft => "only-left",
            DivergenceClass::OnlyRight => "only-right",
            DivergenceClass::Field => "field",
            DivergenceClass::Undecodable => "undecodable",
            DivergenceClass::Noncanonical => "noncanonical",
            DivergenceClass::KeyMismatch => "key-mismatch",
            DivergenceClass::UnknownKey => "unknown-key",
            DivergenceClass::InvalidRow => "invalid-row",
            DivergenceClass::Manifest => "manifest",
            DivergenceClass::Sequence => "sequence",
            DivergenceClass::ContentHash => "content-hash",
        }
    }

    /// Whether it is a warning, which alone makes no two stores diverge.
    pub const fn is_warning(self) -> bool {
        matches!(self, DivergenceClass::ContentHash)
    }

    /// What it means and what to do, in one line.
    pub const fn advice(self) -> &'static str {
        match self {
            DivergenceClass::OnlyLeft => {
                "the right store lacks the record; copy it again, or --merge it"
            }
            DivergenceClass::OnlyRight => {
                "the left store lacks the record; --merge it, unless it was added on the right since the copy"
            }
            DivergenceClass::Field => {
                "one side was changed since the copy; decide which is right and --merge it over the other"
            }
            DivergenceClass::Undecodable => {
                "something else wrote the value, or it is damaged; restore the record from the other store"
            }
            DivergenceClass::Noncanonical => {
                "the record is whole, but another program wrote it; copy it anew to have its canonical bytes"
            }
            DivergenceClass::KeyMismatch => {
                "something else wrote the record under another's key; restore both from the other store"
            }
            DivergenceClass::UnknownKey => {
                "no record of any kind has such a key; find out what else writes to the file"
            }
            DivergenceClass::InvalidRow => {
                "mend the row where it came from, or leave it behind with --on-invalid skip"
            }
            DivergenceClass::Manifest => {
                "something else changed the content after the migration; compare it with its source"
            }
            DivergenceClass::Sequence => {
                "ids that were once given may be given again; copy or --merge to carry the mark over"
            }
            DivergenceClass::ContentHash => {
                "the tool that indexed wrote another hash; the copy is exact, index the file again"
            }
        }
    }
}

impl fmt::Display for DivergenceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A field that two records do not share.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// Its value on the left.
    pub left: Value,
    /// Its value on the right.
    pub right: Value,
    /// For two strings: offset of the first byte that differs, which is the length of the shorter
    /// one where that is a prefix of the other.
    pub first_difference: Option<usize>,
}

/// A row that is no record, or a record that a table refuses, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowFacts {
    /// Its table.
    pub table: &'static str,
    /// Its row id; `None` for a record that would have been given one.
    pub rowid: Option<i64>,
    /// The column that is to blame.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// One divergence.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// What class of divergence it is.
    pub class: DivergenceClass,
    /// The kind of record, where it is about one.
    pub kind: Option<RecordKind>,
    /// The key, where there is one.
    pub key: Option<Vec<u8>>,
    /// The side that it is about, where it is about one.
    pub side: Option<Side>,
    /// The fields that differ; only for [`DivergenceClass::Field`].
    pub fields: Vec<FieldDifference>,
    /// The row; only for [`DivergenceClass::InvalidRow`].
    pub row: Option<RowFacts>,
    /// One sentence without a full stop.
    pub message: String,
}

impl Divergence {
    /// A divergence without key, side, fields and row.
    pub(crate) fn new(class: DivergenceClass, kind: Option<RecordKind>, message: String) -> Self {
        Divergence {
            class,
            kind,
            key: None,
            side: None,
            fields: Vec::new(),
            row: None,
            message,
        }
    }

    pub(crate) fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    pub(crate) fn of_key(mut self, key: &[u8]) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The record is on one side only; `instead` is a row of its key on the other side.
    pub(super) fn only(
        kind: RecordKind,
        side: Side,
        key: &[u8],
        instead: Option<&InvalidRow>,
    ) -> Self {
        let (class, other) = match side {
            Side::Left => (DivergenceClass::OnlyLeft, Side::Right),
            Side::Right => (DivergenceClass::OnlyRight, Side::Left),
        };
        let mut message = format!("the record is on the {} side only", side.name());
        if let Some(row) = instead {
            message.push_str(&format!(
                ": on the {} side {}",
                other.name(),
                describe_row(&RowFacts::of(row))
            ));
        }
        Divergence::new(class, Some(kind), message)
            .on(side)
            .of_key(key)
    }

    pub(super) fn fields(kind: RecordKind, key: &[u8], fields: Vec<FieldDifference>) -> Self {
        let names: Vec<&str> = fields.iter().map(|f| f.field.as_str()).collect();
        let message = format!("the records differ in {}", names.join(", "));
        Divergence {
            fields,
            ..Divergence::new(DivergenceClass::Field, Some(kind), message).of_key(key)
        }
    }

    /// A row that is no record.
    pub(crate) fn invalid_row(side: Side, row: &InvalidRow) -> Self {
        let facts = RowFacts::of(row);
        let message = describe_row(&facts);
        Divergence {
            key: row.key.clone(),
            row: Some(facts),
            ..Divergence::new(DivergenceClass::InvalidRow, Some(row.kind), message).on(side)
        }
    }

    /// A record that a table can't hold, of the left side.
    #[cfg(feature = "native-v2")]
    pub(crate) fn refused(kind: RecordKind, key: &[u8], row: RowFacts) -> Self {
        let RowFacts {
            table,
            column,
            reason,
            ..
        } = row;
        let message = format!("the table {table} can't hold the record: {reason} in {column}");
        Divergence {
            row: Some(row),
            ..Divergence::new(DivergenceClass::InvalidRow, Some(kind), message)
                .on(Side::Left)
                .of_key(key)
        }
    }
}

impl RowFacts {
    fn of(row: &InvalidRow) -> Self {
        RowFacts {
            table: row.table,
            rowid: Some(row.rowid),
            column: row.column,
            reason: row.reason,
        }
    }
}

fn describe_row(row: &RowFacts) -> String {
    let rowid = row.rowid.unwrap_or_default();
    format!(
        "row {rowid} of {} is no record: {} in {}",
        row.table, row.reason, row.column
    )
}
