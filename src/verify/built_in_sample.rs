//! Round trip of the built-in sample, and self-test of the verifier.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::findings::Findings;
use super::report::{StoreLabel, VerifyOptions, VerifyReport};
use super::round_trip::RoundTrip;
use super::sample::{sample_records, sample_sequences};
use super::self_test::prove_classes;
use crate::codec::{decode_json, record_key};
use crate::compare::FindingClass;
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::kv::KvReader;
use crate::open::Candidate;
use crate::progress::Progress;
use crate::record::{Record, RecordKind};
use crate::sqlite::SourceOptions;
use crate::sqlite::{create_tables, insert_records, set_sequences};
use crate::stream::Source as _;

/// The result of verifying the built-in sample.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether the sample came back"]
pub struct SampleReport {
    /// The round trip of the sample.
    pub round_trip: VerifyReport,
    /// Number of sample records that the KV file contains unchanged.
    pub as_made: u64,
    /// Number of records in the sample.
    pub made: u64,
    /// The classes of findings that the self-test detected, after corrupting one record for each.
    pub proved: Vec<FindingClass>,
}

impl SampleReport {
    /// Whether every record survived the round trip and every kind of damage was detected.
    pub fn is_identical(&self) -> bool {
        self.round_trip.is_identical()
            && self.as_made == self.made
            && FindingClass::ALL
                .iter()
                .all(|class| self.proved.contains(class) == class.is_of_comparison())
    }
}

/// Creates a database of the built-in sample in a temporary directory and verifies its round trip.
/// Then corrupts one record for each class of finding and checks that the verifier detects exactly
/// that.
///
/// # Errors
/// A file can't be created or read, or the self-test failed. Divergences in the round trip are not
/// an error; they are in the report.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use chunkmigrate::verify::{VerifyOptions, verify_sample};
/// use chunkmigrate::{NoProgress, Progress};
///
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let report = verify_sample(&VerifyOptions::default(), &progress)?;
/// assert!(report.is_identical());
/// # Ok(())
/// # }
/// ```
pub fn verify_sample(
    options: &VerifyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<SampleReport> {
    let mut trip = RoundTrip::create(options, 0)?;
    let database = trip.path("sample.db");
    let records = sample_records();
    make_database(&database, &records).map_err(|source| Error::Sqlite {
        action: "create",
        path: database.clone(),
        source,
    })?;
    let mut source = Candidate::probe(&database)?.open(&SourceOptions::default(), progress)?;
    let findings = Findings::create(options, &[&database])?;
    let mut round_trip = trip.run(source.as_mut(), options, findings, progress)?;
    drop(source);
    if let Some(hop) = round_trip.hops.first_mut() {
        hop.left = StoreLabel::called("built-in sample", StoreKind::Sqlite);
    }
    let file = KvReader::open_verified(&trip.there())?;
    let as_made = match file.sequences()? == sample_sequences() {
        true => count_unchanged(&file, &records)?,
        false => 0,
    };
    Ok(SampleReport {
        round_trip,
        as_made,
        made: records.len() as u64,
        proved: prove_classes(&file, &trip.path("damaged"), &database, progress)?,
    })
}

fn make_database(path: &Path, records: &[Record]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    create_tables(&connection)?;
    let transaction = connection.transaction()?;
    insert_records(&transaction, records)?;
    set_sequences(&transaction, sample_sequences())?;
    transaction.commit()
}

/// The number of records that the file contains under their keys and that decode to the original.
fn count_unchanged(file: &KvReader, records: &[Record]) -> Result<u64> {
    let mut count = 0;
    for kind in RecordKind::ALL {
        file.visit_kind(kind, &mut |entry| {
            let decoded = decode_json(kind, entry.value)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let original = records
                .iter()
                .find(|original| record_key(original) == entry.key);
            count += u64::from(original == Some(&decoded));
            Ok(())
        })?;
    }
    Ok(count)
}
