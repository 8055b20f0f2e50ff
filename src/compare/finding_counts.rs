//! Numbers of findings by class and kind.

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::finding::Finding;
use super::finding_class::FindingClass;
use crate::record::RecordKind;

/// Number of record kinds, plus one for findings without a kind.
const KINDS: usize = RecordKind::ALL.len() + 1;

/// Number of findings of each class and each kind of record.
///
/// ```
/// use chunkmigrate::verify::FindingCounts;
///
/// let counts = FindingCounts::default();
/// assert_eq!((counts.divergences(), counts.warnings()), (0, 0));
/// assert_eq!(counts.iter().count(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FindingCounts([[u64; KINDS]; FindingClass::ALL.len()]);

impl FindingCounts {
    /// Counts a finding of a class, with or without a kind of record.
    #[doc(hidden)]
    pub fn count(&mut self, class: FindingClass, kind: Option<RecordKind>) {
        let cell =
            self.cells_mut().find(|(_, of_class, of_kind)| (*of_class, *of_kind) == (class, kind));
        if let Some((count, ..)) = cell {
            *count += 1;
        }
    }

    /// Adds the counts of another comparison.
    pub(crate) fn add(&mut self, other: &FindingCounts) {
        let others = other.0.as_flattened().iter();
        for (count, more) in self.0.as_flattened_mut().iter_mut().zip(others) {
            *count += more;
        }
    }

    /// The counts without warnings.
    #[must_use]
    pub(crate) fn without_warnings(mut self) -> Self {
        for (count, class, _) in self.cells_mut() {
            if class.is_warning() {
                *count = 0;
            }
        }
        self
    }

    /// All nonzero counts: class, kind and number, ordered by class and then by kind.
    pub fn iter(&self) -> impl Iterator<Item = (FindingClass, Option<RecordKind>, u64)> + '_ {
        let rows = FindingClass::ALL.into_iter().zip(&self.0);
        let cells = rows.flat_map(|(class, counts)| {
            kinds().zip(counts).map(move |(kind, count)| (class, kind, *count))
        });
        cells.filter(|(.., count)| *count > 0)
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

    fn cells_mut(&mut self) -> impl Iterator<Item = (&mut u64, FindingClass, Option<RecordKind>)> {
        let rows = FindingClass::ALL.into_iter().zip(&mut self.0);
        rows.flat_map(|(class, counts)| {
            counts.iter_mut().zip(kinds()).map(move |(count, kind)| (count, class, kind))
        })
    }
}

/// As JSON, a list of the nonzero counts.
impl Serialize for FindingCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Count {
            class: FindingClass,
            kind: Option<RecordKind>,
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

/// The columns: each kind, and one for findings without a kind.
fn kinds() -> impl Iterator<Item = Option<RecordKind>> {
    RecordKind::ALL.into_iter().map(Some).chain([None])
}
