//! KV files with a changed byte or a missing end: what can't be read is never "identical" and never
//! the end of the data.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use chunkmigrate::Progress;
use chunkmigrate::internal::KvReader;
use chunkmigrate::verify::{VerifyOptions, verify_pair};
use fastrand::Rng;
use test_support::kv_file::Content;

use crate::common::{Scenario, tables};

fn is_identical(left: &Path, right: &Path) -> Option<bool> {
    let progress = Progress::none();
    let report = verify_pair(left, right, &VerifyOptions::default(), &progress);
    report.ok().map(|report| report.is_identical())
}

/// What the verified open returns, entry by entry.
fn entries(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut entries = BTreeMap::new();
    KvReader::open_verified(path)
        .unwrap()
        .visit_all(&mut |entry| {
            entries.insert(entry.key.to_vec(), entry.value.to_vec());
            Ok(())
        })
        .unwrap();
    entries
}

/// Corrupts a file in many ways and counts the results: identical, diverged, error.
fn outcomes(
    fill: &str,
    tries: usize,
    corrupt: impl Fn(&mut Vec<u8>, &mut Rng) -> bool,
) -> [usize; 3] {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(tables::SMALL).unwrap();
        db.execute_batch(fill).unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "good.kv"]).expect_status(0);
    let (good, bad) = (scenario.path("good.kv"), scenario.path("bad.kv"));
    let intact = Content::read(&good).records;
    let bytes = fs::read(&good).unwrap();
    let mut numbers = Rng::with_seed(7);
    let mut outcomes = [0; 3];
    for _ in 0..tries {
        let mut corrupted = bytes.clone();
        if !corrupt(&mut corrupted, &mut numbers) {
            continue;
        }
        fs::write(&bad, &corrupted).unwrap();
        let verdict = catch_unwind(|| is_identical(&good, &bad)).expect("the verifier panicked");
        if verdict == Some(true) {
            assert_eq!(entries(&bad), intact);
        }
        outcomes[match verdict {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        }] += 1;
        assert_eq!(fs::read(&bad).unwrap(), corrupted, "the corrupted file was changed");
    }
    outcomes
}

const MANY: &str = "
    WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO code_chunks
    SELECT i, 'src/many.rs', i, i + 5, hex(zeroblob(i)), 'hash', NULL, NULL, 7 FROM n";

/// Changes a bit of a small file and of a larger one, this many times.
fn change_bits(small: usize, large: usize) {
    for (fill, tries) in [("", small), (MANY, large)] {
        let outcomes = outcomes(fill, tries, |bytes, numbers| {
            let at = numbers.usize(..bytes.len());
            let bit = 1 << numbers.usize(..8);
            bytes[at] ^= bit;
            true
        });
        // Unused pages are part of the file, so some flips have no effect.
        assert!(outcomes[0] > 0 && outcomes[2] > 0, "{outcomes:?}");
    }
}

fn cut(tries: usize) {
    let outcomes = outcomes(MANY, tries, |bytes, numbers| {
        bytes.truncate(numbers.usize(..bytes.len()));
        true
    });
    assert_eq!(outcomes, [0, 0, tries]);
}

fn lose_or_swap_blocks(tries: usize) {
    for block in [512, 4096] {
        let outcomes = outcomes(MANY, tries, |bytes, numbers| {
            let blocks = bytes.len() / block;
            let (a, b) = (numbers.usize(..blocks) * block, numbers.usize(..blocks) * block);
            match numbers.usize(..2) {
                0 => bytes[a..a + block].fill(0),
                _ => (0..block).for_each(|i| bytes.swap(a + i, b + i)),
            }
            true
        });
        // Some blocks are unused pages; the others are always corruption, never other records.
        let [identical, diverged, error] = outcomes;
        assert!(identical > 0 && diverged == 0 && error > 0, "{outcomes:?}");
    }
}

#[test]
fn changed_bytes_are_never_reported_as_the_same_records() {
    change_bits(150, 60);
}

#[test]
#[ignore = "deep: 2,100 changed bytes"]
fn many_changed_bytes_are_never_reported_as_the_same_records() {
    change_bits(1500, 600);
}

#[test]
fn truncated_files_are_never_reported_as_the_same_records() {
    cut(50);
}

#[test]
#[ignore = "deep: 300 truncated files"]
fn many_truncated_files_are_never_reported_as_the_same_records() {
    cut(300);
}

#[test]
fn files_with_lost_or_swapped_blocks_are_never_reported_as_the_same_records() {
    lose_or_swap_blocks(40);
}

#[test]
#[ignore = "deep: 300 files with lost and swapped blocks"]
fn many_files_with_lost_or_swapped_blocks_are_never_reported_as_the_same_records() {
    lose_or_swap_blocks(150);
}

/// The program itself, on the files that the library was given above.
#[test]
fn every_command_reports_the_file_as_corrupt() {
    let scenario = Scenario::with_small_pair();
    let mut bytes = fs::read(scenario.path("code.kv")).unwrap();
    let at = bytes.windows(8).position(|w| w == b"fn main(").unwrap();
    bytes[at] ^= 1;
    fs::write(scenario.path("code.kv"), bytes).unwrap();
    for command in [
        &["verify", "code.db", "code.kv"][..],
        &["verify", "code.kv"],
        &["verify", "code.db", "code.kv", "--quick"],
        &["inspect", "code.kv"],
        &["export", "code.kv"],
        &["kv-to-sqlite", "code.kv", "new.db"],
        &["sqlite-to-kv", "code.db", "code.kv", "--merge"],
    ] {
        let run = scenario.run(command).expect_status(2);
        assert!(run.stderr.contains("code.kv is corrupt"), "{run}");
    }
    assert!(!scenario.path("new.db").exists());
}
