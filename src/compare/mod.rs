//! Merge-join of two streams of entries in key order. Pure: it reads, counts and tells.

mod beside;
mod claims;
mod class;
mod counts;
mod divergence;
mod evidence;
mod fields;
mod finding_counts;
mod finding_log;
mod join;
mod judge;
mod stores;
#[cfg(test)]
mod tests;
mod values;
mod watched;

pub(crate) use claims::ClaimCheck;
pub use class::{DivergenceClass, Side};
pub use counts::KindCounts;
pub use divergence::{Divergence, FieldDifference, RowFacts};
pub use evidence::{Evidence, Newer, SideEvidence};
pub use finding_counts::FindingCounts;
pub(crate) use finding_log::{FindingLog, Room};
pub use join::compare_kind;
pub(crate) use judge::Judged;
pub use stores::{CompareOptions, Comparison, compare_stores};
pub use values::Values;
