//! Why a row or a value is invalid: one sentence, the same in every report.

use std::fs;

use test_support::kv_file::Content;

use crate::common::Scenario;
use crate::common::tables::{LOOSE_CHUNKS, insert_chunk};

/// Tables that accept anything.
const LOOSE_METRICS: &str = "
    CREATE TABLE file_metrics (file_path, symbol_count, loc, estimated_loc, fan_in, fan_out,
        complexity_score, last_updated);";

/// What is inserted, with the reason code and the line that reports it.
const ROWS: [(&str, &str, &str); 14] = [
    (
        "INSERT INTO code_chunks VALUES (1, NULL, 0, 5, '', '', NULL, NULL, 7)",
        "null",
        "code_chunks row 1 (file_path NULL, byte_start 0, byte_end 5): file_path is NULL, must be TEXT",
    ),
    (
        "INSERT INTO code_chunks VALUES (2, 'a', -5, 9, '', '', NULL, NULL, 7)",
        "range",
        "code_chunks row 2 (file_path \"a\", byte_start -5, byte_end 9): byte_start is -5, must be 0 or \
         more",
    ),
    (
        "INSERT INTO code_chunks VALUES (3, 'b', 0, 5, x'00', '', NULL, NULL, 7)",
        "storage-class",
        "code_chunks row 3 (file_path \"b\", byte_start 0, byte_end 5): content is a BLOB, must be TEXT",
    ),
    (
        "INSERT INTO code_chunks VALUES (4, 'c', 'x', 5, '', '', NULL, NULL, 7)",
        "storage-class",
        "code_chunks row 4 (file_path \"c\", byte_start \"x\", byte_end 5): byte_start is TEXT, must be \
         an INTEGER",
    ),
    (
        "INSERT INTO code_chunks VALUES (5, CAST(x'61ff' AS TEXT), 0, 5, '', '', NULL, NULL, 7)",
        "not-utf8",
        "code_chunks row 5 (file_path x'61ff', byte_start 0, byte_end 5): file_path is not valid UTF-8",
    ),
    (
        "INSERT INTO code_chunks VALUES (6, 7, 0, 5, '', '', NULL, NULL, 7)",
        "storage-class",
        "code_chunks row 6 (file_path 7, byte_start 0, byte_end 5): file_path is the INTEGER 7, must \
         be TEXT",
    ),
    (
        "INSERT INTO code_chunks VALUES (7, 'd', 0, 5, '', '', 1.5, NULL, 7)",
        "storage-class",
        "code_chunks row 7 (file_path \"d\", byte_start 0, byte_end 5): symbol_name is the REAL 1.5, \
         must be TEXT or NULL",
    ),
    (
        "INSERT INTO code_chunks VALUES (8, 'twice', 0, 5, '', '', NULL, NULL, 7)",
        "duplicate-key",
        "code_chunks row 8 (file_path \"twice\", byte_start 0, byte_end 5): row 9 has the same key",
    ),
    (
        "INSERT INTO code_chunks VALUES (9, 'twice', 0, 5, '', '', NULL, NULL, 7)",
        "duplicate-key",
        "code_chunks row 9 (file_path \"twice\", byte_start 0, byte_end 5): rows 8 and 10 have the \
         same key",
    ),
    (
        "INSERT INTO code_chunks VALUES (10, 'twice', 0, 5, '', '', NULL, NULL, 7)",
        "duplicate-key",
        "code_chunks row 10 (file_path \"twice\", byte_start 0, byte_end 5): row 9 has the same key",
    ),
    (
        "INSERT INTO code_chunks VALUES (70, 'e', 0, 5, '', '', NULL, NULL, 7)",
        "duplicate-id",
        "code_chunks row 11 (file_path \"e\", byte_start 0, byte_end 5): row 12 has the same id 70",
    ),
    (
        "INSERT INTO code_chunks VALUES (70, 'f', 0, 5, '', '', NULL, NULL, 7)",
        "duplicate-id",
        "code_chunks row 12 (file_path \"f\", byte_start 0, byte_end 5): row 11 has the same id 70",
    ),
    (
        "INSERT INTO file_metrics VALUES ('a', 1, 1, 9e999, 1, 1, 1.5, 7)",
        "not-finite",
        "file_metrics row 1 (file_path \"a\"): estimated_loc is infinite, must be a finite number",
    ),
    (
        "INSERT INTO file_metrics VALUES ('b', 1, 1, 1.5, 1, 1, -9e999, 7)",
        "not-finite",
        "file_metrics row 2 (file_path \"b\"): complexity_score is minus infinity, must be a finite \
         number",
    ),
];

/// A scenario with `odd.db`, which has all of these rows, and `empty.kv` to compare it with.
fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.bare_database("odd.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        db.execute_batch(LOOSE_METRICS).unwrap();
        for (sql, _, _) in ROWS {
            db.execute_batch(sql).unwrap();
        }
    });
    Content::of_records(&[]).write(&scenario.path("empty.kv"));
    scenario
}

#[test]
fn a_reason_is_a_sentence_with_the_rows_key_in_every_report() {
    let scenario = scenario();
    let copy = scenario
        .run(&["sqlite-to-kv", "odd.db", "out.kv", "--limit", "99", "--rejects", "why.jsonl"])
        .expect_status(1);
    let verify = scenario
        .run(&["verify", "odd.db", "empty.kv", "--limit", "99", "--report", "all.jsonl"])
        .expect_status(1);
    let export = scenario.run(&["export", "odd.db"]).expect_status(1);
    for (_, _, line) in ROWS {
        assert!(copy.stdout.contains(&format!("\n  {line}\n")), "{line}: {copy}");
        assert!(verify.stdout.contains(&format!("\n    left: {line}")), "{line}: {verify}");
        assert!(export.stderr.contains(line), "{line}: {export}");
    }

    let json = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let rejects: Vec<_> = scenario.lines("why.jsonl").iter().map(json).collect();
    let report: Vec<_> = scenario.lines("all.jsonl").iter().map(json).collect();
    for (_, reason, line) in ROWS {
        let sentence = line.split_once("): ").unwrap().1;
        let is_reported = |finding: &serde_json::Value| {
            let message = finding["message"].as_str().unwrap();
            finding["reason"] == reason && message == sentence
        };
        assert!(rejects.iter().any(is_reported), "{line}: {rejects:?}");
        let is_found = |finding: &serde_json::Value| {
            let message = finding["message"].as_str().unwrap();
            finding["row"]["reason"] == reason && message.starts_with(line)
        };
        assert!(report.iter().any(is_found), "{line}: {report:?}");
    }
    let rows = report.iter().filter(|finding| finding["class"] == "invalid-row");
    assert_eq!((rejects.len(), rows.count()), (ROWS.len(), ROWS.len()));
}

#[test]
fn invalid_text_of_a_utf16_database_is_reported_as_invalid_utf16() {
    let scenario = Scenario::new();
    scenario.bare_database("odd.db", |db| {
        db.execute_batch("PRAGMA encoding = 'UTF-16le'").unwrap();
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "CAST(x'00d8' AS TEXT)", "0", "5");
    });
    let run = scenario.run(&["sqlite-to-kv", "odd.db", "out.kv"]).expect_status(1);
    assert!(run.stdout.contains("file_path is not valid UTF-16: lone surrogate\n"), "{run}");
}

#[test]
fn quoted_values_are_escaped_and_shortened() {
    let scenario = Scenario::new();
    scenario.bare_database("odd.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        let long = "'\u{1b}[31m\u{202e}' || hex(zeroblob(50000))";
        insert_chunk(db, 1, long, "-1", "zeroblob(100000)");
    });
    Content::of_records(&[]).write(&scenario.path("empty.kv"));
    let args = ["verify", "odd.db", "empty.kv", "--format", "json"];
    let json = scenario.run(&args).expect_status(1).json();
    let message = json["findings"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("code_chunks row 1 (file_path \"\\u{1b}[31m\\u{202e}00"),
        "{message}"
    );
    assert!(message.contains("byte_end x'00000000000000000000000000000000…')"), "{message}");
    assert!(message.len() < 300, "{message}");
}

/// When redacted, a sentence has numbers and column names, and no text of the stores.
#[test]
fn redacted_reasons_quote_no_text() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    content.edit("chunk:src/lib.rs:0:12", "\"created_at\":7", "\"created_at\":\"secret\"");
    content.edit("chunk:src/lib.rs:13:16", "\"id\"", "\"secret\"");
    content.edit("metrics:file:src/lib.rs", "src/lib.rs", "secret.rs");
    content.edit("metrics:symbol:1", "\"loc\":1", "\"loc\":1.5");
    content.write(&scenario.path("odd.kv"));
    scenario.bare_database("odd.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'secret.rs'", "-5", "5");
        insert_chunk(db, 2, "CAST(x'736563726574ff' AS TEXT)", "0", "5");
    });
    for (store, expected) in [
        ("odd.kv", "created_at is a string, must be an integer"),
        ("odd.kv", "unknown field"),
        ("odd.kv", "the record belongs to another key"),
        ("odd.kv", "loc is 1.5, must be an integer or null"),
        ("odd.db", "code_chunks row 1: byte_start is -5, must be 0 or more"),
        ("odd.db", "code_chunks row 2: file_path is not valid UTF-8"),
    ] {
        let args = ["verify", "code.kv", store, "--html", "page.html", "--report", "all.jsonl"];
        let values = ["--values", "redacted"];
        let text = scenario.run(&[&args[..], &values].concat()).expect_status(1);
        let format = ["--format", "json"];
        let args = [&args[..], &values, &format].concat();
        let json = scenario.run(&args).expect_status(1);
        let read = |name| fs::read_to_string(scenario.path(name)).unwrap();
        for shown in [text.stdout, json.stdout, read("page.html"), read("all.jsonl")] {
            assert!(shown.contains(expected), "{expected}: {shown}");
            assert!(!shown.contains("secret") && !shown.contains("736563"), "{shown}");
        }
    }
    let args = ["verify", "code.kv", "odd.kv"];
    let full = scenario.run(&args).expect_status(1);
    assert!(full.stdout.contains("created_at is \"secret\", must be an integer"), "{full}");
}
