//! Rows that a restored table refuses, because someone has changed the text or the KV file: each is
//! rejected by its key, and `--on-invalid skip` copies the rest.

use std::fs;

use serde_json::Value;

use crate::common::{Scenario, tables};

const TABLES: &str = "
    CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, stars INTEGER, score REAL,
        slug TEXT UNIQUE);
    INSERT INTO notes VALUES (1, 'one', 1, 0.5, 'a'), (2, 'two', 2, 1.5, 'b'), (3, '3', NULL, 2.0, 'c');
    CREATE UNIQUE INDEX by_title ON notes (title);
    CREATE TABLE typed (id INTEGER PRIMARY KEY, n INTEGER) STRICT;
    INSERT INTO typed VALUES (7, 1);";

/// The text of a database with [`TABLES`] and records, with `from` replaced by `to`.
fn edited(from: &str, to: &str) -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(tables::SMALL).unwrap();
        db.execute_batch(TABLES).unwrap();
    });
    let run = scenario.run(&["export", "code.db", "--tables", "all"]).expect_status(0);
    let text: Vec<&str> = run.stdout.lines().filter(|l| !l.contains(r#""kind":"end""#)).collect();
    let text = text.join("\n");
    assert_eq!(text.matches(from).count(), 1, "{text}");
    fs::write(scenario.path("edited"), text.replace(from, to)).unwrap();
    scenario
}

/// Imports the text into a KV file, which accepts it, and copies that into a database; imports it
/// into a database directly.
fn assert_rejected(from: &str, to: &str, key: &str, why: &str) {
    let scenario = edited(from, to);
    let import = |target, store| ["import", "edited", target, "--to", store];
    let _ = scenario.run(&import("new.kv", "kv")).expect_status(0);
    for copy in [import("new.db", "sqlite").to_vec(), vec!["kv-to-sqlite", "new.kv", "new.db"]] {
        let run = scenario.run(&copy).expect_status(1);
        let expected = format!("{key}: invalid-row: {why}");
        let is_text = copy[0] == "import";
        let expected = if is_text { format!("{why} (invalid-row, {key})") } else { expected };
        assert!(run.stdout.contains(&expected), "{expected}\n{run}");
        assert!(!scenario.path("new.db").exists());

        let skip = [&copy[..], &["--on-invalid", "skip", "--format", "json"]].concat();
        let run = scenario.run(&skip).expect_status(1);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["verified"], "read-back", "{run}");
        assert_eq!(report["findings_total"], 1, "{run}");
        let rejected = fs::read_to_string(scenario.path("new.db.rejects.jsonl")).unwrap();
        assert_eq!(rejected.lines().count(), 1, "{rejected}");
        let differs = scenario.run(&["verify", "new.kv", "new.db", "--format", "json"]);
        let differs: Value = serde_json::from_str(&differs.expect_status(1).stdout).unwrap();
        assert_eq!(differs["findings_total"], 1, "{differs}");
        assert_eq!(differs["findings"][0]["class"], "only-left");
        for file in ["new.db", "new.db.rejects.jsonl"] {
            fs::remove_file(scenario.path(file)).unwrap();
        }
    }
}

#[test]
fn a_null_in_a_column_that_has_none_is_rejected() {
    assert_rejected(
        r#""title":"two""#,
        r#""title":null"#,
        "notes id=2",
        "the table refuses it: NOT NULL constraint failed: notes.title",
    );
}

#[test]
fn a_value_that_a_column_would_convert_is_rejected() {
    let converts =
        |column| format!("the table refuses it: the column {column} would convert its value");
    assert_rejected(r#""stars":2"#, r#""stars":"2""#, "notes id=2", &converts("stars"));
    assert_rejected(r#""score":1.5"#, r#""score":1"#, "notes id=2", &converts("score"));
    assert_rejected(r#""title":"3""#, r#""title":3"#, "notes id=3", &converts("title"));
}

#[test]
fn a_value_of_another_type_than_a_strict_table_has_is_rejected() {
    assert_rejected(
        r#""n":1}"#,
        r#""n":"x"}"#,
        "typed id=7",
        "the table refuses it: cannot store TEXT value in INTEGER column typed.n",
    );
}

#[test]
fn a_value_that_must_be_unique_is_rejected() {
    assert_rejected(
        r#""slug":"b""#,
        r#""slug":"a""#,
        "notes id=2",
        "the table refuses it: UNIQUE constraint failed: notes.slug",
    );
}

/// The index is built after the rows: they are copied again.
#[test]
fn a_row_that_a_unique_index_refuses_is_rejected() {
    assert_rejected(
        r#""title":"two""#,
        r#""title":"one""#,
        "notes id=2",
        "the table refuses it: UNIQUE constraint failed: notes.title",
    );
}

#[test]
fn a_record_that_its_own_table_refuses_is_rejected() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| db.execute_batch(tables::SCHEMA_7).unwrap());
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--tables", "all"]);
    let run = scenario.run(&["export", "code.kv"]).expect_status(0);
    let record = r#"{"kind":"file-metrics","key":"metrics:file:a","value":{"file_path":"a","symbol_count":1,"loc":null,"estimated_loc":1.0,"fan_in":0,"fan_out":0,"complexity_score":0.0,"last_updated":0}}"#;
    let text: Vec<&str> = run.stdout.lines().filter(|l| !l.contains(r#""kind":"end""#)).collect();
    fs::write(scenario.path("edited"), [text.join("\n").as_str(), record].join("\n")).unwrap();
    let import = ["import", "edited", "new.db", "--to", "sqlite"];
    let run = scenario.run(&import).expect_status(1);
    let message = "table file_metrics refuses it: NOT NULL constraint failed: file_metrics.loc \
                   (invalid-row, metrics:file:a)";
    assert!(run.stdout.contains(message), "{run}");
    let run = scenario.run(&[&import[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
    assert!(scenario.path("new.db").exists(), "{run}");
}
