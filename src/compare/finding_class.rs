//! In which ways two stores can diverge.

use std::fmt;

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

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

/// The classes of divergence, in the order in which reports list them.
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
    /// The record's id stands for another symbol in the target of a merge.
    WrongSymbol,
    /// The manifest's count or digest is not the content's.
    Manifest,
    /// The id high-water marks differ.
    Sequence,
    /// `content_hash` is not the SHA-256 of `content`. A warning: the store holds what the tool
    /// wrote.
    ContentHash,
    /// In the graph of the database the id of a symbol's metrics stands for another symbol. A
    /// warning: the store holds what the tool wrote.
    Graph,
}

impl FindingClass {
    /// Every class, in the order in which reports list them.
    pub const ALL: [FindingClass; 13] = [
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
            FindingClass::ContentHash => "content-hash",
            FindingClass::Graph => "graph",
        }
    }

    /// Whether it is a warning, which alone makes no two stores diverge.
    pub const fn is_warning(self) -> bool {
        matches!(self, FindingClass::ContentHash | FindingClass::Graph)
    }

    /// Whether comparing two stores can find it. The rest is found by a merge.
    pub const fn is_of_comparison(self) -> bool {
        !matches!(self, FindingClass::WrongSymbol)
    }

    /// Whether it is about something in one store that no merge carries over as it is.
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
