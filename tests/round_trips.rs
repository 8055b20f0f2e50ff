//! Round trips, exact by storage class and bytes.

use chunkmigrate::Progress;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::record::Record;
use chunkmigrate::verify::{VerifyOptions, verify_round_trip};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use test_support::kv_file::Content;

use crate::common::{Scenario, records, rows};

fn database_survives(made: Vec<Record>, above: i64) -> TestCaseResult {
    let made = records::distinct(made);
    let scenario = Scenario::new();
    let [db, there, back] = ["a.db", "a.kv", "b.db"].map(|name| scenario.path(name));
    records::write_database(&db, &made, records::id_sequences_above(&made, above));
    let options = CopyOptions::default();
    let progress = Progress::none();
    let to = sqlite_to_kv(&db, &there, &options, &progress).unwrap();
    let from = kv_to_sqlite(&there, &back, &options, &progress).unwrap();
    prop_assert!(to.is_complete() && from.is_complete() && from.is_verified());
    prop_assert_eq!(to.sha256(), from.sha256());
    prop_assert_eq!(rows::of_database(&db), rows::of_database(&back));
    let report = verify_round_trip(&db, &VerifyOptions::default(), &progress).unwrap();
    prop_assert!(report.is_identical());
    prop_assert_eq!(report.equal(), made.len() as u64);
    Ok(())
}

fn kv_file_survives(made: Vec<Record>, above: i64) -> TestCaseResult {
    let made = records::distinct(made);
    let scenario = Scenario::new();
    let [kv, there, back] = ["a.kv", "a.db", "b.kv"].map(|name| scenario.path(name));
    let mut content = Content::of_records(&made);
    let sequences = serde_json::to_string(&records::id_sequences_above(&made, above)).unwrap();
    content.set_document("sequences", sequences);
    content.write(&kv);
    let options = CopyOptions::default();
    let progress = Progress::none();
    let to = kv_to_sqlite(&kv, &there, &options, &progress).unwrap();
    let from = sqlite_to_kv(&there, &back, &options, &progress).unwrap();
    prop_assert!(to.is_complete() && from.is_complete() && from.is_verified());
    let returned = Content::read(&back).without_manifest();
    prop_assert_eq!(returned.records, content.records);
    prop_assert_eq!(returned.documents, content.documents);
    Ok(())
}

fn made() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(records::record(), 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_database_survives_a_round_trip_unchanged(made in made(), above in 0..3i64) {
        database_survives(made, above)?;
    }

    #[test]
    fn a_kv_file_survives_a_round_trip_unchanged(made in made(), above in 0..3i64) {
        kv_file_survives(made, above)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    #[ignore = "deep: 100 databases"]
    fn many_databases_survive_a_round_trip_unchanged(made in made(), above in 0..3i64) {
        database_survives(made, above)?;
    }

    #[test]
    #[ignore = "deep: 100 KV files"]
    fn many_kv_files_survive_a_round_trip_unchanged(made in made(), above in 0..3i64) {
        kv_file_survives(made, above)?;
    }
}
