//! Proof: two stores are compared, one goes round and comes back, and the verifier itself is put to
//! the test.

mod document;
mod findings;
mod inspect;
mod page_file;
mod pair;
mod report;
mod round_trip;
mod sample;
mod sample_file;
mod sample_run;
mod self_test;

pub use document::FindingDocument;
pub use inspect::{Inspection, inspect};
pub use page_file::PageFile;
pub use pair::verify_pair;
pub use report::{Hop, StoreName, VerifyOptions, VerifyReport};
pub use round_trip::verify_round_trip;
pub use sample::{sample_records, sample_sequences};
pub use sample_file::{SampleFile, write_sample};
pub use sample_run::{SampleReport, verify_sample};

pub use crate::codec::digest::KindTotals;
pub use crate::compare::{
    Comparison, Divergence, DivergenceClass, Evidence, FieldDifference, FindingCounts, KindCounts,
    Newer, RowFacts, Side, SideEvidence, Values,
};
pub use crate::kv::manifest::{Manifest, ManifestSource};
pub use crate::stream::{KindContent, Reason};
