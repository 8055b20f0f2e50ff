//! What a comparison finds.

use std::fmt;

use serde_json::Value;

use crate::record::RecordKind;
use crate::sqlite::InvalidRow;

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

/// The kinds of divergence between two records.
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
    /// A SQLite row has no exact record.
    InvalidRow,
}

impl DivergenceClass {
    /// The name that reports use, such as `only-left`.
    pub const fn name(self) -> &'static str {
        match self {
            DivergenceClass::OnlyLeft => "only-left",
            DivergenceClass::OnlyRight => "only-right",
            DivergenceClass::Field => "field",
            DivergenceClass::Undecodable => "undecodable",
            DivergenceClass::Noncanonical => "noncanonical",
            DivergenceClass::KeyMismatch => "key-mismatch",
            DivergenceClass::InvalidRow => "invalid-row",
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

/// One divergence.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// What kind of divergence it is.
    pub class: DivergenceClass,
    /// The kind of record.
    pub kind: RecordKind,
    /// The key, where there is one.
    pub key: Option<Vec<u8>>,
    /// The side that it is about, where it is about one.
    pub side: Option<Side>,
    /// The fields that differ; only for [`DivergenceClass::Field`].
    pub fields: Vec<FieldDifference>,
    /// One sentence without a full stop.
    pub message: String,
}

impl Divergence {
    pub(super) fn only(kind: RecordKind, side: Side, key: &[u8]) -> Self {
        let class = match side {
            Side::Left => DivergenceClass::OnlyLeft,
            Side::Right => DivergenceClass::OnlyRight,
        };
        let message = format!("the record is on the {} side only", side.name());
        Divergence::fault(class, kind, side, key, &message)
    }

    pub(super) fn fault(
        class: DivergenceClass,
        kind: RecordKind,
        side: Side,
        key: &[u8],
        message: &str,
    ) -> Self {
        Divergence {
            class,
            kind,
            key: Some(key.to_owned()),
            side: Some(side),
            fields: Vec::new(),
            message: message.to_owned(),
        }
    }

    pub(super) fn fields(kind: RecordKind, key: &[u8], fields: Vec<FieldDifference>) -> Self {
        let names: Vec<&str> = fields.iter().map(|f| f.field.as_str()).collect();
        Divergence {
            class: DivergenceClass::Field,
            kind,
            key: Some(key.to_owned()),
            side: None,
            message: format!("the records differ in {}", names.join(", ")),
            fields,
        }
    }

    pub(super) fn invalid_row(side: Side, row: &InvalidRow) -> Self {
        Divergence {
            class: DivergenceClass::InvalidRow,
            kind: row.kind,
            key: row.key.clone(),
            side: Some(side),
            fields: Vec::new(),
            message: format!(
                "row {} of {} is no record: {} in {}",
                row.rowid, row.table, row.reason, row.column
            ),
        }
    }
}

/// How the items of one kind compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindCounts {
    /// Rows or keys on the left.
    pub left: u64,
    /// Rows or keys on the right.
    pub right: u64,
    /// Records that are the same on both sides.
    pub equal: u64,
    /// Records on the left side only.
    pub only_left: u64,
    /// Records on the right side only.
    pub only_right: u64,
    /// Records on both sides that differ or whose values are faulty.
    pub differing: u64,
    /// Rows on the left that are no records.
    pub invalid_left: u64,
    /// Rows on the right that are no records.
    pub invalid_right: u64,
}

impl KindCounts {
    /// Whether each item of either side was counted exactly once.
    pub const fn balances(&self) -> bool {
        let both = self.equal + self.differing;
        self.left == both + self.only_left + self.invalid_left
            && self.right == both + self.only_right + self.invalid_right
    }

    /// Whether every item is a record that the other side has too, the same.
    pub const fn identical(&self) -> bool {
        self.left == self.equal && self.right == self.equal
    }
}
