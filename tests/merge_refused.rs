//! Records that the target of a merge rejects are reported with the true reason, and all others can
//! be merged without them.

use std::fs;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite};
use rusqlite::Connection;
use test_support::kv_file::Content;

#[cfg(target_os = "linux")]
use crate::common::preload::peak_kib;
use crate::common::{Scenario, rows, tables, with_snapshots};

#[test]
fn constraints_of_an_older_schema_are_kept() {
    let scenario = Scenario::with_small_pair();
    scenario.bare_database("target.db", |db| {
        db.execute_batch(tables::SCHEMA_7).unwrap();
        db.execute_batch("INSERT INTO graph_entities (id, name) VALUES (2, 'main')").unwrap();
    });
    let before = scenario.files();
    let command = ["kv-to-sqlite", "code.kv", "target.db", "--merge"];
    let run = scenario.run(&command).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("merge_refused", run));
    assert_eq!(scenario.files(), before);

    let run = scenario.run(&[&command[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
    let rejects = fs::read_to_string(scenario.path("target.db.rejects.jsonl")).unwrap();
    with_snapshots(|| {
        insta::assert_snapshot!("merge_refused_skip", run);
        insta::assert_snapshot!("merge_refused_rejects", rejects);
    });
    let found = rows::of_database(&scenario.path("target.db"));
    let of = |table: &str| found.iter().filter(|row| row.starts_with(table)).count();
    assert_eq!((of("code_chunks"), of("file_metrics"), of("symbol_metrics")), (3, 0, 0));
}

const CHUNKS: &str = "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL, byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL,
    content TEXT NOT NULL, content_hash TEXT NOT NULL, symbol_name TEXT, symbol_kind TEXT,
    created_at INTEGER NOT NULL, UNIQUE (file_path, byte_start, byte_end))";

const MERGE: [&str; 6] = ["kv-to-sqlite", "code.kv", "target.db", "--merge", "--only", "chunk"];

/// [`CHUNKS`] with something replaced: the last parenthesis, or the first occurrence of anything
/// else.
fn chunks(from: &str, to: &str) -> String {
    assert!(CHUNKS.contains(from), "{from}");
    match from {
        ")" => format!("{}{to}", CHUNKS.strip_suffix(')').unwrap()),
        _ => CHUNKS.replacen(from, to, 1),
    }
}

/// Creates a target whose table of chunks is [`CHUNKS`] with something replaced, and more.
fn target(scenario: &Scenario, from: &str, to: &str, more: &str) {
    let _ = fs::remove_file(scenario.path("target.db"));
    scenario.bare_database("target.db", |db| {
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        db.execute_batch(&chunks(from, to)).unwrap();
        db.execute_batch(more).unwrap();
    });
}

#[test]
fn a_record_is_rejected_with_sqlites_reason_and_the_rest_is_merged() {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "UPDATE code_chunks SET content = '0123' WHERE id = 2");
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--replace"]).expect_status(0);
    let (first, second) = ("chunk:src/lib.rs:0:12", "chunk:src/lib.rs:13:16");
    let empty = "chunk:src/a::b.rs:0:0";
    for (from, to, more, key, reason, message) in [
        (
            "content TEXT",
            "content STRING",
            "",
            second,
            "storage-class",
            "the target's column content is declared STRING and would store the value as INTEGER",
        ),
        (
            "created_at INTEGER",
            "created_at TEXT",
            "",
            "",
            "storage-class",
            "the target's column created_at is declared TEXT and would store the value as TEXT",
        ),
        (
            ")",
            ", CHECK (length(content) < 9))",
            "",
            first,
            "constraint",
            "CHECK constraint failed: length(content) < 9",
        ),
        (
            ")",
            ", CONSTRAINT content CHECK (byte_end < 16))",
            "",
            second,
            "constraint",
            "CHECK constraint failed: content",
        ),
        (
            "symbol_name TEXT",
            "symbol_name TEXT NOT NULL",
            "DELETE FROM code_chunks",
            "",
            "null",
            "NOT NULL constraint failed: code_chunks.symbol_name",
        ),
        (
            "content TEXT",
            "content TEXT COLLATE NOCASE",
            "CREATE UNIQUE INDEX one ON code_chunks (content);
             INSERT INTO code_chunks VALUES (50, 'own', 0, 1, 'FN MAIN() {}', 'h', NULL, NULL, 1)",
            first,
            "constraint",
            "UNIQUE constraint failed: code_chunks.content",
        ),
        // The collation of the target makes two keys equal.
        (
            "file_path TEXT NOT NULL",
            "file_path TEXT NOT NULL COLLATE NOCASE",
            "INSERT INTO code_chunks VALUES (50, 'SRC/LIB.RS', 0, 12, 'own', 'h', NULL, NULL, 1)",
            first,
            "constraint",
            "UNIQUE constraint failed: code_chunks.file_path",
        ),
        (
            ", UNIQUE (file_path, byte_start, byte_end)",
            "",
            "INSERT INTO code_chunks VALUES (60, 'src/lib.rs', 0, 12, 'a', 'h', NULL, NULL, 1),
                (61, 'src/lib.rs', 0, 12, 'b', 'h', NULL, NULL, 1)",
            first,
            "duplicate-key",
            "the target has several rows with this key, among them 60 and 61",
        ),
        // Neither of the two is valid by itself.
        (
            ", UNIQUE (file_path, byte_start, byte_end)",
            "",
            "INSERT INTO code_chunks VALUES (60, 'src/lib.rs', 0, 12, x'00', 'h', NULL, NULL, 1),
                (61, 'src/lib.rs', 0, 12, x'00', 'h', NULL, NULL, 1)",
            first,
            "duplicate-key",
            "the target has several rows with this key, among them 60 and 61",
        ),
        (
            "file_path TEXT NOT NULL",
            "file_path TEXT NOT NULL REFERENCES files (path)",
            "CREATE TABLE files (path TEXT PRIMARY KEY); INSERT INTO files VALUES ('src/lib.rs')",
            empty,
            "constraint",
            "file_path references src/a:b.rs, which does not exist in files",
        ),
        (
            "file_path TEXT NOT NULL",
            "file_path TEXT NOT NULL REFERENCES files (path) DEFERRABLE INITIALLY DEFERRED",
            "CREATE TABLE files (path TEXT PRIMARY KEY); INSERT INTO files VALUES ('src/lib.rs')",
            empty,
            "constraint",
            "file_path references src/a:b.rs, which does not exist in files",
        ),
        (
            "created_at INTEGER NOT NULL",
            "created_at INTEGER NOT NULL REFERENCES nowhere (x)",
            "",
            "",
            "constraint",
            "in nowhere, but that table does not exist",
        ),
        // A column of the target's own that can't be computed from it.
        (
            "symbol_kind TEXT,",
            "symbol_kind TEXT, own INTEGER AS (json_extract(content, '$')) STORED,",
            "",
            first,
            "constraint",
            "malformed JSON",
        ),
    ] {
        target(&scenario, from, to, more);
        let files = scenario.files();
        let json = [&MERGE[..], &["--format", "json"]].concat();
        let json = scenario.run(&json).expect_status(1).json();
        let findings = json["findings"].as_array().unwrap();
        assert!(!findings.is_empty() && scenario.files() == files, "{to}: {json}");
        for finding in findings {
            assert_eq!(finding["class"], "invalid-row", "{to}");
            let is_named = key.is_empty() || finding["key"] == key || findings.len() > 1;
            assert!(is_named, "{to}: {finding}");
            assert_eq!(finding["row"]["reason"], reason, "{to}: {finding}");
            assert!(finding["message"].as_str().unwrap().contains(message), "{to}: {finding}");
        }
        let run = scenario.run(&[&MERGE[..], &["--on-invalid", "skip"]].concat());
        let run = run.expect_status(1);
        assert!(run.stdout.contains("rejected."), "{to}: {run}");
        assert!(!run.stdout.contains("may be failing"), "{to}: {run}");
        let db = Connection::open(scenario.path("target.db")).unwrap();
        let written: usize = db
            .query_row("SELECT count(*) FROM code_chunks WHERE id <= 3", [], |row| row.get(0))
            .unwrap();
        assert_eq!(written, 3 - findings.len(), "{to}: {run}");
        drop(db);
        // A second run changes nothing and reports the same.
        let files = scenario.files();
        let again = scenario.run(&[&MERGE[..], &["--on-invalid", "skip"]].concat());
        let _ = again.expect_status(1);
        assert_eq!(scenario.files(), files, "{to}");
    }
}

/// A row that violates its foreign key may have been there before: only written ones count.
#[test]
fn foreign_keys_of_unwritten_rows_are_not_checked() {
    let scenario = Scenario::with_small_pair();
    target(
        &scenario,
        "file_path TEXT NOT NULL",
        "file_path TEXT NOT NULL REFERENCES files (path)",
        "CREATE TABLE files (path TEXT PRIMARY KEY);
         INSERT INTO files VALUES ('src/lib.rs'), ('src/a:b.rs');
         INSERT INTO code_chunks VALUES (50, 'gone.rs', 0, 1, '', 'h', NULL, NULL, 1)",
    );
    let _ = scenario.run(&MERGE).expect_status(0);
}

#[test]
fn a_table_that_accepts_no_record_is_an_error_with_a_hint() {
    let scenario = Scenario::with_small_pair();
    for (from, to, why) in [
        (
            "content_hash TEXT NOT NULL",
            "content_hash TEXT AS (hex(content)) STORED",
            "generated column",
        ),
        (
            "created_at INTEGER NOT NULL",
            "created_at INTEGER NOT NULL CHECK (norm(created_at) > 0)",
            "norm",
        ),
        (
            "file_path TEXT NOT NULL",
            "file_path TEXT NOT NULL REFERENCES files (path)",
            "foreign key mismatch",
        ),
    ] {
        let _ = fs::remove_file(scenario.path("target.db"));
        scenario.bare_database("target.db", |db| {
            let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
            db.create_scalar_function("norm", 1, flags, |_| Ok(1)).unwrap();
            db.execute_batch(&chunks(from, to)).unwrap();
            db.execute_batch("CREATE TABLE files (path TEXT)").unwrap();
        });
        let before = scenario.files();
        for more in [&[][..], &["--on-invalid", "skip"], &["--dry-run"]] {
            let run = scenario.run(&[&MERGE[..], more].concat()).expect_status(2);
            assert!(
                run.stderr.contains("cannot write any record into table code_chunks of target.db"),
                "{run}"
            );
            assert!(run.stderr.contains(why) && run.stderr.contains("hint:"), "{run}");
            assert_eq!(scenario.files(), before);
        }
        // The other kinds can be merged, as the hint says.
        let others = ["--only", "execution-log,file-metrics,symbol-metrics"];
        let _ = scenario.run(&[&MERGE[..4], &others].concat()).expect_status(0);
    }
}

/// A column that occurs only in the constraint's text is not reported.
#[test]
fn a_column_is_reported_only_if_sqlite_names_it() {
    for (check, column) in [
        ("CHECK (length(content) < 9)", ""),
        ("CONSTRAINT content CHECK (length(content) < 9)", ""),
        ("CONSTRAINT one UNIQUE (content_hash)", "content_hash"),
    ] {
        let scenario = Scenario::with_small_export();
        let more = "INSERT INTO code_chunks VALUES (50, 'own', 0, 1, 'own', 'ef32637cb9c3ec2e3968c9cbdf26a5e9c172be94f88af533e14bd43f892d5297', NULL, NULL, 1)";
        target(&scenario, ")", &format!(", {check})"), more);
        let args =
            ["import", "code.ndjson", "target.db", "--to", "sqlite", "--merge", "--only", "chunk"];
        let json = [&args[..], &["--format", "json"]].concat();
        let json = scenario.run(&json).expect_status(1).json();
        assert_eq!(json["findings"][0]["row"]["column"], column, "{json}");
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "deep: merges 30 MiB of records three times"]
fn rejected_records_take_constant_memory() {
    const RECORDS: i64 = 300;
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch("BEGIN").unwrap();
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO code_chunks SELECT i, 'src/' || i || '.rs', 0, 2000,
                 hex(zeroblob(50000)), 'hash', NULL, NULL, 7 FROM n",
            [RECORDS],
        )
        .unwrap();
        db.execute_batch("COMMIT").unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--no-verify"]).expect_status(0);
    let skip = [&MERGE[..], &["--on-invalid", "skip"]].concat();
    // The same records, once all written and once all rejected, for each reason to reject them.
    target(&scenario, "content", "content", "");
    let written = peak_kib(&scenario, &skip, 0);
    let taken = format!(
        "INSERT INTO code_chunks SELECT id, 'own' || id, 0, 1, '', 'h', NULL, NULL, 1 FROM (
             WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {RECORDS})
             SELECT id FROM n)"
    );
    for (from, to, more) in [(")", ", CHECK (byte_end < 9))", ""), ("content", "content", &taken)] {
        target(&scenario, from, to, more);
        // The values take 30 MiB. A reader that is far ahead, as on a busy machine, and what SQLite
        // keeps in memory for temporary tables take less than half of that.
        let rejected = peak_kib(&scenario, &skip, 1);
        let more = rejected.saturating_sub(written) >> 10;
        assert!(more < 15, "{to}: {more} MiB more for {RECORDS} rejected records");
    }
}

#[test]
fn records_with_duplicate_ids_are_all_reported_and_not_merged() {
    let scenario = Scenario::new();
    let path = |name: &str| scenario.path(name);
    scenario.database("code.db", |db| tables::insert_chunks(db, 6));
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    let mut content = Content::read(&path("code.kv")).without_manifest();
    for value in content.records.values_mut() {
        let text = String::from_utf8(value.clone()).unwrap();
        *value =
            text.replace("\"id\":4,", "\"id\":3,").replace("\"id\":6,", "\"id\":3,").into_bytes();
    }
    content.write(&path("shared.kv"));
    scenario.database("target.db", |_| {});
    let options = CopyOptions::default().merge(true).skip_invalid(true);
    let progress = Progress::none();
    let summary =
        kv_to_sqlite(&path("shared.kv"), &path("target.db"), &options, &progress).unwrap();
    assert_eq!(summary.rejected_total(), 3);
    let found = rows::of_database(&path("target.db"));
    assert_eq!(found.iter().filter(|row| row.starts_with("code_chunks")).count(), 3);
}
