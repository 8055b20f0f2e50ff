//! Rows of tables of any shape are merged by their primary keys.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::common::{Run, Scenario, tables};

const SCHEMA: &str = "
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT UNIQUE, body);
    CREATE TABLE tags (name TEXT, note INTEGER, weight, PRIMARY KEY (name, note)) WITHOUT ROWID;
    CREATE TABLE files (path TEXT PRIMARY KEY, hash BLOB, size INT AS (length(hash)));
    CREATE TABLE log (line);
    CREATE VIRTUAL TABLE notes_text USING fts5(title, body, content='notes', content_rowid='id');
    CREATE TABLE seen (note INTEGER PRIMARY KEY REFERENCES notes (id));
    CREATE TRIGGER on_note AFTER INSERT ON notes BEGIN INSERT INTO log VALUES (new.title); END;";

const OLD: &str = "
    INSERT INTO notes VALUES (1, 'one', 'kept'), (2, 'two', x'00'), (3, 'three', 1.0);
    INSERT INTO tags VALUES ('a', 1, NULL), ('a', 2, 1), ('b', 2, 'x');
    INSERT INTO files (rowid, path, hash) VALUES (5, 'a.rs', x'01'), (9, 'b.rs', x'02'), (1, NULL, x'');
    INSERT INTO notes_text (notes_text) VALUES ('rebuild'); DELETE FROM log;";

/// The titles of two notes are swapped, and the last note was deleted.
const NEW: &str = "
    INSERT INTO notes VALUES (2, 'three', x'00'), (3, 'two', 1.0), (7, 'seven', CAST(x'ff' AS TEXT)),
        (9, 'nine', NULL);
    DELETE FROM notes WHERE id = 9;
    INSERT INTO tags VALUES ('a', 2, 1.0), ('c', 2, -0.0);
    INSERT INTO files (rowid, path, hash) VALUES (5, 'c.rs', x'03'), (6, 'b.rs', x'22'), (7, 'a.rs', x'01');
    INSERT INTO log VALUES ('new'); DELETE FROM log WHERE line <> 'new';";

/// `old.db` and `old.kv`, `new.db` and `new.kv`, `new.ndjson`.
fn scenario() -> Scenario {
    let scenario = Scenario::new();
    for (name, rows) in [("old", OLD), ("new", NEW)] {
        scenario.database(&format!("{name}.db"), |db| {
            tables::insert_chunks(db, 2);
            db.execute_batch(SCHEMA).unwrap();
            db.execute_batch(rows).unwrap();
        });
        let (db, kv) = (format!("{name}.db"), format!("{name}.kv"));
        let _ = scenario.run(&["sqlite-to-kv", &db, &kv, "--tables", "all"]).expect_status(0);
    }
    let run = scenario.run(&["export", "new.db", "--tables", "all"]).expect_status(0);
    fs::write(scenario.path("new.ndjson"), run.stdout).unwrap();
    scenario
}

const NAMES: &str = "notes,TAGS,files";

fn merge_into_database(scenario: &Scenario, more: &[&str]) -> Run {
    let args = ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", NAMES];
    scenario.run(&[&args[..], more].concat())
}

fn open(scenario: &Scenario, name: &str) -> Connection {
    Connection::open(scenario.path(name)).unwrap()
}

/// Every row of a query as SQL literals.
fn rows(db: &Connection, sql: &str) -> Vec<String> {
    let columns = db.prepare(sql).unwrap().column_count();
    let names: Vec<String> = (0..columns).map(|n| format!("c{n}")).collect();
    let quoted: Vec<String> =
        names.iter().map(|name| format!("typeof({name}) || quote({name})")).collect();
    let (names, quoted) = (names.join(", "), quoted.join(" || ' ' || "));
    let sql = format!("WITH q ({names}) AS ({sql}) SELECT CAST({quoted} AS BLOB) FROM q");
    let mut statement = db.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    rows.map(|row| row.unwrap().escape_ascii().to_string()).collect()
}

fn content(db: &Connection) -> BTreeMap<&'static str, Vec<String>> {
    [
        ("notes", "SELECT id, title, body FROM notes ORDER BY id"),
        ("tags", "SELECT name, note, weight FROM tags ORDER BY name, note"),
        ("files", "SELECT rowid, path, hash FROM files ORDER BY rowid"),
        ("log", "SELECT line FROM log"),
        ("sequence", "SELECT seq FROM sqlite_sequence WHERE name = 'notes'"),
    ]
    .map(|(name, sql)| (name, rows(db, sql)))
    .into()
}

fn assert_merged(db: &Connection) {
    let expected = Connection::open_in_memory().unwrap();
    expected.execute_batch(SCHEMA).unwrap();
    expected
        .execute_batch(
            "INSERT INTO notes VALUES (1, 'one', 'kept'), (2, 'three', x'00'), (3, 'two', 1.0),
                 (7, 'seven', CAST(x'ff' AS TEXT)), (9, 'nine', NULL);
             DELETE FROM notes WHERE id = 9;
             INSERT INTO tags VALUES ('a', 1, NULL), ('a', 2, 1.0), ('b', 2, 'x'), ('c', 2, -0.0);
             INSERT INTO files (rowid, path, hash) VALUES
                 (1, NULL, x''), (5, 'a.rs', x'01'), (9, 'b.rs', x'22'), (10, 'c.rs', x'03');
             DELETE FROM log;",
        )
        .unwrap();
    assert_eq!(content(db), content(&expected));
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn rows_are_inserted_updated_and_kept_by_key() {
    let scenario = scenario();
    let before = fs::read(scenario.path("old.db")).unwrap();
    let dry = merge_into_database(&scenario, &["--dry-run", "--format", "json"]).expect_status(0);
    assert_eq!(fs::read(scenario.path("old.db")).unwrap(), before);
    let run = merge_into_database(&scenario, &["--format", "json"]).expect_status(0);
    for run in [&dry, &run] {
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let counts = |table: &str| {
            let kinds = report["kinds"].as_array().unwrap();
            let kind = kinds.iter().find(|kind| kind["kind"] == format!("table:{table}")).unwrap();
            ["inserted", "updated", "unchanged", "kept"].map(|key| kind[key].as_u64().unwrap())
        };
        assert_eq!(counts("notes"), [1, 2, 0, 1]);
        assert_eq!(counts("tags"), [1, 1, 0, 2]);
        assert_eq!(counts("files"), [1, 1, 1, 1]);
        assert_eq!(report["rebuilt"], serde_json::json!(["notes_text"]));
        assert_eq!(report["skipped_triggers"], serde_json::json!(["on_note"]));
    }
    let db = open(&scenario, "old.db");
    assert_merged(&db);
    let found: i64 = db
        .query_row("SELECT rowid FROM notes_text WHERE notes_text MATCH 'seven'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(found, 7);
    drop(db);

    let merged = fs::read(scenario.path("old.db")).unwrap();
    let run = merge_into_database(&scenario, &["--format", "json"]).expect_status(0);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["target"]["written"], false, "{run}");
    assert_eq!(fs::read(scenario.path("old.db")).unwrap(), merged);
}

#[test]
fn a_merge_into_a_kv_file_or_from_a_text_has_the_same_result() {
    for (source, args) in [
        ("new.db", vec!["sqlite-to-kv", "new.db", "old.kv"]),
        ("new.ndjson", vec!["import", "new.ndjson", "old.kv", "--to", "kv"]),
    ] {
        let scenario = scenario();
        let args = [&args[..], &["--merge", "--tables", NAMES]].concat();
        let run = scenario.run(&args).expect_status(0);
        assert!(
            run.stdout.contains("INSERT INTO \"notes_text\"(\"notes_text\") VALUES('rebuild');"),
            "{run}"
        );
        let _ = scenario.run(&["verify", "old.kv"]).expect_status(0);
        let _ = scenario.run(&["kv-to-sqlite", "old.kv", "back.db"]).expect_status(0);
        assert_merged(&open(&scenario, "back.db"));
        let before = fs::read(scenario.path("old.kv")).unwrap();
        let _ = scenario.run(&args).expect_status(0);
        assert_eq!(fs::read(scenario.path("old.kv")).unwrap(), before, "{source}");
    }
    let scenario = scenario();
    let args = ["import", "new.ndjson", "old.db", "--to", "sqlite", "--merge", "--tables", NAMES];
    let _ = scenario.run(&args).expect_status(0);
    assert_merged(&open(&scenario, "old.db"));
}

#[test]
fn without_a_list_only_records_are_merged() {
    let scenario = scenario();
    let before = content(&open(&scenario, "old.db"));
    let run = scenario.run(&["kv-to-sqlite", "new.kv", "old.db", "--merge"]).expect_status(0);
    assert!(run.stdout.contains("notes"), "the tables are listed as not copied: {run}");
    let import = ["import", "new.ndjson", "old.db", "--to", "sqlite", "--merge"];
    let _ = scenario.run(&import).expect_status(0);
    assert_eq!(content(&open(&scenario, "old.db")), before);
}

#[test]
fn a_table_whose_rows_cannot_be_matched_is_an_error_that_says_why() {
    let scenario = scenario();
    for (name, table) in [("new.db", "only_new"), ("new.db", "spelled"), ("old.db", "Spelled")] {
        let sql = format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY)");
        open(&scenario, name).execute_batch(&sql).unwrap();
    }
    let before = fs::read(scenario.path("old.db")).unwrap();
    let _ = scenario
        .run(&["sqlite-to-kv", "new.db", "new.kv", "--replace", "--tables", "all"])
        .expect_status(0);
    for (tables, message) in [
        ("log", "\"log\" of old.db: it has no primary key by which rows could be matched"),
        ("notes_text_data", "\"notes_text_data\" of old.db: it is a part of a virtual table"),
        ("code_chunks", "\"code_chunks\" of old.db: its rows are records, which --only selects"),
        ("only_new", "old.db has no table \"only_new\""),
        ("nothing", "new.kv has no table \"nothing\""),
        ("spelled", "\"Spelled\" of old.db: its name is spelled otherwise in the source"),
        ("all", "a merge needs the names of the tables"),
    ] {
        let args = ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", tables];
        let run = scenario.run(&args).expect_status(2);
        assert!(run.stderr.contains(message), "{message}\n{run}");
    }
    assert_eq!(fs::read(scenario.path("old.db")).unwrap(), before);
    let db = open(&scenario, "old.db");
    db.execute_batch("ALTER TABLE files ADD COLUMN more").unwrap();
    drop(db);
    let args = ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", "files"];
    let run = scenario.run(&args).expect_status(2);
    assert!(run.stderr.contains("its columns or its primary key differ"), "{run}");
}

#[test]
fn a_row_that_the_target_cannot_have_is_rejected_and_the_rest_is_merged() {
    let scenario = scenario();
    let db = open(&scenario, "old.db");
    // A title of another note, and a row whose key is NULL.
    db.execute_batch("UPDATE notes SET title = 'seven' WHERE id = 1").unwrap();
    drop(db);
    let db = open(&scenario, "new.db");
    db.execute_batch("INSERT INTO files (path) VALUES (NULL)").unwrap();
    drop(db);
    let _ = scenario
        .run(&["sqlite-to-kv", "new.db", "new.kv", "--replace", "--tables", "all"])
        .expect_status(0);
    let before = fs::read(scenario.path("old.db")).unwrap();
    let run = merge_into_database(&scenario, &[]).expect_status(1);
    assert_eq!(fs::read(scenario.path("old.db")).unwrap(), before);
    assert!(
        run.stdout.contains("files rowid=8: invalid-row: the table refuses it: its key is NULL")
    );

    let run = merge_into_database(&scenario, &["--on-invalid", "skip"]).expect_status(1);
    let refused =
        "notes id=7: invalid-row: the table refuses it: UNIQUE constraint failed: notes.title";
    assert!(run.stdout.contains(refused), "{run}");
    let db = open(&scenario, "old.db");
    let titles = rows(&db, "SELECT title FROM notes ORDER BY id");
    assert_eq!(titles, ["text\\'seven\\'", "text\\'three\\'", "text\\'two\\'"]);
    let rejected = fs::read_to_string(scenario.path("old.db.rejects.jsonl")).unwrap();
    assert_eq!(rejected.lines().count(), 2, "{rejected}");
}

#[test]
fn rows_that_would_refer_to_missing_rows_are_an_error() {
    let scenario = scenario();
    let db = open(&scenario, "new.db");
    db.execute_batch("INSERT INTO seen VALUES (7)").unwrap();
    drop(db);
    let _ = scenario
        .run(&["sqlite-to-kv", "new.db", "new.kv", "--replace", "--tables", "all"])
        .expect_status(0);
    let before = fs::read(scenario.path("old.db")).unwrap();
    let args = ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", "seen"];
    let run = scenario.run(&args).expect_status(2);
    let message = "after the merge 1 more rows of \"seen\" in old.db would refer to missing rows";
    assert!(run.stderr.contains(message), "{run}");
    assert_eq!(fs::read(scenario.path("old.db")).unwrap(), before);
    let args = ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", "seen,notes"];
    let _ = scenario.run(&args).expect_status(0);
}

/// The index of such a key regards rows as equal that have different keys.
#[test]
fn keys_that_only_an_index_regards_as_equal_are_different_rows() {
    let scenario = Scenario::new();
    let schema =
        "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, v); CREATE TABLE n (k PRIMARY KEY, v);";
    for (name, rows) in [
        ("old.db", "INSERT INTO t VALUES ('a', 1), ('b', 1); INSERT INTO n VALUES (1, 1), (2, 1)"),
        (
            "new.db",
            "INSERT INTO t VALUES ('A', 2), ('b', 2); INSERT INTO n VALUES (1.0, 2), (2, 2)",
        ),
    ] {
        scenario.bare_database(name, |db| {
            db.execute_batch(schema).unwrap();
            db.execute_batch(rows).unwrap();
        });
    }
    let _ = scenario.run(&["sqlite-to-kv", "new.db", "new.kv", "--tables", "all"]).expect_status(0);
    let args =
        ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", "t,n", "--on-invalid", "skip"];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("t k='A': invalid-row: the table refuses it: UNIQUE"), "{run}");
    assert!(run.stdout.contains("n k=1.0: invalid-row: the table refuses it: UNIQUE"), "{run}");
    let db = open(&scenario, "old.db");
    assert_eq!(rows(&db, "SELECT k, v FROM t"), ["text\\'a\\' integer1", "text\\'b\\' integer2"]);
    assert_eq!(rows(&db, "SELECT k, v FROM n"), ["integer1 integer1", "integer2 integer2"]);
}

#[test]
fn text_that_means_something_else_in_another_encoding_is_rejected() {
    let scenario = Scenario::new();
    for (name, encoding) in [("old.db", "UTF-16le"), ("new.db", "UTF-8")] {
        scenario.bare_database(name, |db| {
            db.pragma_update(None, "encoding", encoding).unwrap();
            db.execute_batch("CREATE TABLE t (k TEXT PRIMARY KEY, v)").unwrap();
        });
    }
    let rows_of_new = "INSERT INTO t VALUES ('é', 'ü'), ('b', CAST(x'ff61' AS TEXT))";
    open(&scenario, "new.db").execute_batch(rows_of_new).unwrap();
    let _ = scenario.run(&["sqlite-to-kv", "new.db", "new.kv", "--tables", "t"]).expect_status(0);
    let args = ["kv-to-sqlite", "new.kv", "old.db", "--merge", "--tables", "t"];
    let run = scenario.run(&[&args[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
    assert!(run.stdout.contains("t k='b': invalid-row: "), "{run}");
    let found: Vec<String> = open(&scenario, "old.db")
        .prepare("SELECT k || v FROM t")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(found, ["éü"]);
}

/// The line that describes the tables may be one of them.
#[test]
fn invalid_lines_are_reported_before_tables_that_are_missing_without_them() {
    let scenario = scenario();
    let text = fs::read(scenario.path("new.ndjson")).unwrap();
    fs::write(scenario.path("cut"), &text[..200]).unwrap();
    let before = fs::read(scenario.path("old.kv")).unwrap();
    let args = ["import", "cut", "old.kv", "--to", "kv", "--merge", "--tables", NAMES];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("line 1: not an object of kind, key and value"), "{run}");
    assert_eq!(fs::read(scenario.path("old.kv")).unwrap(), before);
}
