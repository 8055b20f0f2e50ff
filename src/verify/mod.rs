//! Verification: compares two stores, checks the round trip of one store, and tests the verifier
//! itself.

pub(crate) mod built_in_sample;
mod findings;
mod inspect;
pub(crate) mod page_file;
pub(crate) mod report;
mod round_trip;
pub(crate) mod sample;
pub(crate) mod sample_file;
mod self_test;
mod two_stores;

pub use inspect::{InspectOptions, Inspection, inspect};
pub use report::{VerifyOptions, VerifyReport};
pub use round_trip::verify_round_trip;
pub use two_stores::verify_pair;

pub use crate::codec::digest::{Digest, KindTotals};
pub use crate::compare::{
    Comparison, FieldDifference, Finding, FindingClass, FindingCounts, KindCounts, RowLocation,
    Side, TableComparison, Values,
};
pub use crate::kv::manifest::{Manifest, ManifestSource};
pub use crate::stream::{InvalidReason, KindContent, StoreLabel};
