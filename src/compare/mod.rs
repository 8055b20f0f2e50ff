//! Merge-join of two streams of entries in key order. Pure: it reads, counts and tells.

mod beside;
mod claims;
mod class;
mod counts;
mod divergence;
mod evidence;
mod fields;
mod join;
mod judge;
mod stores;
mod watched;

#[cfg(feature = "native-v2")]
pub(crate) use claims::ClaimCheck;
pub use class::{DivergenceClass, Side};
pub use counts::KindCounts;
pub use divergence::{Divergence, FieldDifference, RowFacts};
pub use evidence::{Evidence, Newer, SideEvidence};
pub use join::compare_kind;
#[cfg(feature = "native-v2")]
pub(crate) use judge::Judged;
pub use stores::{CompareOptions, Comparison, compare_stores};
