//! `--merge`: all records are merged into an existing store, or none.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use test_support::kv_file::Content;

use crate::common::{Scenario, kv, rows, tables, with_snapshots};

const OWN: &str = "
    DELETE FROM code_chunks WHERE id = 3;
    UPDATE code_chunks SET content = 'changed' WHERE id = 1;
    INSERT INTO code_chunks VALUES (8, 'own.rs', 0, 1, 'own', 'hash', NULL, NULL, 1);
    UPDATE file_metrics SET loc = NULL, fan_in = 0 WHERE file_path = 'src/lib.rs';
    INSERT INTO file_metrics VALUES ('own.rs', 1, 1, 1, 1, 1, 1, 1);
    DELETE FROM symbol_metrics;
    DELETE FROM execution_log;
    UPDATE sqlite_sequence SET seq = 0 WHERE name = 'execution_log';
    UPDATE sqlite_sequence SET seq = 50 WHERE name = 'code_chunks';";

#[test]
fn records_with_the_same_key_are_replaced_others_added_and_the_rest_kept() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("target.db");
    fs::copy(scenario.path("code.db"), &target).unwrap();
    scenario.change("target.db", OWN);
    let dry = scenario
        .run(&["kv-to-sqlite", "code.kv", "target.db", "--merge", "--dry-run"])
        .expect_status(0);
    assert!(dry.stdout.contains("Dry run: 6 records would be written"), "{dry}");
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "target.db", "--merge"]).expect_status(0);
    let json = scenario
        .run(&["kv-to-sqlite", "code.kv", "target.db", "--merge", "--format", "json"])
        .expect_status(0);
    with_snapshots(|| {
        insta::assert_snapshot!("merge_human", run);
        insta::assert_snapshot!("merge_json", json);
    });
    scenario.change(
        "target.db",
        "DELETE FROM code_chunks WHERE id = 8; DELETE FROM file_metrics WHERE file_path = 'own.rs'",
    );
    let strip = |path: &Path| {
        let mut rows = rows::of_database(path);
        rows.retain(|row| !row.starts_with("sqlite_sequence"));
        rows
    };
    assert_eq!(strip(&target), strip(&scenario.path("code.db")));
    let db = Connection::open(&target).unwrap();
    let sequence: i64 = db
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'code_chunks'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(sequence, 50, "an id sequence is never lowered");
}

#[test]
fn a_repeated_merge_writes_nothing() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |db| {
        db.execute_batch("INSERT INTO file_metrics VALUES ('own.rs', 1, 1, 1, 1, 1, 1, 1)")
            .unwrap();
    });
    scenario.database("more.db", |db| tables::insert_chunks(db, 5));
    let _ = scenario.run(&["sqlite-to-kv", "more.db", "target.kv"]).expect_status(0);
    scenario.change("code.db", "UPDATE code_chunks SET id = id + 100");
    for command in [
        ["kv-to-sqlite", "code.kv", "target.db", "--merge"],
        ["sqlite-to-kv", "code.db", "target.kv", "--merge"],
    ] {
        let _ = scenario.run(&command).expect_status(0);
        let before = scenario.files();
        let run = scenario.run(&command).expect_status(0);
        assert!(run.stdout.contains(": it already contains all"), "{run}");
        assert_eq!(scenario.files(), before);
    }
}

#[test]
fn a_kv_target_gets_its_manifest_and_id_sequences() {
    let scenario = Scenario::with_small_pair();
    scenario.database("more.db", |db| {
        tables::insert_chunks(db, 5);
        db.execute_batch(
            "UPDATE code_chunks SET id = id + 100; UPDATE sqlite_sequence SET seq = 200",
        )
        .unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "more.db", "code.kv", "--merge"]).expect_status(0);
    let run = scenario.run(&["inspect", "code.kv", "--format", "json"]).expect_status(0);
    let json = run.json();
    assert_eq!(json["manifest_matches"], true);
    assert_eq!(json["kinds"][0]["records"], 8);
    assert_eq!(json["sequences"]["code_chunks"], 200);
    assert_eq!(json["manifest"]["source"]["file_name"], "more.db");
    // The id sequences of the other kinds are kept.
    assert_eq!(json["sequences"]["execution_log"], 1);
    let run = scenario.run(&["verify", "code.kv", "--format", "json"]).expect_status(0);
    assert_eq!(run.json()["verdict"], "identical");
}

#[test]
fn a_kv_target_without_a_manifest_gets_one_even_if_no_record_changes() {
    let scenario = Scenario::with_small_pair();
    let content = Content::read(&scenario.path("code.kv")).without_manifest();
    content.write(&scenario.path("bare.kv"));
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "bare.kv", "--merge"]).expect_status(0);
    let run = scenario.run(&["inspect", "bare.kv", "--format", "json"]).expect_status(0);
    assert_eq!(run.json()["manifest_matches"], true);
}

#[test]
fn unknown_keys_of_a_kv_target_are_kept_but_not_in_the_manifest() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv"));
    content.records.insert(b"stray".to_vec(), b"{}".to_vec());
    content.records.remove(&b"metrics:symbol:1"[..]);
    content.write(&scenario.path("odd.kv"));
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "odd.kv", "--merge"]).expect_status(0);
    let merged = kv::keys(&scenario.path("odd.kv"));
    assert!(merged.contains(&"stray".to_owned()));
    assert!(merged.contains(&"metrics:symbol:1".to_owned()));
}

#[test]
fn two_records_may_swap_their_ids() {
    swap_ids(&Scenario::with_small_pair());
}

#[test]
fn two_records_may_swap_their_ids_in_a_table_without_an_index() {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        "CREATE TABLE loose (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT,
            byte_start INTEGER, byte_end INTEGER, content TEXT, content_hash TEXT,
            symbol_name TEXT, symbol_kind TEXT, created_at INTEGER);
         INSERT INTO loose SELECT * FROM code_chunks;
         DROP TABLE code_chunks;
         ALTER TABLE loose RENAME TO code_chunks;
         UPDATE sqlite_sequence SET seq = 9 WHERE name = 'code_chunks';",
    );
    swap_ids(&scenario);
}

fn swap_ids(scenario: &Scenario) {
    let swap = "UPDATE code_chunks SET id = -1 WHERE id = 1;
        UPDATE code_chunks SET id = 1 WHERE id = 2;
        UPDATE code_chunks SET id = 2 WHERE id = -1;";
    for (command, target) in [
        (["kv-to-sqlite", "code.kv", "swapped.db", "--merge"], "swapped.db"),
        (["sqlite-to-kv", "swapped.db", "code.kv", "--merge"], "code.kv"),
    ] {
        fs::copy(scenario.path("code.db"), scenario.path("swapped.db")).unwrap();
        scenario.change("swapped.db", swap);
        let _ = scenario.run(&command).expect_status(0);
        let other = command[1];
        let _ = scenario.run(&["verify", other, target]).expect_status(0);
    }
}

#[test]
fn other_tables_of_the_target_are_unchanged() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |db| {
        db.execute_batch(
            "ALTER TABLE code_chunks ADD COLUMN language TEXT;
             INSERT INTO code_chunks VALUES
                (1, 'src/lib.rs', 0, 12, 'old', 'hash', NULL, NULL, 1, 'rust');
             CREATE TABLE graph (x);
             INSERT INTO graph VALUES (1);
             CREATE TABLE log (x);
             CREATE TRIGGER t AFTER INSERT ON code_chunks BEGIN INSERT INTO log VALUES (1); END;
             CREATE VIRTUAL TABLE chunk_fts USING fts5(content);
             INSERT INTO chunk_fts VALUES ('old');",
        )
        .unwrap();
    });
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "target.db", "--merge"]).expect_status(0);
    assert!(!run.stdout.contains("chunk_fts"), "{run}");
    let db = Connection::open(scenario.path("target.db")).unwrap();
    let query = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(query("SELECT language FROM code_chunks WHERE id = 1"), "rust");
    assert_eq!(query("SELECT content FROM code_chunks WHERE id = 1"), "fn main() {}");
    assert_eq!(query("SELECT content FROM chunk_fts"), "old");
    assert_eq!(query("SELECT count(*) || '' FROM log"), "0");
    assert_eq!(query("SELECT x || '' FROM graph"), "1");
    assert_eq!(query("PRAGMA integrity_check"), "ok");
}

#[test]
fn the_wal_of_the_target_is_untouched_when_nothing_changes() {
    let scenario = Scenario::with_small_pair();
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "live.db"]).expect_status(0);
    let db = Connection::open(scenario.path("live.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE own (x);",
    )
    .unwrap();
    for suffix in ["", "-wal"] {
        let from = scenario.path(&format!("live.db{suffix}"));
        fs::copy(from, scenario.path(&format!("target.db{suffix}"))).unwrap();
    }
    let before = scenario.files();
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "target.db", "--merge"]).expect_status(0);
    assert_eq!(scenario.files(), before);
}

#[test]
fn a_merge_needs_an_existing_target() {
    let scenario = Scenario::with_small_pair();
    fs::write(scenario.path("empty"), "").unwrap();
    let before = scenario.files();
    for (args, message) in [
        (["kv-to-sqlite", "code.kv", "no.db"], "no.db does not exist"),
        (["kv-to-sqlite", "code.kv", "empty"], "empty is empty"),
        (["sqlite-to-kv", "code.db", "code.db"], "and the source code.db are the same file"),
    ] {
        let run = scenario.run(&[&args[..], &["--merge"]].concat()).expect_status(2);
        assert!(run.stderr.contains(message), "{run}");
    }
    assert_eq!(scenario.files(), before);
}

#[test]
fn a_locked_target_is_an_error_and_nothing_is_written() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |_| {});
    let other = Connection::open(scenario.path("target.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = scenario
        .run_impatiently(&["kv-to-sqlite", "code.kv", "target.db", "--merge"])
        .expect_status(2);
    assert!(run.stderr.contains("target.db is locked by another process"), "{run}");

    fs::copy(scenario.path("code.kv"), scenario.path("target.kv")).unwrap();
    let writer = redb::Database::open(scenario.path("target.kv")).unwrap();
    let run = scenario.run(&["sqlite-to-kv", "code.db", "target.kv", "--merge"]).expect_status(2);
    assert!(run.stderr.contains("target.kv is already open"), "{run}");
    drop(writer);
}

#[test]
fn a_source_with_invalid_rows_changes_nothing() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("target.kv");
    fs::copy(scenario.path("code.kv"), &target).unwrap();
    scenario.change(
        "code.db",
        "UPDATE file_metrics SET loc = 'many'; DELETE FROM code_chunks WHERE id = 1;",
    );
    let before = fs::read(&target).unwrap();
    let command = ["sqlite-to-kv", "code.db", "target.kv", "--merge"];
    let run = scenario.run(&command).expect_status(1);
    assert!(run.stdout.contains("Nothing was merged: 2 rows are invalid"), "{run}");
    assert_eq!(fs::read(&target).unwrap(), before);
}

/// Read back, such a record is an invalid row of the target: the merge fails because of it, and not
/// because another process wrote.
#[test]
fn a_value_converted_by_a_target_column_is_never_attributed_to_a_writer() {
    let scenario = Scenario::with_small_pair();
    scenario.bare_database("target.db", |db| {
        let sql = "CREATE TABLE file_metrics (file_path TEXT PRIMARY KEY, symbol_count INTEGER,
            loc INTEGER, estimated_loc REAL, fan_in INTEGER, fan_out INTEGER,
            complexity_score REAL, last_updated TEXT)";
        db.execute_batch(sql).unwrap();
    });
    let before = scenario.files();
    let args = ["kv-to-sqlite", "code.kv", "target.db", "--merge", "--only", "file-metrics"];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("last_updated"), "{run}");
    assert!(run.stdout.contains("Nothing was merged"), "{run}");
    assert_eq!(scenario.files(), before);
}
