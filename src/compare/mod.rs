//! Merge-join of two streams of entries in key order. Reads streams and reports findings; writes
//! nothing.

mod compare_stores;
mod counts;
mod entry_check;
mod evidence;
mod fields;
mod finding;
mod finding_class;
mod finding_counts;
mod finding_log;
mod join;
mod manifest_check;
mod metadata;
mod metered;
mod tables;
#[cfg(test)]
mod tests;
mod values;

pub use compare_stores::{CompareOptions, Comparison, compare_stores};
pub use counts::KindCounts;
pub(crate) use entry_check::EntryCheck;
pub use evidence::{Newer, SideEvidence};
pub use finding::{FieldDifference, Finding, RowLocation};
pub use finding_class::{FindingClass, Side};
pub use finding_counts::FindingCounts;
pub(crate) use finding_counts::serialize_findings;
pub(crate) use finding_log::{FindingLog, Room};
pub use join::compare_kind;
pub(crate) use manifest_check::ManifestCheck;
pub use tables::TableComparison;
pub(crate) use tables::{RowCheck, is_sound_batch};
pub use values::Values;
