//! What a trial refuses, and what it finds impossible.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::fixtures::{carried, object, table, try_object};
use crate::record::RecordKind;
use crate::sqlite::tables::MAX_OBJECTS;
use crate::sqlite::tables::trial::{Trial, try_schema};
use crate::table::{ObjectType, Settings, TableSchema};

fn try_tables(tables: Vec<TableSchema>) -> Trial {
    try_schema(&carried(tables, Vec::new()), 0).unwrap()
}

/// Tries a table `t (a)`, whose statement may be anything.
fn try_table(sql: &str) -> Trial {
    try_tables(vec![table("t", &["a"], &[], sql)])
}

#[track_caller]
fn assert_refused(trial: &Trial, name: &str, reason: &str) {
    let [refused] = trial.refused.as_slice() else { panic!("{trial:?}") };
    assert!(refused.name == name && refused.reason.contains(reason), "{trial:?}");
    assert_eq!(trial.impossible, []);
}

#[track_caller]
fn assert_impossible(trial: &Trial, names: &[&str], reason: &str) {
    let found: Vec<&str> = trial.impossible.iter().map(|found| found.name.as_str()).collect();
    assert_eq!((found.as_slice(), trial.refused.as_slice()), (names, [].as_slice()), "{trial:?}");
    assert!(trial.impossible[0].reason.contains(reason), "{trial:?}");
}

#[test]
fn a_statement_that_does_anything_else_is_refused() {
    for sql in [
        "DROP TABLE t",
        "ATTACH '/nowhere/a.db' AS a",
        "DETACH main",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = WAL",
        "DELETE FROM sqlite_schema",
        "INSERT INTO sqlite_schema VALUES ('table', 't', 't', 0, 'CREATE TABLE t (a)')",
        "UPDATE sqlite_schema SET sql = ''",
        "SELECT 1",
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c",
        "VACUUM",
        "VACUUM INTO '/nowhere/a.db'",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "REINDEX",
        "ANALYZE",
        "ALTER TABLE t ADD COLUMN b",
        "EXPLAIN CREATE TABLE t (a)",
        "EXPLAIN QUERY PLAN CREATE TABLE t (a)",
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE TABLE t AS VALUES (1)",
        "CREATE TABLE t AS WITH RECURSIVE c (a) AS (SELECT 1 UNION ALL SELECT a FROM c) SELECT a FROM c",
        "CREATE TABLE temp.t (a)",
        "CREATE TEMP TABLE t (a)",
        "CREATE TABLE other (a)",
        "CREATE TABLE T (a)",
        "CREATE VIEW t AS SELECT 1 AS a",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "CREATE INDEX t ON t (a)",
        "CREATE TRIGGER t AFTER INSERT ON t BEGIN SELECT 1; END",
        "",
        ";",
        "-- nothing",
        "no statement",
    ] {
        let trial = try_table(sql);
        assert!(trial.refused.len() == 1 && trial.impossible.is_empty(), "{sql}: {trial:?}");
        for object_type in
            [ObjectType::Index, ObjectType::View, ObjectType::Trigger, ObjectType::VirtualTable]
        {
            let trial = try_object(object_type, "x", "t", sql);
            assert!(trial.refused.len() == 1 && trial.impossible.is_empty(), "{sql}: {trial:?}");
        }
    }
}

#[test]
fn a_tail_is_refused() {
    for tail in ["; DROP TABLE t", ";", " ", "\n", " -- comment", "/**/", "; CREATE TABLE u (a)"] {
        let trial = try_table(&format!("CREATE TABLE t (a){tail}"));
        assert_refused(&trial, "t", "");
        let trial = try_object(
            ObjectType::VirtualTable,
            "v",
            "v",
            &format!("CREATE VIRTUAL TABLE v USING fts5(a); {tail} SELECT 1"),
        );
        assert_refused(&trial, "v", "");
    }
}

#[test]
fn text_that_sqlite_would_not_store_is_refused() {
    for sql in [
        "create table t (a)",
        "CREATE  TABLE t (a)",
        " CREATE TABLE t (a)",
        "CREATE TABLE main.t (a)",
        "CREATE TABLE IF NOT EXISTS t (a)",
        "CREATE TABLE /* */ t (a)",
    ] {
        assert_refused(&try_table(sql), "t", "exactly what is claimed");
    }
}

#[test]
fn a_nul_character_is_refused() {
    assert_refused(&try_table("CREATE TABLE t (a)\0; DROP TABLE t"), "t", "NUL");
    let trial = try_tables(vec![table("t\0", &["a"], &[], "CREATE TABLE t (a)")]);
    assert_refused(&trial, "t\0", "NUL");
}

#[test]
fn other_columns_or_another_key_are_refused() {
    let sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c AS (b), d, UNIQUE (d, b))";
    assert_eq!(try_tables(vec![table("t", &["a", "b", "d"], &[0], sql)]), Trial::default());
    let mut with_rowid = table("t", &["a", "b", "d"], &[0], sql);
    with_rowid.rowid = true;
    for claimed in [
        with_rowid,
        table("t", &["a", "b"], &[0], sql),
        table("t", &["a", "d", "b"], &[0], sql),
        table("t", &["a", "b", "c", "d"], &[0], sql),
        table("t", &["A", "b", "d"], &[0], sql),
        table("t", &["a", "b", "d"], &[], sql),
        table("t", &["a", "b", "d"], &[1], sql),
        table("t", &["a", "b", "d"], &[0, 7], sql),
    ] {
        assert_refused(&try_tables(vec![claimed]), "t", "other columns");
    }
    let sql = "CREATE TABLE t (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID";
    assert_refused(&try_tables(vec![table("t", &["a", "b"], &[0, 1], sql)]), "t", "other columns");
    let without_rowid = table("t", &["a", "b"], &[1, 0], sql);
    assert_eq!(try_tables(vec![without_rowid]), Trial::default());
}

#[test]
fn a_kind_has_its_own_table() {
    let mut claimed = table("T", &["a"], &[], "CREATE TABLE T (a)");
    claimed.kind = Some(RecordKind::Chunk);
    assert_refused(&try_tables(vec![claimed]), "T", "kind of its records");
    let mut claimed = table("Code_Chunks", &["a"], &[], "CREATE TABLE Code_Chunks (a)");
    claimed.kind = Some(RecordKind::Chunk);
    assert_eq!(try_tables(vec![claimed]), Trial::default());
}

#[test]
fn only_the_integer_primary_key_replaces_the_rowid() {
    for (definition, is_rowid) in [
        ("INTEGER PRIMARY KEY", true),
        ("integer primary key asc", true),
        ("INTEGER PRIMARY KEY UNIQUE", true),
        ("INTEGER PRIMARY KEY DESC", false),
        ("INT PRIMARY KEY", false),
        ("TEXT UNIQUE PRIMARY KEY", false),
    ] {
        let sql = format!("CREATE TABLE t (a {definition})");
        for rowid in [false, true] {
            let claimed = TableSchema { rowid, ..table("t", &["a"], &[0], &sql) };
            let accepted = try_tables(vec![claimed]) == Trial::default();
            assert_eq!(accepted, rowid != is_rowid, "{definition}");
        }
    }
}

#[test]
fn names_that_belong_to_sqlite_are_refused() {
    for name in ["sqlite_stat1", "SQLite_sequence", "sqlite_schema", "sqlite_x", "sqlite_"] {
        let sql = format!("CREATE TABLE {name} (a)");
        assert_refused(&try_tables(vec![table(name, &["a"], &[], &sql)]), name, "reserved");
        let sql = format!("CREATE INDEX {name} ON t (a)");
        assert_refused(&try_object(ObjectType::Index, name, "t", &sql), name, "reserved");
        let sql = format!("CREATE VIRTUAL TABLE {name} USING fts5(a)");
        assert_refused(&try_object(ObjectType::VirtualTable, name, name, &sql), name, "reserved");
    }
    for sql in
        ["CREATE INDEX x ON sqlite_schema (name)", "CREATE INDEX x ON sqlite_sequence (name)"]
    {
        let trial = try_object(ObjectType::Index, "x", "sqlite_sequence", sql);
        assert_eq!(trial.refused.len(), 1, "{trial:?}");
    }
}

#[test]
fn a_name_that_occurs_twice_is_refused() {
    let sql = "CREATE TABLE T (a)";
    let tables = vec![table("t", &["a"], &[], "CREATE TABLE t (a)"), table("T", &["a"], &[], sql)];
    assert_refused(&try_tables(tables), "T", "twice");
    let view = try_object(ObjectType::View, "T", "T", "CREATE VIEW T AS SELECT 1");
    assert_refused(&view, "T", "twice");
    let sql = "CREATE VIRTUAL TABLE T USING fts5(a)";
    assert_refused(&try_object(ObjectType::VirtualTable, "T", "T", sql), "T", "twice");
    let sql = "CREATE TRIGGER t AFTER INSERT ON t BEGIN SELECT 1; END";
    assert_eq!(try_object(ObjectType::Trigger, "t", "t", sql), Trial::default());
}

#[test]
fn an_object_of_another_type_name_or_table_is_refused() {
    let index = "CREATE INDEX i ON t (a)";
    let view = "CREATE VIEW i AS SELECT 1";
    let trigger = "CREATE TRIGGER i AFTER INSERT ON t BEGIN SELECT 1; END";
    for (object_type, name, table, sql) in [
        (ObjectType::Index, "j", "t", index),
        (ObjectType::Index, "I", "t", index),
        (ObjectType::Index, "i", "u", index),
        (ObjectType::Index, "i", "T", index),
        (ObjectType::View, "i", "t", index),
        (ObjectType::Trigger, "i", "t", index),
        (ObjectType::Index, "i", "t", view),
        (ObjectType::View, "i", "t", view),
        (ObjectType::Trigger, "i", "t", view),
        (ObjectType::Index, "i", "t", trigger),
        (ObjectType::View, "i", "i", trigger),
        (ObjectType::Trigger, "i", "i", trigger),
        (ObjectType::Trigger, "i", "T", trigger),
        (ObjectType::Index, "i", "t", "CREATE INDEX temp.i ON t (a)"),
        (ObjectType::View, "i", "i", "CREATE TEMP VIEW i AS SELECT 1"),
        (ObjectType::View, "i", "i", "CREATE VIEW temp.i AS SELECT 1"),
        (
            ObjectType::Trigger,
            "i",
            "t",
            "CREATE TEMP TRIGGER i AFTER INSERT ON t BEGIN SELECT 1; END",
        ),
        (ObjectType::Index, "i", "u", "CREATE INDEX i ON u (a)"),
        (ObjectType::Trigger, "i", "u", "CREATE TRIGGER i AFTER INSERT ON u BEGIN SELECT 1; END"),
    ] {
        let trial = try_object(object_type, name, table, sql);
        assert!(trial.refused.len() == 1 && trial.impossible.is_empty(), "{sql}: {trial:?}");
    }
}

#[test]
fn only_a_virtual_table_is_restored_as_one() {
    for sql in [
        "CREATE TABLE v (a)",
        "CREATE VIEW v AS SELECT 1",
        "create virtual table v USING fts5(a)",
        "CREATE VIRTUAL TABLE V USING fts5(a)",
        "CREATE VIRTUAL TABLE w USING fts5(a)",
        "CREATE VIRTUAL TABLE main.v USING fts5(a)",
        "CREATE VIRTUAL TABLE temp.v USING fts5(a)",
        "CREATE VIRTUAL TABLE v /* */ . v USING fts5(a)",
        "CREATE VIRTUAL TABLE v",
        "CREATE VIRTUAL TABLE v USING fts5(a",
        "EXPLAIN CREATE VIRTUAL TABLE v USING fts5(a)",
    ] {
        let trial = try_object(ObjectType::VirtualTable, "v", "v", sql);
        assert!(trial.refused.len() == 1 && trial.impossible.is_empty(), "{sql}: {trial:?}");
    }
    for name in ["main", "temp"] {
        let sql = format!("CREATE VIRTUAL TABLE {name}.{name} USING fts5(a)");
        let trial = try_object(ObjectType::VirtualTable, name, name, &sql);
        assert_eq!(trial.refused.len(), 1, "{sql}: {trial:?}");
    }
    let sql = "CREATE VIRTUAL TABLE v USING fts5(a)";
    assert_refused(&try_object(ObjectType::VirtualTable, "v", "t", sql), "v", "virtual table");
}

#[test]
fn a_schema_cannot_take_memory_or_time() {
    let start = Instant::now();
    let bomb =
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
    for sql in [
        format!("CREATE TABLE t (a CHECK (a = ({bomb})))"),
        format!("CREATE TABLE t (a, b AS (({bomb})))"),
        "CREATE TABLE t (a CHECK (load_extension('x')))".into(),
        "CREATE TABLE t (a, b AS (load_extension(a)))".into(),
    ] {
        assert_refused(&try_table(&sql), "t", "");
    }
    for sql in [
        format!("CREATE INDEX i ON t (({bomb}))"),
        format!("CREATE INDEX i ON t (a) WHERE a = ({bomb})"),
        "CREATE INDEX i ON t (load_extension(a))".into(),
    ] {
        assert_refused(&try_object(ObjectType::Index, "i", "t", &sql), "i", "");
    }
    // SQLite computes it for rows only.
    let sql = "CREATE INDEX i ON t (hex(zeroblob(400000000)))";
    assert_eq!(try_object(ObjectType::Index, "i", "t", sql), Trial::default());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn too_many_objects_are_refused_at_once() {
    let tables = (0..=MAX_OBJECTS)
        .map(|n| table(&format!("t{n}"), &["a"], &[], &format!("CREATE TABLE t{n} (a)")))
        .collect();
    let start = Instant::now();
    assert_refused(&try_tables(tables), "", "10001 objects");
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[test]
fn an_object_of_another_table_than_claimed_is_refused_among_many_tables() {
    let tables: Vec<_> = (0..600)
        .map(|n| table(&format!("t{n}"), &["a"], &[], &format!("CREATE TABLE t{n} (a)")))
        .collect();
    for (claimed, used) in [("t0", "t599"), ("t599", "t0"), ("t1", "t2"), ("missing", "t0")] {
        let index = format!("CREATE INDEX i ON {used} (a)");
        let trigger = format!("CREATE TRIGGER i AFTER INSERT ON {used} BEGIN SELECT 1; END");
        for (object_type, sql) in [(ObjectType::Index, index), (ObjectType::Trigger, trigger)] {
            let object = object(object_type, "i", claimed, &sql);
            let trial = try_schema(&carried(tables.clone(), vec![object]), 0).unwrap();
            assert_refused(&trial, "i", "");
        }
    }
    let same_name = object(ObjectType::View, "t0", "t0", "CREATE VIEW t0 AS SELECT 1");
    let trial = try_schema(&carried(tables, vec![same_name]), 0).unwrap();
    assert_refused(&trial, "t0", "occurs twice");
}

#[test]
fn too_many_automatic_indexes_are_refused() {
    let columns: Vec<String> = (0..100).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let definition = columns.join(" UNIQUE, ");
    let tables = (0..MAX_OBJECTS / 40)
        .map(|n| table(&format!("t{n}"), &names, &[], &format!("CREATE TABLE t{n} ({definition})")))
        .collect();
    assert_refused(&try_tables(tables), "", "indexes");
}

#[test]
fn a_statement_of_any_size_and_depth_is_judged() {
    for depth in [10, 100_000] {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        for sql in [
            format!("CREATE TABLE t (a CHECK ({open}a{close}))"),
            format!("CREATE TABLE t (a CHECK ({}a))", "- ".repeat(depth)),
            format!("CREATE TABLE t (a CHECK (a{}))", " + a".repeat(depth)),
            format!("CREATE TABLE t (a, b AS (abs{open}a{close}))"),
        ] {
            let trial = try_table(&sql);
            assert!(trial.impossible.is_empty(), "{trial:?}");
            assert_eq!(trial.refused.is_empty(), depth == 10, "{trial:?}");
        }
    }
    let long = format!("CREATE TABLE t (a /* {} */)", "x".repeat(2 << 20));
    assert_refused(&try_table(&long), "t", "");
}

proptest! {
    #[test]
    fn any_statement_is_judged(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..14),
        beginning in prop::sample::select(BEGINNINGS),
    ) {
        let sql = format!("{beginning} {}", tokens.join(" "));
        try_table(&sql);
        for object_type in
            [ObjectType::Index, ObjectType::View, ObjectType::Trigger, ObjectType::VirtualTable]
        {
            try_object(object_type, "x", "t", &sql);
            try_object(object_type, "x", "x", &sql);
        }
    }
}

const BEGINNINGS: &[&str] = &[
    "",
    "CREATE",
    "CREATE TABLE t (a",
    "CREATE TABLE t (a)",
    "CREATE INDEX x ON t (",
    "CREATE VIEW x AS",
    "CREATE TRIGGER x AFTER INSERT ON t BEGIN",
    "CREATE VIRTUAL TABLE x USING",
    "SELECT",
    "WITH x AS (",
    "EXPLAIN",
    "PRAGMA",
    "CREATE TABLE t (a CHECK (",
    "CREATE TABLE t (a, b AS (",
    "REINDEX",
    "INSERT INTO",
];
const TOKENS: &[&str] = &[
    "t",
    "x",
    "a",
    "b",
    "(",
    ")",
    ",",
    ";",
    ".",
    "*",
    "=",
    "1",
    "'s'",
    "x'00'",
    "\"t\"",
    "[a]",
    "AS",
    "ON",
    "SELECT",
    "FROM",
    "WHERE",
    "TABLE",
    "INDEX",
    "VIEW",
    "TRIGGER",
    "VIRTUAL",
    "USING",
    "fts5",
    "rtree",
    "PRIMARY KEY",
    "UNIQUE",
    "NOT NULL",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "NOCASE",
    "own",
    "REFERENCES",
    "GENERATED ALWAYS",
    "STORED",
    "STRICT",
    "WITHOUT ROWID",
    "AUTOINCREMENT",
    "INTEGER",
    "TEMP",
    "main",
    "temp",
    "sqlite_schema",
    "sqlite_sequence",
    "IF NOT EXISTS",
    "BEGIN",
    "END",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE FROM",
    "random()",
    "load_extension(a)",
    "json(a)",
    "writable_schema",
    "DROP",
    "new.a",
    "rowid",
    "NULL",
    "?1",
    ":a",
    "--",
    "/*",
    "*/",
    "count(*)",
    "OVER ()",
    "RAISE(ABORT, 'x')",
];

#[test]
fn settings_that_sqlite_does_not_know_are_refused() {
    let mut schema = carried(Vec::new(), Vec::new());
    schema.encoding = "UTF-32".into();
    assert_refused(&try_schema(&schema, 0).unwrap(), "encoding", "UTF-32");
    for (page_size, auto_vacuum, name) in [
        (0, 0, "page_size"),
        (4095, 0, "page_size"),
        (131_072, 0, "page_size"),
        (512, 3, "auto_vacuum"),
    ] {
        let mut schema = carried(Vec::new(), Vec::new());
        let settings = Settings { page_size, auto_vacuum, ..Settings::default() };
        schema.whole.as_mut().unwrap().settings = settings;
        assert_refused(&try_schema(&schema, 0).unwrap(), name, "not a value");
    }
}

#[test]
fn what_this_build_lacks_is_impossible() {
    for (definition, reason) in [
        ("a CHECK (own(a))", "no such function: own"),
        ("a, b AS (own(a))", "no such function: own"),
        ("a COLLATE own PRIMARY KEY", "no such collation sequence: own"),
        ("a CHECK (upper(a, 1, 2))", "wrong number of arguments"),
    ] {
        let key: &[usize] = if definition.contains("PRIMARY") { &[0] } else { &[] };
        let mut t = table("t", &["a"], key, &format!("CREATE TABLE t ({definition})"));
        t.rowid = true;
        let objects = vec![
            object(ObjectType::Index, "i", "t", "CREATE INDEX i ON t (a)"),
            object(ObjectType::View, "v", "v", "CREATE VIEW v AS SELECT own(a) FROM t"),
            object(
                ObjectType::Trigger,
                "r",
                "t",
                "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END",
            ),
        ];
        let trial = try_schema(&carried(vec![t], objects), 0).unwrap();
        assert_impossible(&trial, &["t", "i", "r"], reason);
        assert_eq!(trial.impossible[1].reason, "t can't be created");
    }
    for (sql, reason) in [
        ("CREATE INDEX i ON t (own(a))", "no such function: own"),
        ("CREATE INDEX i ON t (a) WHERE own(a)", "no such function: own"),
        ("CREATE INDEX i ON t (a COLLATE own)", "no such collation sequence: own"),
    ] {
        assert_impossible(&try_object(ObjectType::Index, "i", "t", sql), &["i"], reason);
    }
}

#[test]
fn a_rowid_that_columns_hide_cannot_be_restored() {
    let columns = ["rowid", "_ROWID_", "oid"];
    let sql = "CREATE TABLE t (rowid, _ROWID_, oid)";
    assert_impossible(&try_tables(vec![table("t", &columns, &[], sql)]), &["t"], "hide its rowid");
    let sql = "CREATE TABLE t (rowid, _rowid_, oid AS (1))";
    let trial = try_tables(vec![table("t", &["rowid", "_rowid_"], &[], sql)]);
    assert_impossible(&trial, &["t"], "hide its rowid");
    let sql = "CREATE TABLE t (rowid INTEGER PRIMARY KEY, _rowid_, oid)";
    let trial = try_tables(vec![table("t", &["rowid", "_rowid_", "oid"], &[0], sql)]);
    assert_eq!(trial, Trial::default());
}
