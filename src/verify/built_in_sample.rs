//! Round trip of the built-in sample, and self-test of the verifier.

use std::path::Path;

use rusqlite::Connection;

use super::findings::Findings;
use super::report::{SelfTest, VerifyOptions, VerifyReport};
use super::round_trip::RoundTrip;
use super::sample::{sample_records, sample_sequences};
use super::self_test::test_detection;
use crate::codec::{decode_json, record_key};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::kv::KvReader;
use crate::open::Candidate;
use crate::progress::Progress;
use crate::record::{Record, RecordKind};
use crate::sqlite::SourceOptions;
use crate::sqlite::{create_tables, insert_records, set_sequences};
use crate::stream::{Source as _, StoreLabel};

/// Creates a database of the built-in sample in a temporary directory and verifies its round trip.
/// Then corrupts one record for each class of finding and checks that the verifier detects exactly
/// that.
///
/// # Errors
/// A file can't be created or read, or the self-test failed. Divergences in the round trip are not
/// an error; they are in the report.
pub fn verify_sample(options: &VerifyOptions, progress: &Progress) -> Result<VerifyReport> {
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
    let mut report = trip.run(source.as_mut(), options, findings, progress)?;
    drop(source);
    if let Some(leg) = report.legs.first_mut() {
        leg.left = StoreLabel::new("built-in sample", StoreKind::Sqlite);
    }
    let file = KvReader::open_verified(&trip.there())?;
    let intact = match file.sequences()? == sample_sequences() {
        true => count_unchanged(&file, &records)?,
        false => 0,
    };
    report.self_test = Some(SelfTest {
        total: records.len() as u64,
        intact,
        detected_classes: test_detection(&file, &trip.path("damaged"), &database, progress)?,
    });
    Ok(report)
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
            let original = records.iter().find(|original| record_key(original) == entry.key);
            count += u64::from(original == Some(&decoded));
            Ok(())
        })?;
    }
    Ok(count)
}
