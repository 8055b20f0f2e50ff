//! Ids in a merge: they may change if the target allows the final state, no row of another table
//! changes or ends up referring to another record, and no id is assigned twice.

use std::collections::BTreeMap;
use std::fs;

use chunkmigrate::Progress;
use chunkmigrate::internal::create_tables;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::common::{Scenario, tables};

/// The columns of chunks after the id.
const COLUMNS: &str = "file_path TEXT NOT NULL, byte_start INTEGER NOT NULL,
    byte_end INTEGER NOT NULL, content TEXT NOT NULL, content_hash TEXT NOT NULL,
    symbol_name TEXT, symbol_kind TEXT, created_at INTEGER NOT NULL";
const UNIQUE: &str = ", UNIQUE (file_path, byte_start, byte_end)";

/// Tables of chunks with different constraints on their ids.
const SCHEMAS: [(&str, &str); 6] = [
    ("a row id", "id INTEGER PRIMARY KEY AUTOINCREMENT"),
    ("a row id above 0", "id INTEGER PRIMARY KEY CHECK (id > 0)"),
    ("a BIGINT", "id BIGINT PRIMARY KEY"),
    ("a row id in descending order", "id INTEGER PRIMARY KEY DESC"),
    ("a column", "id INTEGER"),
    ("a unique column above 0", "id INTEGER NOT NULL UNIQUE CHECK (id > 0)"),
];

fn ids(scenario: &Scenario, database: &str) -> BTreeMap<String, i64> {
    let db = Connection::open(scenario.path(database)).unwrap();
    let mut statement =
        db.prepare("SELECT file_path || ':' || byte_start, id FROM code_chunks").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn merge_into<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["kv-to-sqlite", "code.kv", target, "--merge"], more].concat()
}

#[test]
fn ids_may_change_and_be_swapped_under_any_id_constraint() {
    let scenario = Scenario::with_small_pair();
    for unique in [UNIQUE, ""] {
        for (what, id) in SCHEMAS {
            scenario.bare_database("target.db", |db| {
                db.execute_batch(&format!("CREATE TABLE code_chunks ({id}, {COLUMNS}{unique})"))
                    .unwrap();
                // 1 and 2 are swapped, and 3 comes from elsewhere.
                tables::insert_chunk(db, 2, "'src/lib.rs'", "0", "12");
                tables::insert_chunk(db, 1, "'src/lib.rs'", "13", "16");
                tables::insert_chunk(db, 40, "'src/a:b.rs'", "0", "0");
            });
            let args = merge_into("target.db", &["--only", "chunk", "--on-invalid", "skip"]);
            // A table that can't store the sequence is a finding of its own.
            let run = scenario.run(&args);
            assert!(run.status <= 1, "{what}: {run}");
            assert!(!run.stdout.contains("invalid-row"), "{what}: {run}");
            assert_eq!(ids(&scenario, "target.db"), ids(&scenario, "code.db"), "{what}");
            fs::remove_file(scenario.path("target.db")).unwrap();
        }
    }
}

#[test]
fn a_record_whose_id_is_taken_is_rejected_and_so_is_one_that_depends_on_it() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |db| {
        // Its id is needed by the first chunk, whose own row is in the way of the second.
        tables::insert_chunk(db, 1, "'own.rs'", "0", "1");
        tables::insert_chunk(db, 2, "'src/lib.rs'", "0", "12");
        tables::insert_chunk(db, 7, "'src/lib.rs'", "13", "16");
    });
    let _ = scenario.run(&["sqlite-to-kv", "target.db", "target.kv"]).expect_status(0);
    for command in [
        ["kv-to-sqlite", "code.kv", "target.db", "--merge"],
        ["sqlite-to-kv", "code.db", "target.kv", "--merge"],
    ] {
        let before = scenario.files();
        let run = scenario.run(&command).expect_status(1);
        assert!(run.stdout.contains("Nothing was merged: 2 "), "{run}");
        assert_eq!(scenario.files(), before);
        let json = [&command[..], &["--format", "json"]].concat();
        let json = scenario.run(&json).expect_status(1).json();
        let findings = json["findings"].as_array().unwrap();
        let found: Vec<_> = findings
            .iter()
            .map(|f| (f["key"].as_str().unwrap(), f["row"]["reason"].as_str().unwrap()))
            .collect();
        assert_eq!(
            found,
            [("chunk:src/lib.rs:0:12", "duplicate-id"), ("chunk:src/lib.rs:13:16", "duplicate-id")]
        );
        let message = findings[0]["message"].as_str().unwrap();
        assert!(message.contains("the id 1") && message.contains("chunk:own.rs:0:1"), "{message}");

        let skip = [&command[..], &["--on-invalid", "skip"]].concat();
        let run = scenario.run(&skip).expect_status(1);
        assert!(run.stdout.contains("rejected."), "{run}");
    }
    let expected = BTreeMap::from([
        ("own.rs:0".to_owned(), 1),
        ("src/a:b.rs:0".to_owned(), 3),
        ("src/lib.rs:0".to_owned(), 2),
        ("src/lib.rs:13".to_owned(), 7),
    ]);
    assert_eq!(ids(&scenario, "target.db"), expected);
    let _ = scenario.run(&["verify", "target.db", "target.kv"]).expect_status(0);
}

#[test]
fn the_id_of_an_invalid_row_is_taken() {
    let scenario = Scenario::with_small_pair();
    scenario.bare_database("target.db", |db| {
        db.execute_batch(tables::LOOSE_CHUNKS).unwrap();
        db.execute_batch("INSERT INTO code_chunks (id, file_path) VALUES (1, 'own.rs')").unwrap();
    });
    let run = scenario.run(&merge_into("target.db", &["--only", "chunk"])).expect_status(1);
    assert!(run.stdout.contains("the target already has the id 1, for an invalid row"), "{run}");
}

/// References to a record, and how they may be made to follow it.
const REFERENCES: [&str; 6] = [
    "",
    "ON UPDATE SET NULL",
    "ON UPDATE SET DEFAULT",
    "ON UPDATE CASCADE",
    "ON UPDATE RESTRICT",
    "DEFERRABLE INITIALLY DEFERRED",
];

#[test]
fn a_merge_that_would_change_a_referenced_id_is_refused_completely() {
    let scenario = Scenario::with_small_pair();
    for action in REFERENCES {
        for (change, changed) in [("swap", (2, 1)), ("move", (1, 9))] {
            for skip in [&[][..], &["--on-invalid", "skip"], &["--dry-run"]] {
                let (first, second) = changed;
                scenario.database("target.db", |db| {
                    tables::insert_chunk(db, first, "'src/lib.rs'", "0", "12");
                    tables::insert_chunk(db, second, "'src/lib.rs'", "13", "16");
                    db.execute_batch(&format!(
                        "CREATE TABLE notes (text, chunk INTEGER DEFAULT {second}
                             REFERENCES code_chunks (id) {action});
                         INSERT INTO notes VALUES ('about it', {second});"
                    ))
                    .unwrap();
                });
                let before = scenario.files();
                let run = scenario.run(&merge_into("target.db", skip)).expect_status(2);
                assert!(
                    run.stderr
                        .contains("notes in target.db references chunk:src/lib.rs:13:16 by chunk"),
                    "{action} {change}: {run}"
                );
                assert!(run.stderr.contains("hint:"), "{run}");
                assert_eq!(scenario.files(), before, "{action} {change}");
                fs::remove_file(scenario.path("target.db")).unwrap();
            }
        }
    }
}

#[test]
fn references_to_any_column_count_and_keys_never_change() {
    let scenario = Scenario::with_small_pair();
    let target = |reference: &str| {
        let _ = fs::remove_file(scenario.path("target.db"));
        scenario.database("target.db", |db| {
            tables::insert_chunk(db, 9, "'src/lib.rs'", "0", "12");
            db.execute_batch("CREATE UNIQUE INDEX by_hash ON code_chunks (content_hash)").unwrap();
            db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
            db.execute_batch(reference).unwrap();
        });
    };
    let hash = "CREATE TABLE notes (hash TEXT REFERENCES CODE_CHUNKS (Content_Hash));
        INSERT INTO notes VALUES ('hash');";
    target(hash);
    let run = scenario.run(&merge_into("target.db", &[])).expect_status(2);
    assert!(run.stderr.contains("notes in target.db references"), "{run}");

    for harmless in [
        // Nothing refers to the row that changes.
        "CREATE TABLE notes (hash TEXT REFERENCES code_chunks (content_hash));
         INSERT INTO notes VALUES ('other'), (NULL);",
        // The key of a record never changes.
        "CREATE TABLE spans (path TEXT, first INTEGER, last INTEGER, FOREIGN KEY (path, first, last)
             REFERENCES code_chunks (file_path, byte_start, byte_end));
         INSERT INTO spans VALUES ('src/lib.rs', 0, 12);",
        // No foreign key at all.
        "CREATE TABLE notes (chunk INTEGER); INSERT INTO notes VALUES (9);",
    ] {
        target(harmless);
        let _ = scenario.run(&merge_into("target.db", &[])).expect_status(0);
        let _ = scenario
            .run(&["verify", "code.db", "target.db", "--only", "chunk"])
            .expect_status(0);
    }
}

#[test]
fn a_reference_to_a_rejected_record_blocks_no_merge_that_skips_it() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |db| {
        tables::insert_chunk(db, 1, "'own.rs'", "0", "1");
        tables::insert_chunk(db, 9, "'src/lib.rs'", "0", "12");
        db.execute_batch(
            "CREATE TABLE notes (chunk INTEGER REFERENCES code_chunks (id));
             INSERT INTO notes VALUES (9);",
        )
        .unwrap();
    });
    let skip = merge_into("target.db", &["--on-invalid", "skip"]);
    let run = scenario.run(&skip).expect_status(1);
    assert!(run.stdout.contains("the target already has the id 1"), "{run}");
    assert_eq!(ids(&scenario, "target.db")["src/lib.rs:0"], 9);
}

/// The id that the next chunk stored in a copy of a database gets.
fn next_id(scenario: &Scenario, database: &str) -> i64 {
    let copy = scenario.path("next.db");
    fs::copy(scenario.path(database), &copy).unwrap();
    let db = Connection::open(&copy).unwrap();
    db.execute_batch(
        "INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash, created_at)
         VALUES ('new.rs', 0, 1, '', '', 1)",
    )
    .unwrap();
    db.last_insert_rowid()
}

#[test]
fn an_id_sequence_is_kept_or_reported_and_never_written_where_sqlite_ignores_it() {
    for (create, keeps) in [
        (
            format!(
                "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, {COLUMNS}{UNIQUE})"
            ),
            true,
        ),
        (
            format!(
                "CREATE TABLE CODE_CHUNKS (ID INTEGER PRIMARY KEY AUTOINCREMENT, {COLUMNS}{UNIQUE})"
            ),
            true,
        ),
        (format!("CREATE TABLE code_chunks (id INTEGER PRIMARY KEY, {COLUMNS}{UNIQUE})"), false),
        // The sequence of another column is not an id sequence.
        (
            format!(
                "CREATE TABLE code_chunks (own INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER UNIQUE, {COLUMNS}{UNIQUE})"
            ),
            false,
        ),
    ] {
        let scenario = Scenario::with_small_export();
        let imported = ["import", "code.ndjson", "target.db", "--to", "sqlite", "--merge"];
        for command in [merge_into("target.db", &[]), imported.to_vec()] {
            let _ = fs::remove_file(scenario.path("target.db"));
            scenario.bare_database("target.db", |db| {
                // Another table makes SQLite create `sqlite_sequence`.
                db.execute_batch("CREATE TABLE other (id INTEGER PRIMARY KEY AUTOINCREMENT)")
                    .unwrap();
                db.execute_batch(&create).unwrap();
            });
            if keeps {
                let _ = scenario.run(&command).expect_status(0);
                assert_eq!(next_id(&scenario, "target.db"), 10, "{create}");
                let _ = scenario.run(&["verify", "code.kv", "target.db"]).expect_status(0);
                continue;
            }
            let run = scenario.run(&command).expect_status(1);
            assert!(run.stdout.contains("no AUTOINCREMENT"), "{run}");
            let skip = [&command[..], &["--on-invalid", "skip"]].concat();
            let _ = scenario.run(&skip).expect_status(1);
            let mut verify = vec!["verify", "code.kv", "target.db"];
            if create.contains("own") {
                verify.extend(["--without-column", "code_chunks.own"]);
            }
            let run = scenario.run(&verify).expect_status(1);
            assert!(run.stdout.contains(": 9 on the left, 3 on the right"), "{run}");
        }
    }
}

#[test]
fn an_id_sequence_that_sqlite_ignores_is_ignored_by_verify_and_copies() {
    let scenario = Scenario::with_small_pair();
    fs::copy(scenario.path("code.db"), scenario.path("odd.db")).unwrap();
    for sql in [
        // Under a name that SQLite does not look for.
        "UPDATE sqlite_sequence SET name = 'Code_Chunks' WHERE name = 'code_chunks'",
        // For a table that is not AUTOINCREMENT.
        "ALTER TABLE code_chunks RENAME TO old;
         CREATE TABLE code_chunks (id INTEGER PRIMARY KEY, file_path TEXT NOT NULL,
             byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL, content TEXT NOT NULL,
             content_hash TEXT NOT NULL, symbol_name TEXT, symbol_kind TEXT,
             created_at INTEGER NOT NULL);
         INSERT INTO code_chunks SELECT * FROM old;
         INSERT INTO sqlite_sequence VALUES ('code_chunks', 9);",
    ] {
        scenario.change("odd.db", sql);
        let run = scenario.run(&["verify", "code.db", "odd.db"]).expect_status(1);
        assert!(run.stdout.contains(": 9 on the left, 3 on the right"), "{run}");
        let _ = scenario.run(&["sqlite-to-kv", "odd.db", "odd.kv", "--replace"]).expect_status(0);
        let json = scenario.run(&["inspect", "odd.kv", "--format", "json"]).json();
        assert_eq!(json["sequences"]["code_chunks"], 3);
    }
}

#[test]
fn an_id_sequence_is_merged_into_a_database_without_the_table() {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "DELETE FROM code_chunks");
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--replace"]).expect_status(0);
    scenario.bare_database("target.db", |db| {
        db.execute_batch("CREATE TABLE own (x)").unwrap();
    });
    let _ = scenario.run(&merge_into("target.db", &[])).expect_status(0);
    assert_eq!(next_id(&scenario, "target.db"), 10);
}

/// Chunks by key, with their ids.
type Chunks = BTreeMap<u8, i64>;

fn chunks() -> impl Strategy<Value = Chunks> {
    // Few keys and few ids, so that they collide.
    proptest::collection::btree_map(0..8u8, 1..9i64, 0..8).prop_map(|chunks| {
        let mut taken = Vec::new();
        let mut unique = Chunks::new();
        for (key, id) in chunks {
            if !taken.contains(&id) {
                taken.push(id);
                unique.insert(key, id);
            }
        }
        unique
    })
}

/// The content of the target after every chunk was written whose id nothing else has in the end.
fn merged(source: &Chunks, target: &Chunks) -> Chunks {
    let mut written = source.clone();
    loop {
        let holder = |key: &u8| written.get(key).or(target.get(key)).copied();
        let keys = source.keys().chain(target.keys());
        let all: BTreeMap<u8, i64> = keys.filter_map(|key| Some((*key, holder(key)?))).collect();
        let is_taken = |key: &u8, id: &i64| all.iter().any(|(k, i)| k != key && i == id);
        let clash: Vec<u8> = written
            .iter()
            .filter(|(key, id)| target.get(key) != Some(id) && is_taken(key, id))
            .map(|(key, _)| *key)
            .collect();
        if clash.is_empty() {
            return all;
        }
        for key in clash {
            written.remove(&key);
        }
    }
}

fn store(scenario: &Scenario, name: &str, chunks: &Chunks) {
    let db = Connection::open(scenario.path(name)).unwrap();
    create_tables(&db).unwrap();
    for (key, id) in chunks {
        tables::insert_chunk(&db, *id, &format!("'{key}'"), "0", "1");
    }
}

fn stored(scenario: &Scenario, name: &str) -> Chunks {
    let ids = ids(scenario, name).into_iter();
    ids.map(|(key, id)| (key.split(':').next().unwrap().parse().unwrap(), id)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_many_records_as_possible_get_their_source_ids(source in chunks(), target in chunks()) {
        let scenario = Scenario::new();
        let progress = Progress::none();
        store(&scenario, "source.db", &source);
        store(&scenario, "target.db", &target);
        let path = |name: &str| scenario.path(name);
        let copy = CopyOptions::default();
        prop_assert!(sqlite_to_kv(&path("source.db"), &path("source.kv"), &copy, &progress).unwrap().is_complete());
        prop_assert!(sqlite_to_kv(&path("target.db"), &path("target.kv"), &copy, &progress).unwrap().is_complete());

        let options = CopyOptions::default().merge(true).skip_invalid(true);
        let expected = merged(&source, &target);
        let rejected = source.iter().filter(|(key, id)| expected.get(*key) != Some(*id)).count();
        let into_database = kv_to_sqlite(&path("source.kv"), &path("target.db"), &options, &progress).unwrap();
        let into_kv = sqlite_to_kv(&path("source.db"), &path("target.kv"), &options, &progress).unwrap();
        prop_assert!(kv_to_sqlite(&path("target.kv"), &path("back.db"), &copy, &progress).unwrap().is_complete());
        prop_assert_eq!(stored(&scenario, "target.db"), expected.clone());
        prop_assert_eq!(stored(&scenario, "back.db"), expected);
        prop_assert_eq!(into_database.rejected_total(), rejected as u64);
        prop_assert_eq!(into_kv.rejected_total(), rejected as u64);
    }
}
