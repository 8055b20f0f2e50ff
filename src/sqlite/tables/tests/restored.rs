//! Restored databases behave like the original.

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params_from_iter};

use super::fixtures::{bits, carried, describe, restore, restored, rows, table};
use crate::record::RecordKind;
use crate::sqlite::Restored;
use crate::sqlite::tables::restore::{
    create_indexes, create_tables, create_views_and_triggers, prepare, set_sequences, set_wal,
};
use crate::sqlite::tables::trial::try_schema;

fn answers(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter([0i64; 0])).unwrap();
    let mut answers = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let row: Vec<_> = (0..columns).map(|column| row.get_ref(column).unwrap()).collect();
        answers.push(format!("{row:?}"));
    }
    answers
}

#[test]
fn searches_give_the_same_rows() {
    let source = Connection::open_in_memory().unwrap();
    source
        .execute_batch(
            "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
             CREATE VIRTUAL TABLE docs_fts USING fts5(title, body, content='docs', content_rowid='id');
             CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN
               INSERT INTO docs_fts(rowid, title, body) VALUES (new.id, new.title, new.body);
             END;
             CREATE TRIGGER docs_ad AFTER DELETE ON docs BEGIN
               INSERT INTO docs_fts(docs_fts, rowid, title, body)
                 VALUES ('delete', old.id, old.title, old.body);
             END;
             CREATE VIRTUAL TABLE own USING fts5(text);
             CREATE VIRTUAL TABLE contentless USING fts5(text, content='');
             CREATE VIRTUAL TABLE old USING fts4(text);
             CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, +name);
             WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500)
               INSERT INTO docs SELECT n * 3, 'title ' || (n % 7), 'word' || (n % 13) || ' body' FROM c;
             DELETE FROM docs WHERE id % 5 = 0;
             INSERT INTO own SELECT body FROM docs;
             DELETE FROM own WHERE rowid % 4 = 0;
             INSERT INTO contentless (rowid, text) SELECT id, body FROM docs;
             INSERT INTO old (docid, text) SELECT id, body FROM docs;
             INSERT INTO boxes SELECT id, id, id + 10, title FROM docs;",
        )
        .unwrap();
    let target = restored(&source);
    target.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true).unwrap();
    let check = |target: &Connection| {
        for sql in [
            "SELECT rowid, title, rank FROM docs_fts WHERE docs_fts MATCH 'word3 AND title'",
            "SELECT rowid, highlight(own, 0, '<', '>') FROM own WHERE own MATCH 'word5*'",
            "SELECT rowid FROM contentless WHERE contentless MATCH 'word11'",
            "SELECT docid, snippet(old) FROM old WHERE old MATCH 'word2'",
            "SELECT id, name FROM boxes WHERE x0 >= 100 AND x1 <= 300 ORDER BY id",
        ] {
            let expected = answers(&source, sql);
            assert!(!expected.is_empty(), "{sql}");
            assert_eq!(answers(target, sql), expected, "{sql}");
        }
    };
    check(&target);
    for connection in [&source, &target] {
        let insert = "INSERT INTO docs (title, body) VALUES ('title', 'word3 again')";
        connection.execute_batch(insert).unwrap();
        let check = "INSERT INTO own(own) VALUES ('integrity-check')";
        connection.execute_batch(check).unwrap();
    }
    check(&target);
}

#[test]
fn sequences_are_restored_verbatim() {
    let source = Connection::open_in_memory().unwrap();
    source
        .execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT);
             CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT);
             INSERT INTO a VALUES (41), (7);
             DELETE FROM a WHERE id = 41;
             INSERT INTO b VALUES (1);
             DELETE FROM sqlite_sequence WHERE name = 'b';
             INSERT INTO sqlite_sequence VALUES ('gone', 9), ('gone', 9);",
        )
        .unwrap();
    let target = restored(&source);
    target.execute_batch("INSERT INTO a DEFAULT VALUES").unwrap();
    assert_eq!(answers(&target, "SELECT max(id) FROM a"), ["[Integer(42)]"]);

    let orphan = Connection::open_in_memory().unwrap();
    orphan
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);
             INSERT INTO t VALUES (5);
             DROP TABLE t;
             CREATE TABLE t (id INTEGER PRIMARY KEY);
             INSERT INTO sqlite_sequence VALUES ('t', 8)",
        )
        .unwrap();
    restored(&orphan);
}

#[test]
fn the_sequences_of_the_four_kinds_are_kept() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT);
             CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);
             INSERT INTO code_chunks VALUES (3);
             INSERT INTO t VALUES (4);",
        )
        .unwrap();
    let mut kind = table("code_chunks", &["id"], &[0], "");
    kind.kind = Some(RecordKind::Chunk);
    let mut carried = carried(vec![kind, table("t", &["id"], &[0], "")], Vec::new());
    carried.sequences = vec![("t".into(), 70)];
    set_sequences(&connection, &carried).unwrap();
    let rows = answers(&connection, "SELECT name || seq FROM sqlite_sequence ORDER BY name");
    assert_eq!(rows.len(), 2);
    let sequence = "SELECT sum(seq) FROM sqlite_sequence";
    assert_eq!(answers(&connection, sequence), ["[Integer(73)]"]);
}

#[test]
fn settings_of_the_file_are_restored() {
    for (encoding, page_size, auto_vacuum) in
        [("UTF-8", 512, 0), ("UTF-16le", 65536, 1), ("UTF-16be", 1024, 2)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let source = Connection::open(&from).unwrap();
        source
            .execute_batch(&format!(
                "PRAGMA encoding = '{encoding}'; PRAGMA page_size = {page_size};
                 PRAGMA auto_vacuum = {auto_vacuum};
                 CREATE TABLE \"\u{e9}\" (a TEXT COLLATE NOCASE PRIMARY KEY, b);
                 INSERT INTO \"\u{e9}\" VALUES ('\u{1f980}', '\u{feff}x'), ('a' || char(0) || 'b', '');
                 CREATE INDEX i ON \"\u{e9}\" (lower(a));
                 PRAGMA user_version = -7; PRAGMA application_id = 1234567890;"
            ))
            .unwrap();
        let mut target = Connection::open(&to).unwrap();
        target.pragma_update(None, "journal_mode", "OFF").unwrap();
        target.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
        let carried = restore(&source, &mut target);
        target.close().unwrap();
        set_wal(&to).unwrap();
        let files: Vec<_> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        let target = Connection::open(&to).unwrap();
        let mode: String =
            target.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(describe(&target), carried);
        assert_eq!(
            bits(&rows(&target, &carried.tables[0])),
            bits(&rows(&source, &carried.tables[0]))
        );
    }
}

#[test]
fn an_expression_cannot_take_memory_while_rows_are_restored() {
    let connection = &mut Connection::open_in_memory().unwrap();
    prepare(connection, &carried(Vec::new(), Vec::new()), 0).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (a);
             INSERT INTO t VALUES (1);
             CREATE TABLE g (a, b AS (hex(zeroblob(400000000))) STORED);",
        )
        .unwrap();
    for sql in ["CREATE INDEX i ON t (hex(zeroblob(400000000)))", "INSERT INTO g VALUES (1)"] {
        let error = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains("too big"), "{error}");
    }
}

#[test]
fn what_is_impossible_is_left_out() {
    let source = Connection::open_in_memory().unwrap();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    source.create_scalar_function("own", 1, flags, |context| context.get::<i64>(0)).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (a);
             CREATE TABLE checked (a CHECK (own(a)));
             CREATE INDEX i ON checked (a);
             CREATE INDEX own ON t (own(a));
             CREATE TRIGGER own AFTER INSERT ON t BEGIN SELECT own(1); END;
             CREATE TRIGGER i AFTER INSERT ON checked BEGIN SELECT 1; END;",
        )
        .unwrap();
    let carried = describe(&source);
    let trial = try_schema(&carried, 0).unwrap();
    let impossible: Vec<_> = trial
        .impossible
        .iter()
        .map(|found| (found.object_type, found.name.as_str(), found.reason.as_str()))
        .collect();
    let expected = [
        ("table", "checked", "no such function: own"),
        ("index", "i", "checked can't be created"),
        ("index", "own", "no such function: own"),
        ("trigger", "i", "checked can't be created"),
    ];
    assert_eq!((impossible.as_slice(), trial.refused), (expected.as_slice(), Vec::new()));

    let target = &mut Connection::open_in_memory().unwrap();
    prepare(target, &carried, 0).unwrap();
    let possible = Restored::new(&carried, trial.impossible, 0).unwrap().carried;
    create_tables(target, &possible).unwrap();
    create_indexes(target, &possible).unwrap();
    create_views_and_triggers(target, &possible).unwrap();
    let created: String = target
        .query_row("SELECT group_concat(type || ' ' || name) FROM sqlite_schema", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(created, "table t,trigger own");
}
