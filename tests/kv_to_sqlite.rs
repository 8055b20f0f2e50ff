//! `kv-to-sqlite`: the new database, and how invalid entries are handled.

use std::fs;

use rusqlite::Connection;
use test_support::kv_file::Content;

use crate::common::{Scenario, rows, with_snapshots};

/// Writes `odd.kv`: the content of `code.kv`, changed.
fn odd(scenario: &Scenario, change: impl FnOnce(&mut Content)) {
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    change(&mut content);
    content.write(&scenario.path("odd.kv"));
}

fn schema(db: &Connection) -> Vec<(String, String)> {
    db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn the_new_database_has_the_same_rows_and_magellans_tables() {
    let scenario = Scenario::with_small_pair();
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "new.db"]).expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("back_human", run));
    let (old, new) = (scenario.path("code.db"), scenario.path("new.db"));
    assert_eq!(rows::of_database(&old), rows::of_database(&new));
    assert_eq!(scenario.files().len(), 3);

    let db = Connection::open(&new).unwrap();
    let made = Connection::open_in_memory().unwrap();
    chunkmigrate::internal::create_tables(&made).unwrap();
    assert_eq!(schema(&db), schema(&made));
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    // Rollback mode: the file needs no sidecar files.
    assert_eq!(fs::read(&new).unwrap()[18..20], [1, 1]);
}

#[test]
fn assigned_ids_are_never_assigned_again() {
    let scenario = Scenario::with_small_pair();
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "new.db"]).expect_status(0);
    let db = Connection::open(scenario.path("new.db")).unwrap();
    db.execute_batch(
        "INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash, created_at)
         VALUES ('new', 0, 1, 'x', 'hash', 7)",
    )
    .unwrap();
    assert_eq!(db.last_insert_rowid(), 10);
}

#[test]
fn an_id_sequence_below_the_highest_id_is_raised_to_it() {
    let scenario = Scenario::with_small_pair();
    odd(&scenario, |kv| {
        let id_sequences = "{\"code_chunks\":1,\"execution_log\":0}";
        kv.set_document("sequences", id_sequences);
    });
    let _ = scenario.run(&["kv-to-sqlite", "odd.kv", "new.db"]).expect_status(0);
    let run = scenario.run(&["verify", "odd.kv", "new.db"]).expect_status(1);
    assert!(run.stdout.contains(": 1 on the left, 3 on the right"), "{run}");
}

#[test]
fn only_copies_the_selected_kinds() {
    let scenario = Scenario::with_small_pair();
    let args = ["kv-to-sqlite", "code.kv", "new.db", "--only", "file-metrics"];
    let _ = scenario.run(&args).expect_status(0);
    let found = rows::of_database(&scenario.path("new.db"));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|row| row.starts_with("file_metrics")));
}

/// Adds every kind of invalid entry.
fn add_invalid_entries(kv: &mut Content) {
    kv.edit("chunk:src/lib.rs:0:12", "\"id\":1", "\"id\":1.0");
    kv.edit("metrics:file:src/lib.rs", "{", "{ ");
    let other = kv.records[&b"metrics:symbol:2"[..]].clone();
    kv.records.insert(b"metrics:symbol:1".to_vec(), other);
    kv.records.insert(b"stray\xff".to_vec(), b"\x00\xff".to_vec());
}

#[test]
fn invalid_entries_are_reported_and_no_target_is_created() {
    let scenario = Scenario::with_small_pair();
    odd(&scenario, add_invalid_entries);
    let before = scenario.files();
    let run = scenario.run(&["kv-to-sqlite", "odd.kv", "new.db"]).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("back_fail", run));
    assert_eq!(scenario.files(), before);
}

#[test]
fn skip_copies_the_rest_and_writes_each_rejected_entry_with_its_value() {
    let scenario = Scenario::with_small_pair();
    odd(&scenario, add_invalid_entries);
    let args = ["kv-to-sqlite", "odd.kv", "new.db", "--on-invalid", "skip"];
    let run = scenario.run(&args).expect_status(1);
    let rejects = fs::read_to_string(scenario.path("new.db.rejects.jsonl")).unwrap();
    with_snapshots(|| {
        insta::assert_snapshot!("back_skip", run);
        insta::assert_snapshot!("back_rejects", rejects);
    });
    // A noncanonical value is still the record it encodes.
    let found = rows::of_database(&scenario.path("new.db"));
    let of = |table: &str| found.iter().filter(|row| row.starts_with(table)).count();
    assert_eq!((of("code_chunks"), of("file_metrics"), of("symbol_metrics")), (2, 2, 1));
}

#[test]
fn entries_with_the_same_id_are_all_reported_and_rejected() {
    let scenario = Scenario::with_small_pair();
    odd(&scenario, |kv| {
        kv.edit("chunk:src/lib.rs:13:16", "\"id\":2", "\"id\":1");
    });
    scenario.database("empty.db", |_| {});
    let empty = fs::read(scenario.path("empty.db")).unwrap();
    for (target, args) in [
        ("new.db", &["--on-invalid", "skip"][..]),
        ("new.db", &["--dry-run"]),
        ("new.db", &[]),
        ("empty.db", &["--merge", "--dry-run"]),
        ("empty.db", &["--merge"]),
        ("empty.db", &["--merge", "--on-invalid", "skip"]),
    ] {
        let args = [&["kv-to-sqlite", "odd.kv", target, "--format", "json"], args].concat();
        let run = scenario.run(&args).expect_status(1);
        let findings = run.json()["findings"].clone();
        let findings = findings.as_array().unwrap().iter().map(|finding| {
            let row = &finding["row"];
            assert_eq!((&row["reason"], &row["rowid"]), (&"duplicate-id".into(), &1.into()));
            finding["key"].as_str().unwrap().to_owned()
        });
        let keys: Vec<_> = findings.collect();
        assert_eq!(keys, ["chunk:src/lib.rs:0:12", "chunk:src/lib.rs:13:16"], "{run}");
        assert_eq!(run.json()["kinds"][0]["rejected"], 2);
        if args.contains(&"skip") {
            let there = rows::of_database(&scenario.path(target));
            let chunks = there.iter().filter(|row| row.starts_with("code_chunks"));
            assert_eq!(chunks.count(), 1, "{run}");
        } else {
            assert!(!scenario.path("new.db").exists());
            assert_eq!(fs::read(scenario.path("empty.db")).unwrap(), empty);
        }
        let _ = fs::remove_file(scenario.path("new.db"));
    }
}

#[test]
fn a_manifest_that_claims_more_records_fails_the_copy() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv"));
    content.records.remove(&b"metrics:symbol:1"[..]).unwrap();
    content.write(&scenario.path("odd.kv"));
    let run = scenario.run(&["kv-to-sqlite", "odd.kv", "new.db"]).expect_status(1);
    assert!(
        run.stdout
            .contains("symbol-metrics: manifest: the manifest says 2 records, the contents have 1"),
        "{run}"
    );
    assert!(!scenario.path("new.db").exists());
    let args = ["kv-to-sqlite", "odd.kv", "new.db", "--on-invalid", "skip"];
    let _ = scenario.run(&args).expect_status(1);
    assert!(scenario.path("new.db").exists());
}

/// A rename alone would bring the old rows back, and `integrity_check` would say ok.
#[test]
fn a_stale_sidecar_of_the_target_is_an_error() {
    for suffix in ["-wal", "-journal", "-shm"] {
        for existing in [false, true] {
            let scenario = Scenario::with_small_pair();
            if existing {
                scenario.database("new.db", |_| {});
            }
            let side = scenario.path(&format!("new.db{suffix}"));
            fs::write(&side, "stale").unwrap();
            let before = scenario.files();
            for replace in [&["--replace"][..], &[]] {
                let args = [&["kv-to-sqlite", "code.kv", "new.db"], replace].concat();
                let run = scenario.run(&args).expect_status(2);
                assert!(
                    run.stderr.contains(&format!("new.db{suffix} next to the target")),
                    "{run}"
                );
                assert_eq!(scenario.files(), before);
            }
            fs::remove_file(&side).unwrap();
            let args = ["kv-to-sqlite", "code.kv", "new.db", "--replace"];
            let _ = scenario.run(&args).expect_status(0);
            let (old, new) = (scenario.path("code.db"), scenario.path("new.db"));
            assert_eq!(rows::of_database(&old), rows::of_database(&new));
        }
    }
}

/// A real case: the `-wal` of a killed process.
#[test]
fn a_stale_wal_with_rows_next_to_the_target_is_an_error() {
    let scenario = Scenario::with_small_pair();
    scenario.database("old.db", |db| {
        let _: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
        db.execute_batch("INSERT INTO file_metrics VALUES ('old', 1, 1, 1, 1, 1, 1, 1)").unwrap();
        fs::copy(scenario.path("old.db"), scenario.path("new.db")).unwrap();
        fs::copy(scenario.path("old.db-wal"), scenario.path("new.db-wal")).unwrap();
    });
    for args in [&["--replace"][..], &[]] {
        let args = [&["kv-to-sqlite", "code.kv", "new.db"], args].concat();
        let _ = scenario.run(&args).expect_status(2);
    }
    fs::remove_file(scenario.path("new.db")).unwrap();
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "new.db"]).expect_status(2);
}

#[test]
fn a_database_open_elsewhere_is_not_replaced() {
    let scenario = Scenario::with_small_pair();
    scenario.database("new.db", |_| {});
    let before = scenario.files();
    let other = Connection::open(scenario.path("new.db")).unwrap();
    for lock in ["BEGIN; SELECT * FROM code_chunks", "BEGIN IMMEDIATE"] {
        other.execute_batch(lock).unwrap();
        let run =
            scenario.run(&["kv-to-sqlite", "code.kv", "new.db", "--replace"]).expect_status(2);
        assert!(run.stderr.contains("new.db is open in another process"), "{run}");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(scenario.files().get("new.db"), before.get("new.db"));
    }
}

#[test]
fn only_databases_and_empty_files_are_replaced() {
    let scenario = Scenario::with_small_pair();
    fs::write(scenario.path("text"), "dear diary").unwrap();
    fs::copy(scenario.path("code.kv"), scenario.path("other.kv")).unwrap();
    fs::write(scenario.path("empty"), "").unwrap();
    let before = scenario.files();
    for target in ["text", "other.kv"] {
        let run = scenario.run(&["kv-to-sqlite", "code.kv", target, "--replace"]).expect_status(2);
        assert!(run.stderr.contains("refusing to replace"), "{run}");
        assert_eq!(scenario.files(), before);
    }
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "empty"]).expect_status(2);
    assert!(run.stderr.contains("empty already exists"), "{run}");
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "empty", "--replace"]).expect_status(0);
}

#[test]
fn a_source_with_an_active_writer_is_an_error() {
    let scenario = Scenario::with_small_pair();
    let writer = redb::Database::open(scenario.path("code.kv")).unwrap();
    for args in [
        &["kv-to-sqlite", "code.kv", "new.db"][..],
        &["verify", "code.kv"],
        &["verify", "code.db", "code.kv"],
        &["inspect", "code.kv"],
        &["export", "code.kv"],
    ] {
        let run = scenario.run(args).expect_status(2);
        assert!(run.stderr.contains("code.kv is already open"), "{run}");
    }
    drop(writer);
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "new.db"]).expect_status(0);
}

#[test]
fn a_dry_run_writes_nothing() {
    let scenario = Scenario::with_small_pair();
    let before = scenario.files();
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "new.db", "--dry-run"]).expect_status(0);
    assert!(run.stdout.contains("Dry run: 8 records would be copied"), "{run}");
    assert_eq!(scenario.files(), before);
}
