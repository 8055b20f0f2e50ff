//! Random records with random corruption: the verifier finds exactly that, whatever store contains
//! the records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chunkmigrate::Progress;
use chunkmigrate::internal::{parse_key, record_key};
use chunkmigrate::record::{IdSequences, Record, RecordKind};
use chunkmigrate::verify::{FindingClass, Side};
use chunkmigrate::verify::{VerifyOptions, VerifyReport, verify_pair};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use test_support::kv_file::Content;
use test_support::records::other_time;

use crate::common::{Scenario, records};

/// A change to a record on the right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Corruption {
    Remove,
    Add,
    Time,
    Cut,
    Space,
    Swap,
    Stray,
}

fn corruption() -> impl Strategy<Value = Corruption> {
    prop::sample::select(vec![
        Corruption::Remove,
        Corruption::Add,
        Corruption::Time,
        Corruption::Cut,
        Corruption::Space,
        Corruption::Swap,
        Corruption::Stray,
    ])
}

fn verify(left: &Path, right: &Path) -> VerifyReport {
    let options = VerifyOptions::default().limit(usize::MAX);
    let progress = Progress::none();
    verify_pair(left, right, &options, &progress).unwrap()
}

type Found = BTreeSet<(FindingClass, Option<Vec<u8>>, Option<Side>)>;

fn found(report: &VerifyReport) -> Found {
    let findings = report.findings.iter().filter(|f| !f.class.is_warning());
    findings
        .filter(|f| f.class != FindingClass::Sequence)
        .map(|f| (f.class, f.key.clone(), f.side))
        .collect()
}

type Corrupted = Vec<(Record, Option<Corruption>)>;

fn corruptions_are_found(made: Corrupted, left_is_database: bool) -> TestCaseResult {
    let all = records::distinct(made.iter().map(|(record, _)| record.clone()).collect());
    let mut corruptions: BTreeMap<Vec<u8>, Corruption> = BTreeMap::new();
    for (record, corruption) in &made {
        if let Some(corruption) = corruption {
            corruptions.insert(record_key(record), *corruption);
        }
    }
    let scenario = Scenario::new();
    let (left, right) = (scenario.path("left"), scenario.path("right"));
    let added: BTreeSet<Vec<u8>> = corruptions
        .iter()
        .filter(|(_, corruption)| **corruption == Corruption::Add)
        .map(|(key, _)| key.clone())
        .collect();
    let on_left: Vec<Record> =
        all.iter().filter(|r| !added.contains(&record_key(r))).cloned().collect();
    match left_is_database {
        true => records::write_database(&left, &on_left, IdSequences::default()),
        false => Content::of_records(&on_left).write(&left),
    }

    let mut content = Content::of_records(&all);
    let mut expected = Found::new();
    let right_side = Some(Side::Right);
    for (index, record) in all.iter().enumerate() {
        let key = record_key(record);
        let some_key = Some(key.clone());
        match corruptions.get(&key) {
            None => {}
            Some(Corruption::Add) => {
                expected.insert((FindingClass::OnlyRight, some_key, right_side));
            }
            Some(Corruption::Remove) => {
                content.records.remove(&key);
                expected.insert((FindingClass::OnlyLeft, some_key, Some(Side::Left)));
            }
            Some(Corruption::Time) => {
                let value = other_time(record).to_json().unwrap();
                content.records.insert(key, value);
                expected.insert((FindingClass::Field, some_key, None));
            }
            Some(Corruption::Cut) => {
                content.records.get_mut(&key).unwrap().pop();
                expected.insert((FindingClass::Undecodable, some_key, right_side));
            }
            Some(Corruption::Space) => {
                content.records.get_mut(&key).unwrap().insert(1, b' ');
                expected.insert((FindingClass::Noncanonical, some_key, right_side));
            }
            Some(Corruption::Swap) => {
                let of_kind = all.iter().filter(|r| r.kind() == record.kind());
                if let Some(other) = of_kind.rev().find(|r| record_key(r) != key) {
                    content.records.insert(key, other.to_json().unwrap());
                    expected.insert((FindingClass::KeyMismatch, some_key, right_side));
                }
            }
            Some(Corruption::Stray) => {
                let stray = format!("metrics:symbol:0{index}").into_bytes();
                content.records.insert(stray.clone(), b"{}".to_vec());
                expected.insert((FindingClass::UnknownKey, Some(stray), right_side));
            }
        }
    }
    content.write(&right);

    let report = verify(&left, &right);
    prop_assert_eq!(found(&report), expected.clone());
    let reported = report.findings.iter().filter(|f| !f.class.is_warning()).count();
    prop_assert_eq!(reported as u64, report.divergences());
    let mut own = expected.is_empty();
    let comparison = &report.legs[0];
    for kind in RecordKind::ALL {
        let counts = comparison.kinds.get(kind);
        prop_assert!(counts.is_consistent());
        let of_kind =
            |records: &[Record]| records.iter().filter(|r| r.kind() == kind).count() as u64;
        prop_assert_eq!(counts.left, of_kind(&on_left));
        let keys = content.records.keys().filter_map(|key| parse_key(key).ok());
        prop_assert_eq!(counts.right, keys.filter(|key| key.kind() == kind).count() as u64);
        own &= counts.identical();
    }
    if !left_is_database {
        prop_assert_eq!(report.is_identical(), own);
    }
    Ok(())
}

/// The same results, whichever side and store has the change.
fn answers_are_the_same(left: Vec<Record>, right: Vec<Record>) -> TestCaseResult {
    let shared: Vec<Record> = left.iter().take(4).map(other_time).collect();
    let left = records::distinct(left);
    let right = records::distinct([shared, right].concat());
    let scenario = Scenario::new();
    for (name, records) in [("left", &left), ("right", &right)] {
        records::write_database(
            &scenario.path(&format!("{name}.db")),
            records,
            IdSequences::default(),
        );
        Content::of_records(records).write(&scenario.path(&format!("{name}.kv")));
    }
    let mut answers = Vec::new();
    for (a, b) in [("db", "db"), ("db", "kv"), ("kv", "db"), ("kv", "kv")] {
        let (a, b) = (scenario.path(&format!("left.{a}")), scenario.path(&format!("right.{b}")));
        let report = verify(&a, &b);
        let swapped = verify(&b, &a);
        prop_assert_eq!(found(&report).len(), found(&swapped).len());
        answers.push((found(&report), report.legs[0].kinds));
    }
    prop_assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    Ok(())
}

fn corrupted() -> impl Strategy<Value = Corrupted> {
    let corrupted = (records::record(), prop::option::weighted(0.4, corruption()));
    prop::collection::vec(corrupted, 0..25)
}

fn some() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(records::record(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn exactly_the_changed_records_of_kv_files_are_found(
        made in corrupted(),
        left_is_database in any::<bool>(),
    ) {
        corruptions_are_found(made, left_is_database)?;
    }

    #[test]
    fn sides_and_stores_make_no_difference(left in some(), right in some()) {
        answers_are_the_same(left, right)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    #[ignore = "deep: 200 pairs of stores"]
    fn exactly_the_changed_records_of_many_kv_files_are_found(
        made in corrupted(),
        left_is_database in any::<bool>(),
    ) {
        corruptions_are_found(made, left_is_database)?;
    }

    #[test]
    #[ignore = "deep: 200 pairs of stores"]
    fn sides_and_stores_make_no_difference_over_many_pairs(left in some(), right in some()) {
        answers_are_the_same(left, right)?;
    }
}
