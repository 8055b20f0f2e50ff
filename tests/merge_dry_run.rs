//! `--merge --dry-run` is the merge itself, on a private copy of the target.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::Connection;

use crate::common::{Run, Scenario, tables};

fn merge(scenario: &Scenario, command: &[&str], more: &[&str]) -> Run {
    scenario.run(&[command, &["--merge"], more].concat())
}

/// The part of a report that does not depend on whether the merge was a dry run.
fn outcome(run: &Run) -> serde_json::Value {
    let mut json = run.json();
    for (pointer, value) in [
        ("/dry_run", serde_json::Value::Null),
        ("/verified", serde_json::Value::Null),
        ("/target", serde_json::Value::Null),
    ] {
        *json.pointer_mut(pointer).unwrap() = value;
    }
    json
}

fn times(folder: &Path) -> BTreeMap<String, SystemTime> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, entry.metadata().unwrap().modified().unwrap())
        })
        .collect()
}

#[test]
fn a_dry_run_has_the_result_of_the_merge_and_changes_nothing() {
    let targets = [
        ("a plain target", ""),
        ("a target with other rows", "INSERT INTO code_chunks VALUES (1, 'own.rs', 0, 1, 'own', 'h', NULL, NULL, 1)"),
        ("a constraint", "CREATE UNIQUE INDEX one ON file_metrics (last_updated)"),
        ("a generated column", "DROP TABLE file_metrics;
            CREATE TABLE file_metrics (file_path TEXT PRIMARY KEY, symbol_count INTEGER, loc INTEGER,
            estimated_loc REAL, fan_in INTEGER, fan_out INTEGER, complexity_score REAL,
            last_updated INTEGER NOT NULL AS (1) STORED)"),
        ("another type", "DROP TABLE symbol_metrics;
            CREATE TABLE symbol_metrics (symbol_id INTEGER PRIMARY KEY, symbol_name TEXT, kind TEXT,
            file_path TEXT, loc INTEGER, estimated_loc TEXT, fan_in INTEGER, fan_out INTEGER,
            cyclomatic_complexity INTEGER, last_updated INTEGER)"),
        ("WAL mode", "PRAGMA journal_mode = WAL; CREATE TABLE own (x)"),
        ("UTF-16 and small pages", "PRAGMA page_size = 512; VACUUM"),
        ("no table", "DROP TABLE code_chunks"),
        ("a full-text table", "CREATE VIRTUAL TABLE words USING fts5(content, content='code_chunks');
            CREATE TRIGGER t AFTER INSERT ON code_chunks BEGIN SELECT 1; END"),
    ];
    for (what, sql) in targets {
        for skip in [&[][..], &["--on-invalid", "skip"]] {
            let scenario = Scenario::with_small_pair();
            scenario.database("target.db", |_| {});
            scenario.change("target.db", sql);
            let command = ["kv-to-sqlite", "code.kv", "target.db"];
            let json = [skip, &["--format", "json"]].concat();
            let before = (scenario.files(), times(scenario.folder()));
            let dry = merge(&scenario, &command, &[&json[..], &["--dry-run"]].concat());
            assert_eq!((scenario.files(), times(scenario.folder())), before, "{what}");
            let real = merge(&scenario, &command, &json);
            assert_eq!(dry.status, real.status, "{what}: {dry}\n{real}");
            match real.status {
                2 => assert_eq!(dry.stderr, real.stderr, "{what}"),
                _ => {
                    let (mut dry, mut real) = (outcome(&dry), outcome(&real));
                    // Only the actual run writes a rejects file.
                    dry["rejects"].take();
                    real["rejects"].take();
                    assert_eq!(dry, real, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_dry_run_into_a_kv_file_has_the_result_of_the_merge_and_changes_nothing() {
    let scenario = Scenario::with_small_pair();
    scenario.database("more.db", |db| tables::insert_chunks(db, 5));
    let _ = scenario.run(&["sqlite-to-kv", "more.db", "more.kv"]).expect_status(0);
    for target in ["code.kv", "more.kv"] {
        let command = ["sqlite-to-kv", "code.db", target];
        let before = (scenario.files(), times(scenario.folder()));
        let dry = merge(&scenario, &command, &["--format", "json", "--dry-run"]);
        assert_eq!((scenario.files(), times(scenario.folder())), before);
        let real = merge(&scenario, &command, &["--format", "json"]);
        assert_eq!(dry.status, real.status);
        assert_eq!(outcome(&dry), outcome(&real));
    }
}

#[test]
fn a_dry_run_includes_the_wal_and_the_rollback_of_a_hot_journal() {
    let scenario = Scenario::with_small_pair();
    scenario.database("live.db", |_| {});
    let db = Connection::open(scenario.path("live.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
         INSERT INTO code_chunks VALUES (1, 'own.rs', 0, 1, 'own', 'h', NULL, NULL, 1)",
    )
    .unwrap();
    for suffix in ["", "-wal"] {
        let from = scenario.path(&format!("live.db{suffix}"));
        fs::copy(from, scenario.path(&format!("target.db{suffix}"))).unwrap();
    }
    let before = scenario.files();
    let command = ["kv-to-sqlite", "code.kv", "target.db"];
    let run = merge(&scenario, &command, &["--dry-run"]).expect_status(1);
    assert!(run.stdout.contains("the target already has the id 1"), "{run}");
    assert_eq!(scenario.files(), before);

    // An interrupted transaction wrote the id 1 into the file.
    scenario.database("hot.db", |_| {});
    let db = Connection::open(scenario.path("hot.db")).unwrap();
    db.execute_batch(
        "PRAGMA cache_size = 1; BEGIN;
         INSERT INTO code_chunks VALUES (1, 'own.rs', 0, 1, hex(zeroblob(90000)), 'h', NULL, NULL, 1);",
    )
    .unwrap();
    for suffix in ["", "-journal"] {
        let from = scenario.path(&format!("hot.db{suffix}"));
        fs::copy(from, scenario.path(&format!("target.db{suffix}"))).unwrap();
    }
    fs::remove_file(scenario.path("target.db-wal")).unwrap();
    let before = scenario.files();
    let _ = merge(&scenario, &command, &["--dry-run"]).expect_status(0);
    assert_eq!(scenario.files(), before);
    let _ = merge(&scenario, &command, &[]).expect_status(0);
}

#[test]
fn a_dry_run_copies_the_target_to_the_temporary_directory_and_leaves_nothing_there() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |_| {});
    fs::create_dir(scenario.path("temp")).unwrap();
    let command = ["kv-to-sqlite", "code.kv", "target.db"];
    let _ = merge(&scenario, &command, &["--dry-run", "--temp-dir", "temp"]).expect_status(0);
    assert_eq!(fs::read_dir(scenario.path("temp")).unwrap().count(), 0);
    let run = merge(&scenario, &command, &["--dry-run", "--temp-dir", "nowhere"]).expect_status(2);
    assert!(run.stderr.contains("nowhere") && run.stderr.contains("hint:"), "{run}");
}

#[test]
fn a_dry_run_fails_if_the_target_is_not_writable() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |_| {});
    let set_mode = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(scenario.path("target.db"), permissions).unwrap();
    };
    set_mode(0o444);
    // Root may write it anyway.
    let is_root = rustix::process::geteuid().is_root();
    let command = ["kv-to-sqlite", "code.kv", "target.db"];
    let dry = merge(&scenario, &command, &["--dry-run"]);
    let real = merge(&scenario, &command, &[]);
    assert_eq!(dry.status, real.status, "{dry}\n{real}");
    assert_eq!(real.status, if is_root { 0 } else { 2 });
    set_mode(0o644);
}
