//! `verify` of files: every pair of stores, and round trips.

use std::fs;

use chunkmigrate::record::IdSequences;
use rusqlite::Connection;
use serde_json::Value;
use test_support::kv_file::Content;

use crate::common::{Scenario, records, tables, with_snapshots};

#[test]
fn every_corruption_of_a_database_is_found_and_classified() {
    for (sql, classes) in [
        (
            "UPDATE file_metrics SET estimated_loc = 0.10000000000000002 WHERE loc = 10",
            &["field"][..],
        ),
        ("UPDATE file_metrics SET fan_in = 0 WHERE fan_in IS NULL", &["field", "field"]),
        ("UPDATE file_metrics SET loc = NULL WHERE loc = 10", &["field"]),
        (
            "UPDATE code_chunks SET content = content || ' ' WHERE id = 1",
            &["content-hash", "field"],
        ),
        ("UPDATE symbol_metrics SET symbol_name = 'Main' WHERE symbol_id = 1", &["field"]),
        (
            "UPDATE code_chunks SET content = content || char(0) || 'x' WHERE id = 1",
            &["content-hash", "field"],
        ),
        ("UPDATE code_chunks SET symbol_name = '' WHERE id = 2", &["field"]),
        ("UPDATE code_chunks SET id = 4 WHERE id = 3", &["field"]),
        ("UPDATE code_chunks SET byte_end = 13 WHERE id = 1", &["only-left", "only-right"]),
        (
            "UPDATE file_metrics SET file_path = 'src/LIB.rs' WHERE loc = 10",
            &["only-left", "only-right"],
        ),
        ("DELETE FROM symbol_metrics WHERE symbol_id = 2", &["only-left"]),
        ("INSERT INTO symbol_metrics SELECT 3, 'x', 'fn', '', 1, 1, 1, 1, 1, 1", &["only-right"]),
        ("UPDATE file_metrics SET loc = 2.5 WHERE loc = 10", &["invalid-row"]),
        ("UPDATE code_chunks SET content = CAST(content AS BLOB) WHERE id = 1", &["invalid-row"]),
        ("UPDATE sqlite_sequence SET seq = 77 WHERE name = 'code_chunks'", &["sequence"]),
    ] {
        let scenario = Scenario::with_small_pair();
        fs::copy(scenario.path("code.db"), scenario.path("bad.db")).unwrap();
        let db = Connection::open(scenario.path("bad.db")).unwrap();
        db.execute_batch(sql).unwrap();
        db.close().unwrap();
        for left in ["code.db", "code.kv"] {
            let args = ["verify", left, "bad.db", "--format", "json"];
            let run = scenario.run(&args).expect_status(1);
            let json = run.json();
            let found = json["findings"].as_array().unwrap().iter();
            let mut found: Vec<&str> = found.map(|f| f["class"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, classes, "{sql}: {run}");
        }
    }
}

/// Both sides may be the same file, in any journal mode.
#[test]
fn a_store_is_identical_to_itself() {
    let scenario = Scenario::with_small_pair();
    let db = Connection::open(scenario.path("code.db")).unwrap();
    for mode in ["DELETE", "WAL"] {
        let _: String =
            db.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |row| row.get(0)).unwrap();
        for args in [["code.db", "code.db"], ["code.kv", "code.kv"]] {
            let _ = scenario.run(&["verify", args[0], args[1]]).expect_status(0);
        }
    }
}

#[test]
fn one_file_makes_a_round_trip_and_each_step_is_compared() {
    let scenario = Scenario::with_small_pair();
    let before = scenario.files();
    for name in ["code.db", "code.kv"] {
        let run = scenario.run(&["verify", name]).expect_status(0);
        let json = scenario.run(&["verify", name, "--format", "json"]).expect_status(0);
        let quick = scenario.run(&["verify", name, "--quick"]).expect_status(0);
        with_snapshots(|| {
            let name = name.replace('.', "_");
            insta::assert_snapshot!(format!("round_trip_{name}"), run);
            insta::assert_snapshot!(format!("round_trip_{name}_json"), json);
            insta::assert_snapshot!(format!("round_trip_{name}_quick"), quick);
        });
    }
    assert_eq!(scenario.files(), before);
}

#[test]
fn invalid_items_of_one_file_are_reported() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    content.edit("chunk:src/lib.rs:0:12", "\"id\":1", "\"id\":1.0");
    content.edit("metrics:file:src/lib.rs", "{", "{ ");
    let other = content.records[&b"metrics:symbol:2"[..]].clone();
    content.records.insert(b"metrics:symbol:1".to_vec(), other);
    content.records.insert(b"stray".to_vec(), Vec::new());
    content.write(&scenario.path("odd.kv"));
    let db = Connection::open(scenario.path("code.db")).unwrap();
    db.execute_batch("UPDATE code_chunks SET created_at = 'now' WHERE id = 2").unwrap();
    db.close().unwrap();
    for name in ["odd.kv", "code.db"] {
        let run = scenario.run(&["verify", name]).expect_status(1);
        with_snapshots(|| {
            insta::assert_snapshot!(format!("round_trip_odd_{}", name.replace('.', "_")), run);
        });
    }
}

#[test]
fn invalid_items_are_not_equal_to_themselves() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    content.edit("metrics:file:src/lib.rs", "\"loc\":10", "\"loc\":10.0");
    content.write(&scenario.path("odd.kv"));
    let args = ["verify", "odd.kv", "odd.kv", "--format", "json"];
    let found = scenario.run(&args).expect_status(1).json();
    assert_eq!(found["findings_total"], 2, "{found}");
    assert_eq!(found["findings"][0]["class"], "undecodable");
    assert_eq!(found["kinds"][2]["different"], 1);
}

#[test]
fn every_part_of_a_manifest_must_match() {
    let scenario = Scenario::with_small_pair();
    let content = Content::read(&scenario.path("code.kv"));
    let manifest: Value = serde_json::from_slice(&content.documents["manifest"]).unwrap();
    let chunk = |name: &str| format!("/kinds/chunk/{name}");
    for part in
        [&chunk("records"), &chunk("key_bytes"), &chunk("value_bytes"), &chunk("sha256"), "/sha256"]
    {
        let mut wrong = manifest.clone();
        let value = wrong.pointer_mut(part).unwrap();
        *value = match value.as_u64() {
            Some(number) => (number + 1).into(),
            None => "0".repeat(64).into(),
        };
        let mut content = content.clone();
        content.set_document("manifest", wrong.to_string());
        let path = scenario.path("wrong.kv");
        content.write(&path);
        for (left, right, side) in
            [("code.kv", "wrong.kv", "right"), ("wrong.kv", "code.kv", "left")]
        {
            let args = ["verify", left, right, "--format", "json"];
            let found = scenario.run(&args).expect_status(1).json();
            assert_eq!(found["findings_total"], 1, "{part}: {found}");
            assert_eq!(found["findings"][0]["class"], "manifest");
            assert_eq!(found["findings"][0]["side"], side);
        }
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_content_hash_mismatch_is_a_warning_even_if_both_stores_have_it() {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| tables::insert_chunks(db, 3));
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    for left in ["code.db", "code.kv"] {
        for right in ["code.db", "code.kv"] {
            let args = ["verify", left, right, "--format", "json"];
            let found = scenario.run(&args).expect_status(0).json();
            assert_eq!(found["warnings_total"], 3, "{left} {right}: {found}");
            assert_eq!(found["findings"][0]["class"], "content-hash");
        }
    }
}

#[test]
fn empty_stores_are_identical_and_reported_as_empty() {
    let scenario = Scenario::new();
    for name in ["a.db", "b.db"] {
        records::write_database(&scenario.path(name), &[], IdSequences::default());
    }
    let run = scenario.run(&["verify", "a.db", "b.db"]).expect_status(0);
    assert!(run.stdout.contains("neither store has any records"), "{run}");
}

#[test]
fn a_file_that_is_not_a_store_is_an_error_on_either_side() {
    let scenario = Scenario::with_small_pair();
    fs::write(scenario.path("text"), "dear diary, this is no store").unwrap();
    fs::write(scenario.path("empty"), "").unwrap();
    for (bad, message) in [
        ("text", "text is neither a SQLite database nor a KV file"),
        ("empty", "empty is empty"),
        ("missing", "cannot read missing"),
        (".", ". is a directory"),
    ] {
        for args in [&[bad][..], &[bad, "code.db"], &["code.kv", bad]] {
            let run = scenario.run(&[&["verify"], args].concat()).expect_status(2);
            assert!(run.stderr.contains(message), "{run}");
            assert_eq!(run.stdout, "");
        }
        for command in ["inspect", "export"] {
            let run = scenario.run(&[command, bad]).expect_status(2);
            assert!(run.stderr.contains(message), "{run}");
        }
    }
}
