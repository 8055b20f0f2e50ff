//! What a target derives from the tables that a merge writes: full-text tables over them are
//! rebuilt, and triggers, which a merge does not run, are reported.

use std::fs;

use rusqlite::Connection;

use crate::common::Scenario;

fn query(scenario: &Scenario, sql: &str) -> String {
    let db = Connection::open(scenario.path("target.db")).unwrap();
    db.query_row(sql, [], |row| row.get::<_, Option<String>>(0)).unwrap().unwrap_or_default()
}

const MERGE: [&str; 4] = ["kv-to-sqlite", "code.kv", "target.db", "--merge"];

/// A target with a chunk that the merge changes, one that it keeps, and what `sql` derives from
/// them.
fn target(scenario: &Scenario, sql: &str) {
    let _ = fs::remove_file(scenario.path("target.db"));
    scenario.database("target.db", |db| {
        db.execute_batch(
            "INSERT INTO code_chunks VALUES
                (5, 'src/lib.rs', 0, 12, 'before', 'hash', NULL, NULL, 1),
                (8, 'own.rs', 0, 3, 'own', 'hash', NULL, NULL, 1);",
        )
        .unwrap();
        db.execute_batch(sql).unwrap();
    });
}

const FTS5: &str = "
    CREATE VIRTUAL TABLE words USING fts5(content, content='code_chunks', content_rowid='id');
    INSERT INTO words(words) VALUES ('rebuild');";
const FTS4: &str = "
    CREATE VIRTUAL TABLE words USING fts4(content=\"code_chunks\", content);
    INSERT INTO words(words) VALUES ('rebuild');";

#[test]
fn full_text_tables_over_records_find_exactly_the_merged_records() {
    let scenario = Scenario::with_small_pair();
    for sql in [FTS5, FTS4] {
        target(&scenario, sql);
        let run = scenario.run(&MERGE).expect_status(0);
        assert!(run.stdout.contains("rebuilt        words\n"), "{run}");
        let ids = |word: &str| {
            let sql = format!("SELECT group_concat(rowid) FROM words WHERE words MATCH '{word}'");
            query(&scenario, &sql)
        };
        assert_eq!([ids("main"), ids("own"), ids("before")], ["1", "8", ""], "{sql}");
        // Like the triggers that usually maintain such a table.
        let delete = match sql == FTS5 {
            true => {
                "INSERT INTO words(words, rowid, content)
                 SELECT 'delete', id, content FROM code_chunks WHERE id = 8"
            }
            false => "DELETE FROM words WHERE docid = 8",
        };
        scenario.change("target.db", &format!("{delete}; DELETE FROM code_chunks WHERE id = 8"));
        assert_eq!(query(&scenario, "PRAGMA integrity_check"), "ok");
        // What is up to date is not touched.
        let run = scenario.run(&MERGE).expect_status(0);
        assert!(!run.stdout.contains("words"), "{run}");
    }
}

#[test]
fn other_full_text_tables_are_unchanged_and_not_reported() {
    let scenario = Scenario::with_small_pair();
    target(
        &scenario,
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, content);
         CREATE VIRTUAL TABLE own USING fts5(content);
         CREATE VIRTUAL TABLE other USING fts5(content, content='docs');
         CREATE VIRTUAL TABLE without USING fts5(content, content='');
         CREATE VIRTUAL TABLE metrics USING fts5(file_path, content='file_metrics');
         INSERT INTO own VALUES ('before');
         INSERT INTO without(rowid, content) VALUES (1, 'before');",
    );
    let only = [&MERGE[..], &["--only", "chunk"]].concat();
    let run = scenario.run(&only).expect_status(0);
    for label in ["rebuilt", "not rebuilt", "left alone", "own", "other", "without"] {
        assert!(!run.stdout.contains(label), "{label}: {run}");
    }
    assert_eq!(query(&scenario, "SELECT content FROM own WHERE own MATCH 'before'"), "before");
}

#[test]
fn a_full_text_table_that_cannot_be_rebuilt_is_reported_with_the_statement_to_run() {
    let scenario = Scenario::with_small_pair();
    // A tokenizer of another program: any name will do, once the table exists.
    let foreign = "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'unicode61', 'stemmer') WHERE name = 'words';
        PRAGMA writable_schema = RESET;";
    let unicode = FTS5.replace("content_rowid='id'", "content_rowid='id', tokenize='unicode61'");
    let view = "CREATE VIEW texts AS SELECT id, content FROM code_chunks;
        CREATE VIRTUAL TABLE words USING fts5(content, content='texts', content_rowid='id');";
    for (sql, why) in [
        (format!("{unicode} {foreign}"), "stemmer"),
        (view.to_owned(), "its content texts is a view"),
    ] {
        target(&scenario, &sql);
        let run = scenario.run(&MERGE).expect_status(0);
        assert!(run.stdout.contains("not rebuilt    words: "), "{run}");
        assert!(run.stdout.contains(why), "{run}");
        let statement = r#"INSERT INTO "words"("words") VALUES('rebuild');"#;
        assert!(run.stdout.contains(statement), "{run}");
    }
    let json = [&MERGE[..], &["--dry-run", "--format", "json"]].concat();
    target(&scenario, view);
    let json = scenario.run(&json).expect_status(0).json();
    assert_eq!(json["unmanaged_tables"][0]["table"], "words");
}

#[test]
fn triggers_that_did_not_run_are_reported_except_for_rebuilt_tables() {
    let scenario = Scenario::with_small_pair();
    target(
        &scenario,
        &format!(
            "{FTS5} CREATE TABLE log (x);
             CREATE TRIGGER words_insert AFTER INSERT ON code_chunks BEGIN
                 INSERT INTO words(rowid, content) VALUES (new.id, new.content); END;
             CREATE TRIGGER words_delete AFTER DELETE ON code_chunks BEGIN
                 INSERT INTO words(words, rowid, content) VALUES ('delete', old.id, old.content); END;
             CREATE TRIGGER track AFTER UPDATE ON code_chunks BEGIN INSERT INTO log VALUES (1); END;
             CREATE TRIGGER of_symbols AFTER INSERT ON symbol_metrics BEGIN
                 INSERT INTO log VALUES (2); END;"
        ),
    );
    let only = [&MERGE[..], &["--only", "chunk"]].concat();
    let dry = [&only[..], &["--dry-run"]].concat();
    for args in [dry, only.clone()] {
        let run = scenario.run(&args).expect_status(0);
        assert!(
            run.stdout.contains("not run        track: a merge does not run triggers\n"),
            "{run}"
        );
        assert!(run.stdout.contains("rebuilt        words\n"), "{run}");
    }
    assert_eq!(query(&scenario, "SELECT count(*) || '' FROM log"), "0");
    let json = [&only[..], &["--format", "json"]].concat();
    // Nothing is written this time, so nothing is skipped.
    let json = scenario.run(&json).expect_status(0).json();
    assert_eq!(json["skipped_triggers"].as_array().unwrap().len(), 0);
}
