//! Merge-join of two streams of entries in key order. Pure: it reads, counts and tells.

mod beside;
mod claims;
mod class;
mod counts;
mod divergence;
mod evidence;
mod fields;
mod finding_counts;
#[cfg(feature = "native-v2")]
mod finding_log;
mod join;
mod judge;
mod stores;
#[cfg(test)]
mod tests;
#[cfg(feature = "native-v2")]
mod values;
mod watched;

#[cfg(feature = "native-v2")]
pub(crate) use claims::ClaimCheck;
pub use class::{DivergenceClass, Side};
pub use counts::KindCounts;
pub use divergence::{Divergence, FieldDifference, RowFacts};
pub use evidence::{Evidence, Newer, SideEvidence};
pub use finding_counts::FindingCounts;
#[cfg(feature = "native-v2")]
pub(crate) use finding_log::{FindingLog, Room};
pub use join::compare_kind;
#[cfg(feature = "native-v2")]
pub(crate) use judge::Judged;
pub use stores::{CompareOptions, Comparison, compare_stores};
#[cfg(feature = "native-v2")]
pub use values::Values;
