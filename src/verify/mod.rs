//! Verification: compares two stores, checks the round trip of one store, and tests the verifier
//! itself.

mod built_in_sample;
mod findings;
mod inspect;
mod page_file;
mod report;
mod round_trip;
mod sample;
mod sample_file;
mod self_test;
mod two_stores;

pub use built_in_sample::verify_sample;
pub use inspect::{InspectOptions, Inspection, inspect};
pub use page_file::HtmlReportFile;
pub use report::{Leg, SelfTest, VerifyOptions, VerifyReport};
pub use round_trip::verify_round_trip;
pub use sample::{sample_records, sample_sequences};
pub use sample_file::{SampleFile, write_sample};
pub use two_stores::verify_pair;

pub use crate::codec::digest::KindTotals;
pub use crate::compare::{
    Comparison, Evidence, FieldDifference, Finding, FindingClass, FindingCounts, KindCounts, Newer,
    RowLocation, Side, SideEvidence, Values,
};
pub use crate::kv::manifest::{Manifest, ManifestSource};
pub use crate::stream::{InvalidReason, KindContent, StoreLabel};
