//! Numbers of findings by class and kind.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::finding::Finding;
use super::finding_class::FindingClass;
use crate::table::Kind;

/// Number of findings of each class and each kind of record.
///
/// ```
/// use chunkmigrate::verify::FindingCounts;
///
/// let counts = FindingCounts::default();
/// assert_eq!((counts.divergences(), counts.warnings()), (0, 0));
/// assert_eq!(counts.iter().count(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingCounts(BTreeMap<Cell, u64>);

/// A class and a kind; a finding without a kind comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    class: FindingClass,
    has_no_kind: bool,
    kind: Option<Kind>,
}

impl FindingCounts {
    /// Counts a finding.
    #[doc(hidden)]
    pub fn count(&mut self, class: FindingClass, kind: Option<&Kind>) {
        let cell = Cell { class, has_no_kind: kind.is_none(), kind: kind.cloned() };
        *self.0.entry(cell).or_default() += 1;
    }

    /// Adds the counts of another comparison.
    pub(crate) fn add(&mut self, other: &FindingCounts) {
        for (cell, more) in &other.0 {
            *self.0.entry(cell.clone()).or_default() += more;
        }
    }

    /// The counts without warnings.
    #[must_use]
    pub(crate) fn without_warnings(mut self) -> Self {
        self.0.retain(|cell, _| !cell.class.is_warning());
        self
    }

    /// All nonzero counts: class, kind and number, ordered by class and then by kind.
    pub fn iter(&self) -> impl Iterator<Item = (FindingClass, Option<&Kind>, u64)> + '_ {
        self.0.iter().map(|(cell, count)| (cell.class, cell.kind.as_ref(), *count))
    }

    /// Number of divergences, excluding warnings.
    pub fn divergences(&self) -> u64 {
        self.sum(false)
    }

    /// Number of warnings.
    pub fn warnings(&self) -> u64 {
        self.sum(true)
    }

    /// Number of divergences and warnings.
    pub fn total(&self) -> u64 {
        self.divergences() + self.warnings()
    }

    fn sum(&self, warnings: bool) -> u64 {
        let counts = self.iter().filter(|(class, ..)| class.is_warning() == warnings);
        counts.map(|(.., count)| count).sum()
    }
}

/// As JSON, a list of the nonzero counts.
impl Serialize for FindingCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Count<'k> {
            class: FindingClass,
            kind: Option<&'k Kind>,
            warning: bool,
            count: u64,
        }
        serializer.collect_seq(self.iter().map(|(class, kind, count)| Count {
            class,
            kind,
            warning: class.is_warning(),
            count,
        }))
    }
}

/// Writes the first findings, and the numbers of all of them.
pub(crate) fn serialize_findings<S: SerializeStruct>(
    json: &mut S,
    findings: &[Cow<'_, Finding>],
    counts: &FindingCounts,
) -> Result<(), S::Error> {
    json.serialize_field("findings", findings)?;
    json.serialize_field("truncated", &(counts.total() > findings.len() as u64))?;
    json.serialize_field("findings_total", &counts.total())?;
    json.serialize_field("divergences_total", &counts.divergences())?;
    json.serialize_field("warnings_total", &counts.warnings())?;
    json.serialize_field("counts", counts)
}
