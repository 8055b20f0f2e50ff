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
