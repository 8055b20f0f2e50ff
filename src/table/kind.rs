use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::record::RecordKind;

/// What a finding is about: a kind of records, or a carried table.
///
/// ```
/// use chunkmigrate::record::RecordKind;
/// use chunkmigrate::table::Kind;
///
/// assert_eq!(Kind::Record(RecordKind::FileMetrics).to_string(), "file-metrics");
/// assert_eq!(Kind::table("ast_nodes").to_string(), "table:ast_nodes");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// One of the four kinds of records.
    Record(RecordKind),
    /// The rows of the table with this name.
    Table(Arc<str>),
}

impl Kind {
    /// The rows of the table with this name.
    pub fn table(name: &str) -> Self {
        Kind::Table(name.into())
    }

    /// The kind of record; `None` for a carried table.
    pub const fn record(&self) -> Option<RecordKind> {
        match self {
            Kind::Record(kind) => Some(*kind),
            Kind::Table(_) => None,
        }
    }
}

impl From<RecordKind> for Kind {
    fn from(kind: RecordKind) -> Self {
        Kind::Record(kind)
    }
}

impl PartialEq<RecordKind> for Kind {
    fn eq(&self, other: &RecordKind) -> bool {
        self.record() == Some(*other)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Record(kind) => f.pad(kind.name()),
            Kind::Table(name) => f.pad(&format!("table:{name}")),
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
