//! The built-in sample, there and back, and the verifier under test.

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
use crate::open::{Candidate, OpenOptions};
use crate::progress::Progress;
use crate::record::{Record, RecordKind};
use crate::sqlite::{create_tables, insert_records, set_sequences};
use crate::stream::Source as _;

/// What came of the built-in sample.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether the sample came back"]
pub struct SampleReport {
    /// The round trip of the sample.
    pub round_trip: VerifyReport,
    /// Number of records of the sample that the KV file holds just as they were made.
    pub as_made: u64,
    /// Number of records that the sample has.
    pub made: u64,
    /// The classes of divergence that the verifier was shown, one damaged record for each, and
    /// found.
    pub proved: Vec<FindingClass>,
}

impl SampleReport {
    /// Whether every record came through exactly and every kind of damage was found.
    pub fn is_identical(&self) -> bool {
        self.round_trip.is_identical()
            && self.as_made == self.made
            && FindingClass::ALL
                .iter()
                .all(|class| self.proved.contains(class) == class.is_of_comparison())
    }
}

/// Makes a database of the built-in sample in a temporary folder and takes it round; then damages
/// one record for each class of divergence, and demands of the verifier to find just that.
///
/// # Errors
/// A file can't be made or read, or the verifier found something else. Divergences of the round
/// trip are no error but in the report.
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
    let mut source = Candidate::look(&database)?.open(&OpenOptions::default(), progress)?;
    let findings = Findings::create(options, &[&database])?;
    let mut round_trip = trip.run(source.as_mut(), options, findings, progress)?;
    drop(source);
    if let Some(hop) = round_trip.hops.first_mut() {
        hop.left = StoreLabel::called("built-in sample", StoreKind::Sqlite);
    }
    let file = KvReader::open_verified(&trip.there())?;
    let as_made = match file.sequences()? == sample_sequences() {
        true => count_as_made(&file, &records)?,
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

/// How many records stand in the file under their keys, decoded equal to what was made.
fn count_as_made(file: &KvReader, records: &[Record]) -> Result<u64> {
    let mut count = 0;
    for kind in RecordKind::ALL {
        file.visit_kind(kind, &mut |entry| {
            let decoded = decode_json(kind, entry.value)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let made = records.iter().find(|made| record_key(made) == entry.key);
            count += u64::from(made == Some(&decoded));
            Ok(())
        })?;
    }
    Ok(count)
}
