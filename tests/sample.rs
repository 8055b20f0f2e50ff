//! `sample`: a database to try the other commands on.

use std::fs;

use crate::common::{Scenario, with_snapshots};

#[test]
fn the_sample_is_copied_and_compared_without_findings() {
    let scenario = Scenario::new();
    let run = scenario.run(&["sample", "code.db"]).expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("sample", run));
    assert_eq!(scenario.files().len(), 1);
    for args in [
        &["sqlite-to-kv", "code.db", "code.kv"][..],
        &["verify", "code.db", "code.kv", "--strict"],
        &["kv-to-sqlite", "code.kv", "back.db"],
        &["verify", "code.db", "back.db", "--strict"],
    ] {
        let run = scenario.run(args).expect_status(0);
        assert!(run.stdout.contains("129"), "{run}");
    }
}

#[test]
fn two_samples_are_identical_byte_for_byte() {
    let scenario = Scenario::new();
    for name in ["one.db", "two.db"] {
        let _ = scenario.run(&["sample", name]).expect_status(0);
    }
    let [one, two] = ["one.db", "two.db"].map(|name| fs::read(scenario.path(name)).unwrap());
    assert!(one == two);
}

#[test]
fn the_json_document_has_the_counts_of_each_kind() {
    let scenario = Scenario::new();
    let run = scenario.run(&["sample", "code.db", "--format", "json"]).expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("sample_json", run));
}

#[test]
fn an_existing_database_is_replaced_only_on_request() {
    let scenario = Scenario::with_small_pair();
    let before = scenario.files();
    let run = scenario.run(&["sample", "code.db"]).expect_status(2);
    assert_eq!(run.stderr, "error: code.db already exists\nhint: use --replace to overwrite it\n");
    assert!(scenario.files() == before);
    let _ = scenario.run(&["sample", "code.db", "--replace"]).expect_status(0);
    let run = scenario.run(&["inspect", "code.db"]).expect_status(0);
    assert!(run.stdout.contains("129"), "{run}");
}

#[test]
fn only_databases_are_replaced_by_a_sample() {
    let scenario = Scenario::with_small_pair();
    fs::write(scenario.path("notes.txt"), "not a database\n").unwrap();
    fs::write(scenario.path("old.db-wal"), "rows").unwrap();
    let before = scenario.files();
    for target in ["code.kv", "notes.txt", "old.db", ".", "missing/code.db"] {
        let run = scenario.run(&["sample", target, "--replace"]).expect_status(2);
        assert_eq!(run.stdout, "", "{run}");
        assert!(scenario.files() == before, "{target}: {run}");
    }
}
