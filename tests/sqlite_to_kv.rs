//! `sqlite-to-kv` on ordinary databases: the copy, the summary, the options.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chunkmigrate::internal::insert_records;
use chunkmigrate::internal::record_key;
use chunkmigrate::record::Record;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use rusqlite::Connection;

use crate::common::records::record;
use crate::common::{Scenario, kv, tables, with_snapshots};

fn mixed(db: &Connection) {
    db.execute_batch(tables::SCHEMA_7).unwrap();
    tables::insert_chunks(db, 1200);
    db.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO execution_log VALUES
             (1, 'run-1', '2.2.1', '[]', NULL, 'code.db', 7, 8, 1000, 'success', NULL, 1, 2, 3),
             (2, 'run-2', '2.2.1', '[]', NULL, 'code.db', 9, NULL, NULL, 'running', NULL, 0, 0, 0);
         INSERT INTO file_metrics VALUES ('src/lib.rs', 3, 100, 0.1, 1, 2, 1e16, 7);
         INSERT INTO symbol_metrics VALUES (9, 'f', 'Function', 'src/lib.rs', 1, 0.5, 0, 0, 1, 7),
             (10, 'g', 'Function', 'src/lib.rs', 1, 0.5, 0, 0, 1, 7);
         CREATE TABLE empty_one (a);
         CREATE VIRTUAL TABLE words USING fts5(word);
         INSERT INTO words VALUES ('fn');
         CREATE VIEW not_a_table AS SELECT 1;",
    )
    .unwrap();
}

#[test]
fn the_summary_shows_what_was_copied_and_what_was_not() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    let human = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]);
    let json = scenario.run(&["sqlite-to-kv", "code.db", "json.kv", "--format", "json"]);
    with_snapshots(|| {
        insta::assert_snapshot!("summary_human", human);
        insta::assert_snapshot!("summary_json", json);
    });
}

fn kv_file_holds_exactly(records: Vec<Record>) -> TestCaseResult {
    let scenario = Scenario::new();
    let mut kept: Vec<Record> = Vec::new();
    scenario.database("code.db", |db| {
        let transaction = db.unchecked_transaction().unwrap();
        for record in records {
            // Random records may share an id or a key, which the table rejects.
            if insert_records(&transaction, [&record]).is_ok() {
                kept.push(record);
            }
        }
        transaction.commit().unwrap();
    });
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]);
    prop_assert_eq!(run.status, 0, "{}", run);
    let expected = kept.iter().map(|record| {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(record_key(record)), text(record.to_json().unwrap()))
    });
    prop_assert_eq!(kv::records(&scenario.path("out.kv")), expected.collect());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_records_of_a_database_are_copied_exactly_to_the_kv_file(
        records in prop::collection::vec(record(), 0..30)
    ) {
        kv_file_holds_exactly(records)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    #[ignore = "deep: 100 databases"]
    fn any_records_of_many_databases_are_copied_exactly_to_kv_files(
        records in prop::collection::vec(record(), 0..30)
    ) {
        kv_file_holds_exactly(records)?;
    }
}

#[test]
fn only_copies_the_selected_kinds() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    let args = ["sqlite-to-kv", "code.db", "out.kv", "--only", "symbol-metrics,execution-log"];
    let _ = scenario.run(&args).expect_status(0);
    assert_eq!(
        kv::keys(&scenario.path("out.kv")),
        ["execlog:run-1", "execlog:run-2", "metrics:symbol:10", "metrics:symbol:9"]
    );
    let sequences = kv::document(&scenario.path("out.kv"), "sequences");
    assert_eq!(sequences, serde_json::json!({"code_chunks": 0, "execution_log": 2}));
    let kinds = &kv::document(&scenario.path("out.kv"), "manifest")["kinds"];
    assert_eq!(kinds["chunk"]["records"], 0);
    assert_eq!(kinds["symbol-metrics"]["records"], 2);
}

#[test]
fn an_id_sequence_is_the_larger_of_sqlites_value_and_the_largest_id() {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        tables::insert_chunk(db, 50, "'a'", "0", "5");
        db.execute_batch(
            "UPDATE sqlite_sequence SET seq = 'garbage';
             INSERT INTO sqlite_sequence VALUES ('code_chunks', 7), ('execution_log', 99);",
        )
        .unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
    let sequences = kv::document(&scenario.path("out.kv"), "sequences");
    assert_eq!(sequences, serde_json::json!({"code_chunks": 50, "execution_log": 99}));
}

#[test]
fn missing_tables_are_reported_and_missing_nullable_columns_are_null() {
    let scenario = Scenario::new();
    scenario.bare_database("old.db", |db| {
        db.execute_batch(
            "CREATE TABLE file_metrics (file_path TEXT PRIMARY KEY, last_updated INTEGER);
             INSERT INTO file_metrics VALUES ('a.rs', 7);",
        )
        .unwrap();
    });
    let run = scenario.run(&["sqlite-to-kv", "old.db", "out.kv"]);
    with_snapshots(|| insta::assert_snapshot!("summary_missing_tables", run));
    let records = kv::records(&scenario.path("out.kv"));
    assert_eq!(
        records["metrics:file:a.rs"],
        r#"{"file_path":"a.rs","symbol_count":null,"loc":null,"estimated_loc":null,"fan_in":null,"fan_out":null,"complexity_score":null,"last_updated":7}"#
    );
}

#[test]
fn an_unknown_column_is_ignored_only_on_request() {
    let scenario = Scenario::new();
    scenario.database("new.db", |db| {
        tables::insert_chunk(db, 1, "'a.rs'", "0", "5");
        db.execute_batch("ALTER TABLE code_chunks ADD COLUMN \"lan\"\"guage\" TEXT").unwrap();
    });
    // A column that is NULL everywhere has no values to lose.
    let _ = scenario.run(&["sqlite-to-kv", "new.db", "null.kv"]).expect_status(0);

    let db = Connection::open(scenario.path("new.db")).unwrap();
    db.execute_batch("UPDATE code_chunks SET \"lan\"\"guage\" = 'rust'").unwrap();
    db.close().unwrap();
    let _ = scenario.run(&["sqlite-to-kv", "new.db", "out.kv"]).expect_status(2);
    let args = ["sqlite-to-kv", "new.db", "out.kv", "--without-column", "code_chunks.lan\"guage"];
    let run = scenario.run(&args).expect_status(0);
    assert!(run.stdout.contains("ignored        column code_chunks.lan\"guage"), "{run}");
}

#[test]
fn a_dry_run_reads_everything_and_writes_nothing() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    let before = scenario.files();
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv", "--dry-run"]).expect_status(0);
    assert!(run.stdout.contains("Dry run: 1,205 records would be copied"), "{run}");
    assert_eq!(scenario.files(), before);
}

#[test]
fn without_read_back_the_summary_says_so() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv", "--no-verify"]).expect_status(0);
    let end = "Copied 1,205 records. Not verified.
Next: compare it with its source:
    \
        chunkmigrate verify code.db out.kv
";
    assert!(run.stdout.ends_with(end), "{run}");
}

#[test]
fn quiet_prints_nothing_and_progress_only_on_request() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv", "--quiet"]).expect_status(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = scenario.run(&["sqlite-to-kv", "code.db", "b.kv"]).expect_status(0);
    assert_eq!(run.stderr, "");
    let run = scenario.run(&["sqlite-to-kv", "code.db", "c.kv", "--progress", "always"]);
    assert!(run.stderr.contains("copy chunk: 1,200 of 1,200\n"), "{run}");
    assert!(run.stderr.contains("read back symbol-metrics: 2 of 2\n"), "{run}");
}

#[test]
fn the_published_file_has_the_permissions_of_the_umask() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let mut shell = std::process::Command::new("sh");
        let script = format!("umask {umask}; exec \"$0\" sqlite-to-kv code.db {umask}.kv");
        shell.args(["-c", &script, crate::common::PROGRAM]).current_dir(scenario.folder());
        let _ = crate::common::Run::of(shell.output().unwrap()).expect_status(0);
        let metadata = fs::metadata(scenario.path(&format!("{umask}.kv"))).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "umask {umask}");
    }
}

#[test]
fn check_source_passes_an_intact_database() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    let args = ["sqlite-to-kv", "code.db", "out.kv", "--check-source"];
    let _ = scenario.run(&args).expect_status(0);
}

#[test]
fn unselected_tables_are_reported_and_need_not_be_valid() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch(
            "CREATE TABLE file_metrics (file_path TEXT PRIMARY KEY, last_updated INTEGER);
             INSERT INTO file_metrics VALUES ('a.rs', 7);
             CREATE TABLE execution_log (nothing_we_know);
             INSERT INTO execution_log VALUES (1), (2);
             CREATE VIEW code_chunks AS SELECT 1;",
        )
        .unwrap();
    });
    let args = ["sqlite-to-kv", "code.db", "out.kv", "--only", "file-metrics"];
    let run = scenario.run(&args).expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("summary_only", run));
    let run = scenario.run(&[&args[..], &["--replace", "--format", "json"]].concat());
    let kinds = run.json()["kinds"].as_array().unwrap().len();
    assert_eq!(kinds, 1, "{run}");
    assert_eq!(
        run.json()["uncopied_tables"],
        serde_json::json!([{"table": "execution_log", "rows": 2}])
    );
}

#[test]
fn a_corrupt_uncopied_table_is_reported_and_blocks_nothing() {
    let scenario = Scenario::new();
    let mut root = 0usize;
    let path = scenario.database("code.db", |db| {
        tables::insert_chunks(db, 10);
        db.execute_batch("CREATE TABLE other (a); INSERT INTO other VALUES (1)").unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'other'";
        root = db.query_row(sql, [], |row| row.get(0)).unwrap();
    });
    let mut bytes = fs::read(&path).unwrap();
    bytes[(root - 1) * 4096..root * 4096].fill(0);
    fs::write(&path, bytes).unwrap();
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
    assert!(run.stdout.contains("other (rows cannot be counted)"), "{run}");
    assert_eq!(kv::keys(&scenario.path("out.kv")).len(), 10);
}

#[test]
fn json_keeps_every_character() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch(tables::LOOSE_CHUNKS).unwrap();
        tables::insert_chunk(db, 1, "'a' || char(127, 27, 155, 8238) || 'b'", "0", "5");
        db.execute_batch("UPDATE code_chunks SET content = NULL").unwrap();
    });
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv", "--format", "json"]);
    let key = &run.json()["findings"][0]["key"];
    assert_eq!(key, "chunk:a\u{7f}\u{1b}\u{9b}\u{202e}b:0:5");
}

#[test]
fn temporary_files_go_to_the_given_directory() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", mixed);
    fs::create_dir(scenario.path("temp")).unwrap();
    let args = ["sqlite-to-kv", "code.db", "out.kv", "--temp-dir"];
    let _ = scenario.run(&[&args[..], &["temp"]].concat()).expect_status(0);
    for wrong in ["missing", "/dev/null", "code.db"] {
        let run = scenario.run(&[&args[..], &[wrong, "--replace"]].concat()).expect_status(2);
        let expected = format!("error: cannot use {wrong} for temporary files: not a directory");
        assert!(run.stderr.starts_with(&expected), "{run}");
    }
}
