//! KV files with carried tables whose content is damaged or hostile: every change is a finding that
//! names it, or an error, and nothing of a hostile schema is created.

use std::fs;

use std::panic::catch_unwind;

use chunkmigrate::Progress;
use chunkmigrate::verify::{VerifyOptions, VerifyReport, verify_pair};
use fastrand::Rng;
use serde_json::{Value as Json, json};
use test_support::kv_file::Content;

use crate::common::{Scenario, tables};

/// A database with tables of several forms, besides those of the kinds.
const TABLES: &str = "
    CREATE TABLE notes (id TEXT PRIMARY KEY, note TEXT, vector BLOB);
    INSERT INTO notes VALUES ('a:1', 'first', x'0001'), ('b', NULL, x''), (NULL, 'third', 1.5);
    CREATE TABLE log (line); INSERT INTO log VALUES ('one'), (CAST(x'ff' AS TEXT)), (-7);
    CREATE TABLE pairs (a INTEGER, b REAL, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO pairs VALUES (1, 0.5, 'x'), (-1, 1e300, NULL);
    CREATE TABLE steps (id INTEGER PRIMARY KEY AUTOINCREMENT, n); INSERT INTO steps VALUES (7, 1);
    CREATE INDEX by_note ON notes (note); CREATE VIEW all_notes AS SELECT * FROM notes;
    CREATE TRIGGER on_log AFTER INSERT ON log BEGIN SELECT 1; END;
    PRAGMA user_version = 5;";

/// `code.db`, its copy `code.kv`, and the content of that.
fn carried() -> (Scenario, Content) {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(tables::SMALL).unwrap();
        db.execute_batch(TABLES).unwrap();
    });
    let _ =
        scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--tables", "all"]).expect_status(0);
    let content = Content::read(&scenario.path("code.kv")).without_manifest();
    (scenario, content)
}

/// The report on `code.db` and a file with this content; `None` if it can't be compared.
fn verify(scenario: &Scenario, content: &Content) -> Option<VerifyReport> {
    let path = scenario.path("bad.kv");
    let _ = std::fs::remove_file(&path);
    content.write(&path);
    let (left, options) = (scenario.path("code.db"), VerifyOptions::default().limit(usize::MAX));
    let verified = catch_unwind(|| verify_pair(&left, &path, &options, &Progress::none()));
    verified.expect("the verifier panicked").ok()
}

/// Changes a bit; returns the bytes around it.
fn flip(bytes: &mut [u8], numbers: &mut Rng) -> String {
    let at = numbers.usize(..bytes.len());
    bytes[at] ^= 1 << numbers.usize(..8);
    bytes[at.saturating_sub(30)..bytes.len().min(at + 20)].escape_ascii().to_string()
}

fn change_rows(tries: usize) {
    let (scenario, intact) = carried();
    assert!(verify(&scenario, &intact).unwrap().is_identical());
    let keys: Vec<_> = intact.records.keys().filter(|key| key.starts_with(b"table:")).collect();
    assert_eq!(keys.len(), 9);
    let mut numbers = Rng::with_seed(3);
    for _ in 0..tries {
        let key = keys[numbers.usize(..keys.len())].clone();
        let mut content = intact.clone();
        let mut value = content.records.remove(&key).unwrap();
        let mut stored_under = key.clone();
        let is_key = numbers.bool();
        let _ = flip(if is_key { &mut stored_under } else { &mut value }, &mut numbers);
        let what = format!("{} {}", stored_under.escape_ascii(), value.escape_ascii());
        // Another row of the table may have the key.
        let _ = content.records.insert(stored_under, value);
        let report = verify(&scenario, &content).unwrap_or_else(|| panic!("{what}"));
        assert!(!report.is_identical(), "{what}");
        let found = report.findings.iter().find(|finding| finding.key.as_ref() == Some(&key));
        let found = found.unwrap_or_else(|| panic!("{what}: {:?}", report.findings));
        let table = std::str::from_utf8(&key).unwrap().split(':').nth(1).unwrap();
        assert_eq!(found.kind.as_ref().unwrap().to_string(), format!("table:{table}"), "{what}");
    }
}

fn change_documents(tries: usize) {
    let (scenario, intact) = carried();
    let compared = |document: &[u8]| {
        let mut document: Json = serde_json::from_slice(document).ok()?;
        // How the file is stored does not matter to its content.
        for setting in ["page_size", "auto_vacuum", "wal"] {
            let settings = document["whole"]["settings"].as_object_mut()?;
            let _ = settings.insert(setting.to_owned(), Json::Null);
        }
        Some(document)
    };
    let mut numbers = Rng::with_seed(4);
    for _ in 0..tries {
        let mut content = intact.clone();
        let document = content.documents.get_mut("tables").unwrap();
        let what = flip(document, &mut numbers);
        if compared(document) == compared(&intact.documents["tables"]) {
            continue;
        }
        let report = verify(&scenario, &content);
        assert!(report.is_none_or(|report| !report.is_identical()), "{what}");
    }
}

#[test]
fn changed_rows_are_reported_by_table_and_key() {
    change_rows(60);
}

#[test]
#[ignore = "deep: 400 changed rows"]
fn many_changed_rows_are_reported_by_table_and_key() {
    change_rows(400);
}

#[test]
fn changed_descriptions_of_tables_are_reported() {
    change_documents(60);
}

#[test]
#[ignore = "deep: 400 changed documents"]
fn many_changed_descriptions_of_tables_are_reported() {
    change_documents(400);
}

/// Files with a changed document `tables`: what is changed in it, and what the message says.
fn assert_refused(change: impl FnOnce(&mut Json), expected: &str) {
    let (scenario, mut content) = carried();
    let mut document: Json = serde_json::from_slice(&content.documents["tables"]).unwrap();
    change(&mut document);
    content.set_document("tables", serde_json::to_vec(&document).unwrap());
    content.write(&scenario.path("bad.kv"));
    let before = scenario.files();
    let run = scenario.run(&["kv-to-sqlite", "bad.kv", "back.db"]).expect_status(2);
    assert!(run.stderr.contains(expected), "{expected}: {run}");
    assert_eq!(scenario.files().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
}

/// The table with a name in a document.
fn table<'d>(document: &'d mut Json, name: &str) -> &'d mut Json {
    let tables = document["tables"].as_array_mut().unwrap();
    tables.iter_mut().find(|table| table["name"] == name).unwrap()
}

fn object<'d>(document: &'d mut Json, name: &str) -> &'d mut Json {
    let objects = document["whole"]["objects"].as_array_mut().unwrap();
    objects.iter_mut().find(|object| object["name"] == name).unwrap()
}

#[test]
fn statements_that_are_not_what_they_claim_are_refused_by_name() {
    for statement in [
        "DROP TABLE code_chunks",
        "CREATE TABLE other (line)",
        "CREATE TABLE log (line); DROP TABLE notes",
        "CREATE TABLE log (line) -- ;\n; SELECT 1",
        "CREATE TEMP TABLE log (line)",
        "CREATE TABLE log AS SELECT 1 AS line",
        "CREATE VIEW log AS SELECT 1 AS line",
        "ATTACH 'x.db' AS x",
        "PRAGMA writable_schema = ON",
        "",
        "VACUUM INTO 'x.db'",
        "CREATE TABLE log (line, other)",
        "CREATE TABLE log (line PRIMARY KEY) WITHOUT ROWID",
        "CREATE VIRTUAL TABLE log USING fts5(line)",
        "CREATE TABLE log (line) garbage",
    ] {
        assert_refused(|document| table(document, "log")["sql"] = json!(statement), "table log");
    }
    for (name, statement) in [
        ("by_note", "CREATE INDEX by_note ON log (line)"),
        ("by_note", "CREATE UNIQUE INDEX other ON notes (note)"),
        ("by_note", "INSERT INTO notes VALUES (1, 2, 3)"),
        ("all_notes", "CREATE TABLE all_notes (a)"),
        ("on_log", "CREATE TRIGGER on_log AFTER INSERT ON notes BEGIN SELECT 1; END"),
        ("on_log", "CREATE TEMP TRIGGER on_log AFTER INSERT ON log BEGIN SELECT 1; END"),
    ] {
        assert_refused(|document| object(document, name)["sql"] = json!(statement), name);
    }
}

#[test]
fn contradictory_descriptions_are_refused() {
    assert_refused(
        |document| {
            let table = table(document, "log").clone();
            document["tables"].as_array_mut().unwrap().push(table);
        },
        "two tables have the same name",
    );
    assert_refused(
        |document| table(document, "log")["name"] = json!("NOTES"),
        "two tables have the same name",
    );
    assert_refused(
        |document| table(document, "notes")["key"] = json!([3]),
        "a key has a column that its table lacks",
    );
    assert_refused(|document| table(document, "notes")["key"] = json!([1]), "table notes");
    assert_refused(|document| table(document, "notes")["key"] = json!([0, 0]), "table notes");
    assert_refused(
        |document| table(document, "notes")["columns"] = json!(["id", "note"]),
        "table notes",
    );
    assert_refused(|document| table(document, "notes")["rowid"] = json!(false), "table notes");
    assert_refused(
        |document| table(document, "notes")["kind"] = json!("chunk"),
        "two tables have the same kind",
    );
    assert_refused(
        |document| table(document, "notes")["name"] = json!("sqlite_stat1"),
        "sqlite_stat1",
    );
    assert_refused(|document| document["encoding"] = json!("UTF-7"), "encoding");
    assert_refused(
        |document| document["whole"]["settings"]["page_size"] = json!(4097),
        "page_size",
    );
    assert_refused(
        |document| document["whole"]["settings"]["page_size"] = json!(1_u64 << 40),
        "tables",
    );
    assert_refused(
        |document| document["whole"]["settings"]["auto_vacuum"] = json!(9),
        "auto_vacuum",
    );
    assert_refused(|document| document["unknown"] = json!(1), "tables");
    assert_refused(
        |document| table(document, "notes")["key"] = json!([u64::MAX]),
        "a key has a column that its table lacks",
    );
}

#[test]
fn too_many_objects_are_refused_before_one_is_created() {
    let started = std::time::Instant::now();
    assert_refused(
        |document| {
            let view = |number: usize| {
                let name = format!("v{number}");
                let sql = format!("CREATE VIEW {name} AS SELECT 1");
                json!({"type": "view", "name": name, "table": name, "sql": sql})
            };
            document["whole"]["objects"] = (0..10_001).map(view).collect();
        },
        "at most 10000 are supported",
    );
    assert!(started.elapsed().as_secs() < 20);
}

/// Gigantic counts and lengths in rows are invalid values, whatever memory they ask for.
#[test]
fn rows_with_gigantic_lengths_are_rejected_by_key() {
    for value in
        ["[{\"blob\":18446744073709551615},null,null]\0", "[{\"text\":9223372036854775807},1,2]\0x"]
    {
        let (scenario, mut content) = carried();
        let key = b"table:notes:'b".to_vec();
        assert!(content.records.insert(key, value.into()).is_some());
        content.write(&scenario.path("bad.kv"));
        let run = scenario.run(&["kv-to-sqlite", "bad.kv", "back.db"]).expect_status(1);
        assert!(run.stdout.contains("notes id='b'"), "{run}");
        assert!(!scenario.path("back.db").exists());
    }
}

/// Pages are checked before the description of tables in them is used.
#[test]
fn a_corrupt_file_is_reported_as_corrupt_beside_a_database() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--tables", "t"]);
    let intact = fs::read(scenario.path("code.kv")).unwrap();
    for page in 1..intact.len() / 4096 {
        let mut damaged = intact.clone();
        damaged[page * 4096] ^= 1;
        fs::write(scenario.path("code.kv"), damaged).unwrap();
        for files in [["code.db", "code.kv"], ["code.kv", "code.db"]] {
            let run = scenario.run(&[&["verify"], &files[..]].concat());
            assert!(!run.stderr.contains("panicked"), "page {page}: {run}");
            let is_unused = run.status == 0;
            assert!(is_unused || run.stderr.contains("code.kv"), "page {page}: {run}");
        }
    }
    fs::write(scenario.path("code.kv"), &intact[..intact.len() - 4096]).unwrap();
    let run = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(2);
    assert!(run.stderr.contains("code.kv is corrupt"), "{run}");
}
