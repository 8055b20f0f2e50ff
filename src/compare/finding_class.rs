//! The classes of findings when comparing two stores.

use std::fmt;

use serde::{Serialize, Serializer};

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

    /// The opposite side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

/// The classes of findings, in the order in which reports list them.
///
/// ```
/// use chunkmigrate::verify::FindingClass;
///
/// for class in FindingClass::ALL {
///     println!("{class:14} {}", class.is_warning());
/// }
/// assert!(FindingClass::ContentHash.is_warning());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingClass {
    /// The record exists on the left side only.
    OnlyLeft,
    /// The record exists on the right side only.
    OnlyRight,
    /// Both sides have the record, but fields differ.
    Field,
    /// The value is not a valid record.
    Undecodable,
    /// The value is a valid record, but not in canonical form.
    Noncanonical,
    /// The record is stored under the wrong key.
    KeyMismatch,
    /// The key has an unknown form.
    UnknownKey,
    /// A SQLite row cannot be represented exactly as a record.
    InvalidRow,
    /// The record's id belongs to a different symbol in the target of a merge.
    WrongSymbol,
    /// The manifest's count or digest doesn't match the content.
    Manifest,
    /// The id sequences differ.
    Sequence,
    /// A table, a column or another object of the schema is on one side only or differs, or can't
    /// be created in the target.
    Schema,
    /// `content_hash` is not the SHA-256 of `content`. A warning: the copy is exact, the tool wrote
    /// a wrong hash.
    ContentHash,
    /// In the database's graph, the id of a symbol's metrics belongs to a different symbol. A
    /// warning: the copy is exact, the tool wrote a wrong id.
    Graph,
}

impl FindingClass {
    /// Every class, in the order in which reports list them.
    pub const ALL: [FindingClass; 14] = [
        FindingClass::OnlyLeft,
        FindingClass::OnlyRight,
        FindingClass::Field,
        FindingClass::Undecodable,
        FindingClass::Noncanonical,
        FindingClass::KeyMismatch,
        FindingClass::UnknownKey,
        FindingClass::InvalidRow,
        FindingClass::WrongSymbol,
        FindingClass::Manifest,
        FindingClass::Sequence,
        FindingClass::Schema,
        FindingClass::ContentHash,
        FindingClass::Graph,
    ];

    /// The name that reports use, such as `only-left`.
    pub const fn name(self) -> &'static str {
        match self {
            FindingClass::OnlyLeft => "only-left",
            FindingClass::OnlyRight => "only-right",
            FindingClass::Field => "field",
            FindingClass::Undecodable => "undecodable",
            FindingClass::Noncanonical => "noncanonical",
            FindingClass::KeyMismatch => "key-mismatch",
            FindingClass::UnknownKey => "unknown-key",
            FindingClass::InvalidRow => "invalid-row",
            FindingClass::WrongSymbol => "wrong-symbol",
            FindingClass::Manifest => "manifest",
            FindingClass::Sequence => "sequence",
            FindingClass::Schema => "schema",
            FindingClass::ContentHash => "content-hash",
            FindingClass::Graph => "graph",
        }
    }

    /// Whether it is a warning. Warnings alone don't make two stores diverge.
    pub const fn is_warning(self) -> bool {
        matches!(self, FindingClass::ContentHash | FindingClass::Graph)
    }

    /// Whether a comparison of two stores can find it. The others are found by a merge.
    pub const fn is_of_comparison(self) -> bool {
        !matches!(self, FindingClass::WrongSymbol)
    }

    /// Whether it concerns something in one store that a merge doesn't carry over unchanged.
    pub(super) const fn is_fault(self) -> bool {
        match self {
            FindingClass::Undecodable
            | FindingClass::Noncanonical
            | FindingClass::KeyMismatch
            | FindingClass::UnknownKey
            | FindingClass::InvalidRow
            | FindingClass::Manifest => true,
            FindingClass::OnlyLeft
            | FindingClass::OnlyRight
            | FindingClass::Field
            | FindingClass::WrongSymbol
            | FindingClass::Sequence
            | FindingClass::Schema
            | FindingClass::ContentHash
            | FindingClass::Graph => false,
        }
    }
}

impl fmt::Display for FindingClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for FindingClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Side {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
