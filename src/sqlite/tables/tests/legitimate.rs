//! Databases that are restored exactly.

use rusqlite::Connection;

use super::fixtures::{carried, object, restored, rows, try_object};
use crate::sqlite::tables::trial::{Trial, try_schema};
use crate::table::ObjectType;

fn database(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

#[test]
fn every_kind_of_table_is_restored() {
    restored(&database(
        "CREATE TABLE plain (a, b TEXT DEFAULT 'x', c DEFAULT (own_function(1)));
         INSERT INTO plain (rowid, a, b, c) VALUES (7, 1, NULL, x'00'), (-3, 'a', 2.5, '');
         CREATE TABLE strict (a INT, b TEXT, c BLOB, d REAL, e ANY) STRICT;
         INSERT INTO strict VALUES (1, 'a', x'ff', 1, '1'), (NULL, NULL, NULL, NULL, 1.0);
         CREATE TABLE both (a TEXT, b INT, c ANY, PRIMARY KEY (b DESC, a)) WITHOUT ROWID, STRICT;
         INSERT INTO both VALUES ('a', 1, '1'), ('b', 1, 1);
         CREATE TABLE without_rowid (a TEXT, b INT, c, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;
         INSERT INTO without_rowid VALUES ('a', 1, 2), ('b', 1, 3);
         CREATE TABLE generated (a, b AS (a + 1), c, d AS (a || c) STORED UNIQUE);
         INSERT INTO generated VALUES (1, 2), ('x', 'y');
         CREATE TABLE checked (a CHECK (a > 0), b CHECK (length(b) < 3), CONSTRAINT n CHECK (a <> b));
         PRAGMA ignore_check_constraints = ON;
         INSERT INTO checked VALUES (-1, 'violates');
         CREATE TABLE collated (a TEXT COLLATE NOCASE PRIMARY KEY, b TEXT COLLATE RTRIM UNIQUE);
         INSERT INTO collated VALUES ('A', 'b'), ('b', 'c');
         CREATE TABLE descending (a INTEGER PRIMARY KEY DESC, b);
         INSERT INTO descending (rowid, a, b) VALUES (9, 3, 3), (1, 2, 2);
         CREATE TABLE conflicting (a UNIQUE ON CONFLICT REPLACE, b NOT NULL ON CONFLICT IGNORE);
         INSERT INTO conflicting VALUES (1, 2), (2, 3);
         CREATE TABLE hides (rowid, _rowid_, a);
         INSERT INTO hides (oid, rowid, _rowid_, a) VALUES (5, 1, 2, 3);
         CREATE TABLE hides_generated (a, rowid AS (a));
         INSERT INTO hides_generated (_rowid_, a) VALUES (5, 1);
         CREATE TABLE keyed (a TEXT PRIMARY KEY, b BLOB);
         INSERT INTO keyed VALUES (NULL, 1), (NULL, 2), ('', 3);",
    ));
}

#[test]
fn foreign_keys_may_be_circular_or_violated() {
    restored(&database(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b (id) ON DELETE CASCADE);
         CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE c (x REFERENCES nowhere (y));
         INSERT INTO a VALUES (1, 1), (2, 99);
         INSERT INTO b VALUES (1, 1);
         INSERT INTO c VALUES (5);",
    ));
}

#[test]
fn indexes_views_and_triggers_are_restored() {
    let target = restored(&database(
        "CREATE TABLE t (a, b TEXT);
         INSERT INTO t VALUES (1, 'x'), (2, 'Y');
         CREATE INDEX plain ON t (a DESC, b COLLATE NOCASE);
         CREATE UNIQUE INDEX partial ON t (a) WHERE b > 'a' AND a IS NOT NULL;
         CREATE INDEX expression ON t (lower(b), a + 1, json_valid(b));
         CREATE VIEW v (x) AS SELECT a FROM t UNION SELECT own_function(b) FROM missing;
         CREATE VIEW recursive AS
           WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c;
         CREATE TRIGGER after_insert AFTER INSERT ON t WHEN new.a > own_function(0) BEGIN
           DELETE FROM missing WHERE a = new.a; SELECT RAISE(ABORT, 'it ran; END');
         END;
         CREATE TRIGGER instead INSTEAD OF UPDATE OF x ON v BEGIN
           INSERT INTO T VALUES (new.x, 1);
         END;
         CREATE TRIGGER other_spelling BEFORE UPDATE OF b ON T BEGIN SELECT 1; END;",
    ));
    assert_eq!(rows(&target, &super::fixtures::describe(&target).tables[0]).len(), 2);
}

#[test]
fn any_name_is_restored() {
    let names = [
        "with space",
        "a:b",
        "a''b",
        "quo\"te",
        "[bracket",
        "`tick",
        "\u{1f980}",
        "\u{e9}t\u{e9}",
        "select",
        "table",
        "--",
        "/* x */",
        "a;b",
        "%s",
        "\\",
        "1",
        " ",
        "new\nline",
        "temp",
        "main",
    ];
    let mut sql = String::new();
    for name in names {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let (table, index) = (quoted(name), quoted(&format!("{name} i")));
        sql += &format!(
            "CREATE TABLE {table} ({table} TEXT, b); INSERT INTO {table} VALUES (1, 2);
             CREATE INDEX {index} ON {table} ({table});
             CREATE TRIGGER {table} AFTER INSERT ON {table} BEGIN SELECT 1; END;"
        );
        sql += &format!("CREATE VIEW {} AS SELECT * FROM {table};", quoted(&format!("{name} v")));
    }
    sql += "CREATE TABLE [square brackets] ([a b] -- a comment, with \"'`[
              , `c d` /* and another; DROP TABLE x */ INT, 'string' TEXT);
            CREATE TABLE `back ticks` (`a` `b c`);
            CREATE TABLE 'single ''quotes''' (a);
            INSERT INTO [square brackets] VALUES (1, 2, 3);";
    restored(&database(&sql));
}

#[test]
fn altered_tables_are_restored() {
    restored(&database(
        "CREATE TABLE t (a, b);
         CREATE INDEX i ON t (b);
         ALTER TABLE t RENAME TO \"another name\";
         ALTER TABLE \"another name\" ADD COLUMN c TEXT NOT NULL DEFAULT 'x';
         ALTER TABLE \"another name\" RENAME COLUMN b TO \"b b\";
         CREATE TABLE selected AS SELECT 1 AS one, 'x' AS \"a b\", count(*) FROM \"another name\";
         INSERT INTO \"another name\" VALUES (1, 2, 3);",
    ));
}

#[test]
fn every_module_is_restored_even_one_that_is_unknown() {
    restored(&database(
        "CREATE VIRTUAL TABLE three USING fts3(a, tokenize=porter);
         CREATE VIRTUAL TABLE four USING fts4(a, b, content='');
         CREATE VIRTUAL TABLE five USING fts5(a, b UNINDEXED, prefix='2 3');
         CREATE VIRTUAL TABLE \"a space\" USING fts5(a);
         CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +name);
         CREATE VIRTUAL TABLE whole USING rtree_i32(id, x0, x1);
         INSERT INTO three VALUES ('one two');
         INSERT INTO five VALUES ('one two', 'three');
         INSERT INTO boxes VALUES (1, 0, 1, 2, 3, 'a');
         CREATE VIEW v AS SELECT * FROM five WHERE five MATCH 'one';",
    ));
    for sql in [
        "CREATE VIRTUAL TABLE v USING vec0(embedding float[768], +x TEXT, 'any (thing)')",
        "CREATE VIRTUAL TABLE v USING vec0",
        "CREATE VIRTUAL TABLE \"v\" USING \"own module\" ( -- comment\n a, b )",
    ] {
        let trial = try_object(ObjectType::VirtualTable, "v", "v", sql);
        assert_eq!(trial, Trial::default(), "{sql}");
    }
}

#[test]
fn a_virtual_table_of_an_unknown_module_survives_the_restore() {
    let source = database("CREATE TABLE v_rows (id INTEGER PRIMARY KEY, data BLOB)");
    source
        .execute_batch(
            "INSERT INTO v_rows VALUES (1, x'0102');
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
               VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING vec0(a float[2])');
             PRAGMA writable_schema = RESET",
        )
        .unwrap();
    let target = restored(&source);
    let writable = target.pragma_query_value(None, "writable_schema", |row| row.get::<_, bool>(0));
    assert_eq!(writable, Ok(false));
    let error = target.prepare("SELECT * FROM v").unwrap_err().to_string();
    assert!(error.contains("no such module: vec0"), "{error}");
}

#[test]
fn a_schema_of_many_objects_is_tried_quickly() {
    let tables = (0..1000)
        .map(|n| {
            let sql = format!("CREATE TABLE t{n} (a TEXT PRIMARY KEY, b)");
            let mut table = super::fixtures::table(&format!("t{n}"), &["a", "b"], &[0], &sql);
            table.rowid = true;
            table
        })
        .collect();
    let objects = (0..1000)
        .map(|n| {
            let name = format!("v{n}");
            let sql = format!("CREATE VIRTUAL TABLE v{n} USING fts5(a)");
            object(ObjectType::VirtualTable, &name, &name, &sql)
        })
        .collect();
    let start = std::time::Instant::now();
    assert_eq!(try_schema(&carried(tables, objects), 0).unwrap(), Trial::default());
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn objects_of_many_tables_are_tried_with_their_table() {
    let tables = (0..600)
        .map(|n| {
            super::fixtures::table(&format!("t{n}"), &["a"], &[], &format!("CREATE TABLE t{n} (a)"))
        })
        .collect();
    let of_each = |n: u32| {
        [
            (ObjectType::Index, "i", "t", format!("CREATE INDEX i{n} ON t{n} (a)")),
            (
                ObjectType::Trigger,
                "g",
                "t",
                format!("CREATE TRIGGER g{n} AFTER INSERT ON t{n} BEGIN DELETE FROM t0; END"),
            ),
            (ObjectType::View, "v", "v", format!("CREATE VIEW v{n} AS SELECT a FROM t{n}, t0")),
            (
                ObjectType::Trigger,
                "h",
                "v",
                format!("CREATE TRIGGER h{n} INSTEAD OF INSERT ON v{n} BEGIN SELECT 1; END"),
            ),
        ]
        .map(|(object_type, name, table, sql)| {
            object(object_type, &format!("{name}{n}"), &format!("{table}{n}"), &sql)
        })
    };
    let objects = (0..600).step_by(3).flat_map(of_each).collect();
    assert_eq!(try_schema(&carried(tables, objects), 0).unwrap(), Trial::default());
}
