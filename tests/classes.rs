//! One corrupted pair for each class of finding: the report for people and for programs.

use rusqlite::Connection;
use test_support::kv_file::Content;

use crate::common::{Scenario, tables, with_snapshots};

const LIB: &str = "metrics:file:src/lib.rs";

/// A scenario with `left.kv` and a `right.kv` that is the same except for what `corrupt` does.
fn corrupted(corrupt: impl FnOnce(&mut Content)) -> Scenario {
    let scenario = Scenario::new();
    scenario.database("left.db", |db| db.execute_batch(tables::SMALL).unwrap());
    let _ = scenario.run(&["sqlite-to-kv", "left.db", "made.kv"]).expect_status(0);
    let content = Content::read(&scenario.path("made.kv"));
    content.write(&scenario.path("left.kv"));
    let mut content = content.without_manifest();
    corrupt(&mut content);
    content.write(&scenario.path("right.kv"));
    scenario
}

fn assert_reports(name: &str, scenario: &Scenario, args: &[&str], status: i32) {
    let run = scenario.run(args).expect_status(status);
    let json = scenario.run(&[args, &["--format", "json"]].concat()).expect_status(status);
    with_snapshots(|| {
        insta::assert_snapshot!(format!("class_{name}"), run);
        insta::assert_snapshot!(format!("class_{name}_json"), json);
    });
}

fn assert_class(name: &str, corrupt: impl FnOnce(&mut Content)) {
    let scenario = corrupted(corrupt);
    assert_reports(name, &scenario, &["verify", "left.kv", "right.kv"], 1);
}

#[test]
fn only_left() {
    assert_class("only_left", |kv| {
        kv.records.remove(LIB.as_bytes()).unwrap();
    });
}

#[test]
fn only_right() {
    assert_class("only_right", |kv| {
        let value = kv.records[LIB.as_bytes()].clone();
        let value = String::from_utf8(value).unwrap();
        let value = value.replace("src/lib.rs", "src/new.rs");
        let key = b"metrics:file:src/new.rs".to_vec();
        kv.records.insert(key, value.into_bytes());
    });
}

#[test]
fn field() {
    assert_class("field", |kv| {
        kv.edit(LIB, "0.1,", "0.10000000000000002,");
        kv.edit(LIB, "\"fan_in\":null", "\"fan_in\":0");
        kv.edit("chunk:src/lib.rs:13:16", "café", "cafe\u{301}");
        kv.edit("chunk:src/lib.rs:0:12", "fn main() {}", "fn main() {} ");
    });
}

#[test]
fn undecodable() {
    assert_class("undecodable", |kv| {
        kv.edit(LIB, "\"loc\":10", "\"loc\":10.0");
        kv.edit("chunk:src/lib.rs:0:12", "{\"id\":1,", "{");
    });
}

#[test]
fn noncanonical() {
    assert_class("noncanonical", |kv| {
        kv.edit(LIB, "\"symbol_count\":1,\"loc\":10", "\"loc\":10,\"symbol_count\":1");
    });
}

#[test]
fn key_mismatch() {
    assert_class("key_mismatch", |kv| {
        let other = kv.records[&b"metrics:symbol:2"[..]].clone();
        kv.records.insert(b"metrics:symbol:1".to_vec(), other);
    });
}

#[test]
fn unknown_key() {
    assert_class("unknown_key", |kv| {
        kv.records.insert(b"chunk:src/lib.rs:00:1".to_vec(), b"{}".to_vec());
        kv.records.insert(b"stray\xff".to_vec(), Vec::new());
    });
}

#[test]
fn manifest() {
    let scenario = corrupted(|_| {});
    let mut content = Content::read(&scenario.path("left.kv"));
    let manifest = str::from_utf8(&content.documents["manifest"]).unwrap();
    let wrong = manifest.replace("\"chunk\":{\"records\":3", "\"chunk\":{\"records\":4");
    content.set_document("manifest", wrong);
    content.write(&scenario.path("wrong.kv"));
    assert_reports("manifest", &scenario, &["verify", "left.kv", "wrong.kv"], 1);
}

#[test]
fn sequence() {
    assert_class("sequence", |kv| {
        let id_sequences = "{\"code_chunks\":10,\"execution_log\":1}";
        kv.set_document("sequences", id_sequences);
    });
}

#[test]
fn invalid_row() {
    let scenario = corrupted(|_| {});
    let db = Connection::open(scenario.path("left.db")).unwrap();
    db.execute_batch("UPDATE file_metrics SET loc = 3.5 WHERE file_path = 'src/lib.rs'").unwrap();
    db.close().unwrap();
    assert_reports("invalid_row", &scenario, &["verify", "left.db", "left.kv"], 1);
}

#[test]
fn content_hash() {
    let scenario = corrupted(|kv| kv.edit("chunk:src/a::b.rs:0:0", "e3b0c442", "00000000"));
    let _ = scenario.run(&["verify", "right.kv", "right.kv"]).expect_status(0);
    assert_reports("content_hash", &scenario, &["verify", "right.kv", "right.kv"], 0);
    let strict = scenario.run(&["verify", "right.kv", "right.kv", "--strict"]).expect_status(1);
    assert!(strict.stdout.contains("Diverged: 1 warning (counted by --strict)"), "{strict}");
}

#[test]
fn identical() {
    let scenario = corrupted(|_| {});
    assert_reports("none", &scenario, &["verify", "left.db", "left.kv"], 0);
}
