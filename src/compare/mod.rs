//! Merge-join of two streams of entries in key order. Pure: it reads, counts and tells.

mod claims;
mod counts;
mod divergence;
mod fields;
mod join;
mod judge;
mod stores;

#[cfg(feature = "native-v2")]
pub(crate) use claims::ClaimCheck;
pub use counts::KindCounts;
pub use divergence::{Divergence, DivergenceClass, FieldDifference, RowFacts, Side};
pub use join::compare_kind;
#[cfg(feature = "native-v2")]
pub(crate) use judge::Judged;
pub use stores::{CompareOptions, Comparison, compare_stores};
