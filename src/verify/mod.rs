//! Proof on the spot: the built-in sample goes from SQLite into a KV file and is compared record
//! by record.

mod round_trip;
mod sample;

pub use round_trip::{SampleReport, verify_sample};
pub use sample::{sample_records, sample_sequences};
