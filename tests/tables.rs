//! Databases of every shape are carried whole: into a KV file and back, nothing changes.

use std::fs;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use serde_json::Value;

use crate::common::Scenario;
use crate::common::whole_database::{assert_carried, assert_script_is_carried};

/// Databases by name, each with the script that builds it.
type Cases<'c> = &'c [(&'c str, &'c str)];

fn assert_all_carried(cases: Cases<'_>) {
    for (what, script) in cases {
        let _ = assert_script_is_carried(what, script);
    }
}

#[test]
fn tables_with_every_primary_key_are_carried() {
    assert_all_carried(&[
        (
            "text",
            "CREATE TABLE chunks (id TEXT PRIMARY KEY, file TEXT, line_start INTEGER,
                 line_end INTEGER, content TEXT, embedding BLOB);
             INSERT INTO chunks VALUES ('b:1', 'b.rs', 1, 2, 'fn b', randomblob(6144)),
                 ('a:1', 'a.rs', 1, 2, 'fn a', randomblob(6144)), ('', '', 0, 0, '', x'');",
        ),
        (
            "composite",
            "CREATE TABLE t (a TEXT, b INTEGER, c BLOB, d, PRIMARY KEY (c, a, b));
             INSERT INTO t VALUES ('a:', 1, x'00', 'd'), ('a', 1, x'003a', 'd'),
                 ('a', -1, x'', 'd'),
                 (':', 1, 'text', 1.5);",
        ),
        (
            "blob",
            "CREATE TABLE t (hash BLOB PRIMARY KEY, n); INSERT INTO t VALUES (x'', 1),
                 (x'00', 2), (x'ff', 3), ('ff', 4), (randomblob(32), 5);",
        ),
        (
            "real",
            "CREATE TABLE t (r REAL PRIMARY KEY, v);
             INSERT INTO t VALUES (1, 1), (1.5, 2), (9e999, 3), (-9e999, 4), (0, 5), (1e300, 6),
                 (-5e-324, 7), ('x', 9);",
        ),
        ("none", "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2), (1, 2), (NULL, NULL);"),
        (
            "any storage class",
            "CREATE TABLE t (k PRIMARY KEY, v);
             INSERT INTO t VALUES (1, 1), ('1', 2), (x'31', 3), (1.5, 4), ('', 5), (x'', 6),
                 (NULL, 7), (NULL, 8), ('@A1', 9), ('A1', 10);",
        ),
        (
            "NULL in a part",
            "CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b));
             INSERT INTO t VALUES ('a', NULL), ('a', NULL), (NULL, NULL), ('a', 'b');
             DELETE FROM t WHERE rowid = 2;",
        ),
        (
            "descending integer",
            "CREATE TABLE t (id INTEGER PRIMARY KEY DESC, v);
             INSERT INTO t VALUES (1, 'a'), (NULL, 'b'), (NULL, 'c'), (3, 'd'), (-7, 'e');",
        ),
        (
            "INT is no alias of the rowid",
            "CREATE TABLE t (id INT PRIMARY KEY, v); INSERT INTO t VALUES (7, 'a'), (3, 'b'),
                 (NULL, 'c');",
        ),
        (
            "integer in a table constraint",
            "CREATE TABLE t (v, id INTEGER, PRIMARY KEY (id DESC)); INSERT INTO t VALUES ('a', 5),
                 ('b', -5);
             CREATE TABLE u (v, \"i d\" integer, PRIMARY KEY (\"i d\" AUTOINCREMENT));
             INSERT INTO u VALUES ('a', 5), ('b', -5);",
        ),
        (
            "only a key",
            "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (5);
             CREATE TABLE u (id TEXT PRIMARY KEY) WITHOUT ROWID;
             INSERT INTO u VALUES ('a'), ('b');",
        ),
        (
            "WITHOUT ROWID",
            "CREATE TABLE t (b INTEGER, a TEXT, c, PRIMARY KEY (a, b DESC)) WITHOUT ROWID;
             INSERT INTO t VALUES (1, 'a', 'x'), (2, 'a', NULL), (-1, 'B', x'00');
             CREATE TABLE u (id INTEGER PRIMARY KEY, v) WITHOUT ROWID;
             INSERT INTO u VALUES (10, 1), (9, 2), (-1, 3), ('text', 4);
             CREATE TABLE w (id REAL, v, PRIMARY KEY (id, id, v)) WITHOUT ROWID;
             INSERT INTO w VALUES (1, 1), (0.5, 2);
             CREATE UNIQUE INDEX i ON t (c);",
        ),
        (
            "keys with every byte",
            "CREATE TABLE t (k TEXT PRIMARY KEY, v);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             INSERT INTO t SELECT char(i), i FROM n;
             INSERT INTO t VALUES (char(0), 0), ('a' || char(0) || 'b', 0), (char(0x10ffff), 0);",
        ),
        (
            "long key",
            "CREATE TABLE t (k TEXT PRIMARY KEY, v);
             INSERT INTO t VALUES (hex(zeroblob(200000)), 1), (hex(zeroblob(200000)) || 'a', 2);",
        ),
        (
            "conflict clauses",
            "CREATE TABLE t (a PRIMARY KEY ON CONFLICT REPLACE, b UNIQUE ON CONFLICT IGNORE NOT NULL
                 ON CONFLICT ROLLBACK, c CHECK (c > 1));
             INSERT INTO t VALUES (1, 2, 3), (2, 3, 4);",
        ),
    ]);
}

#[test]
fn rowids_are_kept() {
    assert_all_carried(&[
        (
            "gaps, negative ones, the least and the largest",
            "CREATE TABLE t (a); INSERT INTO t (rowid, a) VALUES (5, 'a'), (-3, 'b'), (0, 'c'),
                 (9223372036854775807, 'd'), (-9223372036854775808, 'e'), (100, 'f'), (99, 'g');
             CREATE TABLE u (id INTEGER PRIMARY KEY, a); INSERT INTO u SELECT rowid, a FROM t;
             CREATE TABLE w (id TEXT PRIMARY KEY, a); INSERT INTO w (rowid, id, a)
                 SELECT rowid, nullif(a, 'b'), a FROM t;",
        ),
        (
            "columns named like it",
            "CREATE TABLE t (rowid TEXT, a); INSERT INTO t (_rowid_, rowid, a) VALUES (7, 'x', 1);
             CREATE TABLE u (RowID, _ROWID_); INSERT INTO u (oid, rowid, _rowid_) VALUES (7, 8, 9);
             CREATE TABLE w (oid INTEGER PRIMARY KEY, rowid, _rowid_);
             INSERT INTO w VALUES (5, 6, 7);
             CREATE TABLE x (oid, rowid INTEGER PRIMARY KEY, _rowid_);
             INSERT INTO x VALUES (5, 6, 7);
             CREATE TABLE y (oid, rowid, _rowid_ TEXT PRIMARY KEY) WITHOUT ROWID;
             INSERT INTO y VALUES (5, 6, 7);
             CREATE TABLE z (a, rowid AS (a + 1) STORED); INSERT INTO z VALUES (5), (6);",
        ),
    ]);
}

#[test]
fn columns_of_every_definition_are_carried() {
    assert_all_carried(&[
        (
            "STRICT",
            "CREATE TABLE t (i INTEGER PRIMARY KEY, a INT, b REAL, c TEXT, d BLOB, e ANY) STRICT;
             INSERT INTO t VALUES (1, 2, 3, '4', x'05', '6'), (2, NULL, 1.5, '', x'', 7),
                 (3, 1, 2, '', x'', '007');
             CREATE TABLE u (k ANY PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
             INSERT INTO u VALUES (1, 1), ('1', 2), (x'31', 3);",
        ),
        (
            "generated",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a AS (b * 2) VIRTUAL, b INTEGER,
                 c TEXT GENERATED ALWAYS AS (b || 'x') STORED NOT NULL, d);
             INSERT INTO t (b, d) VALUES (1, 'd');
             INSERT INTO t (b, d) VALUES (5, 'd');
             CREATE INDEX i ON t (a, c);
             CREATE TABLE u (k TEXT AS (lower(v)) STORED UNIQUE, v TEXT);
             INSERT INTO u (v) VALUES ('A'), ('B');
             CREATE TABLE w (a, b AS (a) VIRTUAL, c AS (b) VIRTUAL CHECK (c < 9));
             INSERT INTO w VALUES (1), (2);
             CREATE TABLE x (v AS (k || 1) STORED, k TEXT, w, PRIMARY KEY (w, k)) WITHOUT ROWID;
             INSERT INTO x VALUES ('a', 'b'), ('b', 'a');",
        ),
        (
            "collations",
            "CREATE TABLE t (k TEXT COLLATE NOCASE, v TEXT COLLATE RTRIM);
             INSERT INTO t VALUES ('a', 'x  '), ('A', 'x'), ('b ', '');
             CREATE INDEX i ON t (k, v COLLATE BINARY);
             CREATE TABLE u (k TEXT PRIMARY KEY COLLATE NOCASE, v);
             INSERT INTO u VALUES ('b', 1), ('A', 2), ('c', 3);
             CREATE TABLE w (k TEXT COLLATE RTRIM PRIMARY KEY, v) WITHOUT ROWID;
             INSERT INTO w VALUES ('b ', 1), ('A', 2), ('b', 3) ON CONFLICT DO NOTHING;",
        ),
        (
            "defaults",
            "CREATE TABLE t (a DEFAULT 'it''s', b DEFAULT (random()), c DEFAULT CURRENT_TIMESTAMP,
                 d INTEGER NOT NULL DEFAULT -1, e DEFAULT x'00', f DEFAULT \"double\");
             INSERT INTO t DEFAULT VALUES;
             ALTER TABLE t ADD COLUMN g DEFAULT 'added'; ALTER TABLE t ADD COLUMN h;
             ALTER TABLE t DROP COLUMN d; ALTER TABLE t RENAME COLUMN e TO \"e e\";
             INSERT INTO t (g) VALUES (NULL);",
        ),
        (
            "created from a query",
            "CREATE TABLE t AS SELECT 1 AS a, 'x' AS \"b c\", x'00' AS c, 1.5, NULL;
             ALTER TABLE t RENAME TO \"t t\";",
        ),
        (
            "comments and spaces",
            "create  table if not exists main.t(a/* ) */, -- first
                 b   );CREATE  UNIQUE  INDEX IF NOT EXISTS i on t(a -- why
                 ) where b /* ; */ > 1; create view  v as select 1 -- end
             ; create trigger  if not exists r after insert on t begin select 1; end ;
             insert into t values (1, 2);",
        ),
    ]);
}

#[test]
fn rows_that_violate_constraints_are_carried() {
    assert_all_carried(&[
        (
            "circular foreign keys",
            "PRAGMA foreign_keys = ON;
             CREATE TABLE a (id INTEGER PRIMARY KEY,
                 b REFERENCES b (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (id) ON DELETE CASCADE);
             CREATE TABLE tree (id INTEGER PRIMARY KEY, parent REFERENCES tree);
             BEGIN; INSERT INTO a VALUES (1, 1), (2, 1); INSERT INTO b VALUES (1, 2); COMMIT;
             INSERT INTO tree VALUES (5, NULL), (1, 5), (9, 9);",
        ),
        (
            "violated foreign keys",
            "PRAGMA foreign_keys = OFF;
             CREATE TABLE a (id INTEGER PRIMARY KEY);
             CREATE TABLE b (id TEXT PRIMARY KEY, a NOT NULL REFERENCES a,
                 c REFERENCES nowhere (x));
             INSERT INTO b VALUES ('x', 1, NULL), ('y', 2, 3); DELETE FROM b WHERE id = 'q';",
        ),
        (
            "violated CHECK",
            "CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id < 0), a CHECK (a IN ('x', 'y')),
                 CHECK (length(a) = id));
             PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (1, 'z'), (2, NULL);",
        ),
    ]);
}

#[test]
fn values_of_every_storage_class_are_carried() {
    let columns = "a, b INTEGER, c REAL, d TEXT, e BLOB, f NUMERIC";
    let values = [
        "NULL",
        "0",
        "1",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "0.0",
        "-0.0",
        "1.0",
        "-1.5",
        "1e15",
        "9007199254740993",
        "9007199254740993.0",
        "1e19",
        "9e999",
        "-9e999",
        "5e-324",
        "1.7976931348623157e308",
        "0.1",
        "1e-7",
        "9e999 - 9e999",
        "''",
        "'1'",
        "'1.0'",
        "'1e3'",
        "' 1'",
        "'abc'",
        "'-0'",
        "'0x10'",
        "'inf'",
        "x''",
        "x'00'",
        "x'31'",
        "CAST(x'ff' AS TEXT)",
        "CAST(x'00d8' AS TEXT)",
        "CAST(x'6100' AS TEXT)",
        "CAST(x'eda080' AS TEXT)",
        "CAST(x'c080' AS TEXT)",
        "CAST(x'f4908080' AS TEXT)",
        "CAST(x'efbbbf' AS TEXT)",
        "char(0)",
        "char(0xfeff)",
        "char(0xfffe)",
        "char(0xfffd)",
        "char(10, 13, 9, 34, 92, 127, 133, 8232)",
        "'😀'",
        "'{\"blob\":1}'",
        "'[1]'",
    ];
    let mut script = format!(
        "CREATE TABLE t ({columns}); CREATE TABLE s (k INTEGER PRIMARY KEY, {columns}) ;
         CREATE TABLE k (k PRIMARY KEY, v); CREATE TABLE w (k PRIMARY KEY, v) WITHOUT ROWID;
         CREATE TABLE two (a, b, PRIMARY KEY (a, b));"
    );
    for value in values {
        let all = [value; 6].join(", ");
        script.push_str(&format!(
            "INSERT INTO t VALUES ({all}); INSERT INTO s VALUES (NULL, {all});
             INSERT OR IGNORE INTO k VALUES ({value}, 1);
             INSERT OR IGNORE INTO w VALUES ({value}, 1);
             INSERT OR IGNORE INTO two VALUES ({value}, {value});"
        ));
    }
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let script = format!("PRAGMA encoding = '{encoding}'; {script}");
        let _ = assert_script_is_carried(encoding, &script);
    }
}

#[test]
fn large_values_and_many_of_them_are_carried() {
    assert_all_carried(&[
        (
            "blobs of several MB",
            "CREATE TABLE t (id TEXT PRIMARY KEY, a BLOB, b BLOB, c TEXT);
             INSERT INTO t VALUES ('a', randomblob(2000000), randomblob(1000000),
                 hex(randomblob(500000))), ('b', zeroblob(1500000), NULL, '');",
        ),
        (
            "many rows",
            "CREATE TABLE t (k TEXT PRIMARY KEY, v REAL, b BLOB);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO t SELECT 'k' || (i * 7919 % 5003), i / 3.0, randomblob(i % 500) FROM n;",
        ),
    ]);
}

#[test]
fn names_of_every_form_are_carried() {
    let names = [
        "a b",
        "a\"b",
        "a'b",
        "a:b",
        "a::b",
        "a%b",
        "a%3Ab",
        "a%25",
        "😀",
        "",
        " ",
        "select",
        "table",
        "UPPER",
        "lower",
        "É",
        "é",
        "a.b",
        "main.t",
        "a,b",
        "all",
        "x\ny",
        "x\ty",
        "[x]",
        "`x`",
        "--x",
        "/*x",
        "x;y",
        "123",
        "-1",
        "rowid",
        "t\u{202e}t",
        "$a",
        "?1",
        "@a",
        "\\",
        "chunk",
        "table:t",
    ];
    let mut script = String::new();
    for name in names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let index = format!("\"i {}\"", name.replace('"', "\"\""));
        let trigger = format!("\"r {}\"", name.replace('"', "\"\""));
        let view = format!("\"v {}\"", name.replace('"', "\"\""));
        script.push_str(&format!(
            "CREATE TABLE {quoted} ({quoted} TEXT PRIMARY KEY, \"x y\");
             INSERT INTO {quoted} VALUES ('a', 1), ('b', 2);
             CREATE INDEX {index} ON {quoted} (\"x y\");
             CREATE TRIGGER {trigger} AFTER INSERT ON {quoted} BEGIN SELECT 1; END;
             CREATE VIEW {view} AS SELECT * FROM {quoted};"
        ));
    }
    let _ = assert_script_is_carried("names", &script);
}

/// The rest of a schema: it is created last, and nothing in it runs.
#[test]
fn views_triggers_and_indexes_are_carried() {
    assert_all_carried(&[
        (
            "triggers that would fire",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE log (what, n);
             CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('insert', NEW.id);
                 UPDATE t SET a = 'changed' WHERE id = NEW.id; END;
             CREATE TRIGGER s BEFORE INSERT ON t WHEN NEW.id = 2 BEGIN
                 SELECT RAISE(ABORT, 'no'); END;
             CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM log; END;
             DROP TRIGGER s; INSERT INTO t VALUES (1, 'x'), (2, 'y');
             CREATE TRIGGER s BEFORE INSERT ON t WHEN NEW.id = 2 BEGIN
                 SELECT RAISE(ABORT, 'no'); END;",
        ),
        (
            "views",
            "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2);
             CREATE VIEW v (x, y) AS SELECT a, b FROM t; CREATE VIEW w AS SELECT * FROM v, nowhere;
             CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (NEW.x, NEW.y); END;
             CREATE TRIGGER s INSTEAD OF UPDATE OF x ON v BEGIN SELECT 1; END;
             CREATE VIEW z AS
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n;",
        ),
        (
            "indexes",
            "CREATE TABLE t (a TEXT, b INTEGER, c TEXT UNIQUE, UNIQUE (a, b));
             INSERT INTO t VALUES ('A', 1, '{\"k\":1}'), ('b', 2, '{\"k\":2}'), ('c', NULL, '{}');
             CREATE INDEX i ON t (a COLLATE NOCASE DESC, b) WHERE b IS NOT NULL AND a <> 'x';
             CREATE UNIQUE INDEX j ON t (lower(a), abs(b));
             CREATE INDEX k ON t (json_extract(c, '$.k'));
             CREATE INDEX l ON t (c -> 'k', substr(a, 1, 1) || 'x');",
        ),
        (
            "statistics",
            "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2), (2, 3); CREATE INDEX i ON t (a);
             ANALYZE; CREATE TABLE u (a);",
        ),
        ("a table of nothing else", "CREATE TABLE t (a); CREATE INDEX i ON t (a);"),
        ("empty tables", "CREATE TABLE t (a); CREATE TABLE u (k PRIMARY KEY) WITHOUT ROWID;"),
        (
            "objects in another order",
            "CREATE TABLE b (x); CREATE INDEX b2 ON b (x); CREATE TABLE a (x); CREATE VIEW c AS
                 SELECT 1; CREATE TABLE d (x); DROP TABLE a; CREATE TABLE e (x);
             CREATE TRIGGER e AFTER INSERT ON d BEGIN SELECT 1; END;",
        ),
    ]);
}

#[test]
fn settings_are_carried() {
    let mut scripts = Vec::new();
    let content = "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x');";
    for page_size in ["512", "1024", "65536"] {
        scripts.push(format!("PRAGMA page_size = {page_size}; {content}"));
    }
    for auto_vacuum in ["FULL", "INCREMENTAL"] {
        scripts.push(format!("PRAGMA auto_vacuum = {auto_vacuum}; {content}"));
    }
    for (version, id) in [("2147483647", "-2147483648"), ("-1", "252006673"), ("7", "0")] {
        scripts.push(format!(
            "PRAGMA user_version = {version}; PRAGMA application_id = {id}; {content}"
        ));
    }
    scripts.push(format!("PRAGMA journal_mode = WAL; {content}"));
    scripts.push(format!(
        "PRAGMA page_size = 8192; PRAGMA auto_vacuum = 1; PRAGMA encoding = 'UTF-16be';
         PRAGMA user_version = 3; {content} PRAGMA journal_mode = WAL;"
    ));
    for script in scripts {
        let _ = assert_script_is_carried(&script, &script);
    }
}

#[test]
fn id_sequences_are_carried() {
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a);
         CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT);";
    assert_all_carried(&[
        ("no row", table),
        (
            "deleted rows",
            &format!(
                "{table} INSERT INTO t VALUES (9, 'x'), (3, 'y'); DELETE FROM t WHERE id = 9;"
            ),
        ),
        (
            "less than the ids",
            &format!("{table} INSERT INTO t VALUES (9, 'x'); UPDATE sqlite_sequence SET seq = 2;"),
        ),
        (
            "negative",
            &format!("{table} INSERT INTO t VALUES (9, 'x'); UPDATE sqlite_sequence SET seq = -2;"),
        ),
        ("the largest", &format!("{table} INSERT INTO t VALUES (9223372036854775807, 'x');")),
        (
            "none of a filled table",
            &format!("{table} INSERT INTO t VALUES (9, 'x'); DELETE FROM sqlite_sequence;"),
        ),
        (
            "of an ordinary table",
            &format!(
                "{table} CREATE TABLE w (id INTEGER PRIMARY KEY);
                 INSERT INTO sqlite_sequence VALUES ('w', 7);"
            ),
        ),
        (
            "two of one table",
            &format!(
                "{table} INSERT INTO t VALUES (9, 'x');
                 INSERT INTO sqlite_sequence VALUES ('t', 7);"
            ),
        ),
        ("name in another case", &format!("{table} INSERT INTO sqlite_sequence VALUES ('T', 7);")),
    ]);
}

#[test]
fn full_text_tables_are_carried() {
    let documents = "INSERT INTO f (rowid, a, b) VALUES (1, 'the quick brown fox', 'one'),
         (7, 'a lazy dog', 'two'), (-3, 'quick dogs running', 'three');";
    let content = "CREATE TABLE docs (id INTEGER PRIMARY KEY, a TEXT, b TEXT);
         INSERT INTO docs VALUES (1, 'the quick brown fox', 'one'), (7, 'a lazy dog', 'two');";
    let plain =
        |options: &str| format!("CREATE VIRTUAL TABLE f USING fts5(a, b{options}); {documents}");
    let cases = [
        ("plain", plain("")),
        (
            "updated",
            plain("")
                + "UPDATE f SET a = 'quick cat' WHERE rowid = 7; DELETE FROM f WHERE rowid = 1;",
        ),
        ("prefix", plain(", prefix = '2 3'")),
        ("porter", plain(", tokenize = 'porter unicode61 remove_diacritics 2'")),
        ("trigram", plain(", tokenize = 'trigram'")),
        ("columns only", plain(", detail = column, columnsize = 0")),
        ("unindexed", plain(", c UNINDEXED")),
        ("contentless", plain(", content = ''")),
        (
            "contentless with deletion",
            plain(", content = '', contentless_delete = 1") + "DELETE FROM f WHERE rowid = 7;",
        ),
        (
            "external content",
            format!(
                "{content}
                 CREATE VIRTUAL TABLE f USING fts5(a, b, content = 'docs', content_rowid = 'id');
                 INSERT INTO f (f) VALUES ('rebuild');
                 CREATE TRIGGER ai AFTER INSERT ON docs BEGIN
                     INSERT INTO f (rowid, a, b) VALUES (NEW.id, NEW.a, NEW.b); END;
                 INSERT INTO docs VALUES (9, 'quick', 'x');"
            ),
        ),
        ("with a vocabulary", plain("") + "CREATE VIRTUAL TABLE v USING fts5vocab(f, row);"),
        ("of UTF-16", "PRAGMA encoding = 'UTF-16le';".to_owned() + &plain("")),
        ("FTS4", format!("CREATE VIRTUAL TABLE f USING fts4(a, b, tokenize=porter); {documents}")),
        (
            "FTS4 without a copy",
            format!("CREATE VIRTUAL TABLE f USING fts4(content='', a, b); {documents}"),
        ),
        ("FTS3", format!("CREATE VIRTUAL TABLE f USING fts3(a, b); {documents}")),
        (
            "among odd names",
            format!(
                "CREATE VIRTUAL TABLE \"f 'x':\" USING fts5(a);
                 INSERT INTO \"f 'x':\" VALUES ('quick'); {}",
                plain("")
            ),
        ),
    ];
    for (what, script) in cases {
        let scenario = assert_script_is_carried(what, &script);
        let hits = ["code.db", "back.db"].map(|name| {
            let db = Connection::open(scenario.path(name)).unwrap();
            let sql = "SELECT group_concat(rowid) FROM f WHERE a MATCH 'quick'";
            db.query_row(sql, [], |row| row.get::<_, Option<String>>(0)).unwrap()
        });
        assert!(hits[0].is_some(), "{what}");
        assert_eq!(hits[0], hits[1], "{what}");
    }
}

#[test]
fn other_virtual_tables_are_carried() {
    assert_all_carried(&[
        (
            "R*Tree",
            "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, y0, y1, +note TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
             INSERT INTO r SELECT i, i, i + 1, -i, i, 'n' || i FROM n;
             CREATE VIRTUAL TABLE s USING rtree_i32(id, a, b); INSERT INTO s VALUES (1, 2, 3);",
        ),
        (
            "of an unknown module",
            "CREATE TABLE vec_chunks (rowid INTEGER PRIMARY KEY AUTOINCREMENT, id, size INTEGER,
                 validity BLOB, rowids BLOB);
             CREATE TABLE vec_rowids (rowid INTEGER PRIMARY KEY AUTOINCREMENT, id,
                 chunk_id INTEGER);
             CREATE TABLE vec_vector_chunks00 (rowid PRIMARY KEY, vectors BLOB NOT NULL);
             CREATE TABLE \"vec_info\" (key text primary key, value any);
             INSERT INTO vec_chunks VALUES (1, NULL, 1024, zeroblob(128), zeroblob(8192));
             INSERT INTO vec_rowids VALUES (1, NULL, 1), (2, NULL, 1);
             INSERT INTO vec_vector_chunks00 VALUES (1, randomblob(50000));
             INSERT INTO vec_info VALUES ('CREATE_VERSION', 'v0.1.6');
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES ('table', 'vec', 'vec', 0,
                 'CREATE VIRTUAL TABLE vec USING vec0(embedding float[384])');
             PRAGMA writable_schema = OFF;",
        ),
    ]);
}

#[test]
fn wide_tables_are_carried() {
    let columns = |count: usize| (0..count).map(|i| format!("c{i}")).collect::<Vec<_>>().join(", ");
    let values = |count: usize| {
        let value = |i: usize| match i % 5 {
            0 => i.to_string(),
            1 => format!("'text {i}'"),
            2 => "NULL".to_owned(),
            3 => format!("{i}.5"),
            _ => format!("x'{:04x}'", i),
        };
        (0..count).map(value).collect::<Vec<_>>().join(", ")
    };
    for encoding in ["UTF-8", "UTF-16le"] {
        let script = format!(
            "PRAGMA encoding = '{encoding}';
             CREATE TABLE t ({}); INSERT INTO t VALUES ({}), ({});",
            columns(2000),
            values(2000),
            values(2000),
        );
        let _ = assert_script_is_carried(encoding, &script);
    }
    let script = format!(
        "CREATE TABLE u (id INTEGER PRIMARY KEY, {}); INSERT INTO u VALUES (-5, {});
             CREATE TABLE w (id TEXT PRIMARY KEY, {}); INSERT INTO w VALUES ('k', {}), ('j', {});
             CREATE TABLE x (id TEXT PRIMARY KEY, {}) WITHOUT ROWID; INSERT INTO x VALUES ('k', {});
             CREATE TABLE y ({}, PRIMARY KEY ({})); INSERT INTO y VALUES ({});",
        columns(1999),
        values(1999),
        columns(950),
        values(950),
        values(950),
        columns(899),
        values(899),
        columns(60),
        columns(60),
        values(60),
    );
    let _ = assert_script_is_carried("other keys", &script);
}

#[test]
fn tables_named_like_those_of_the_kinds_are_carried() {
    let chunks = "id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL,
        byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL, content TEXT NOT NULL,
        content_hash TEXT NOT NULL, symbol_name TEXT, symbol_kind TEXT,
        created_at INTEGER NOT NULL";
    let values = "7, 'a.rs', 0, 5, 'fn a()', 'h', NULL, NULL, 7";
    let records =
        format!("CREATE TABLE code_chunks ({chunks}); INSERT INTO code_chunks VALUES ({values});");
    let scripts = [
        format!(
            "{records} CREATE TABLE other (id INTEGER PRIMARY KEY AUTOINCREMENT);
             INSERT INTO other VALUES (8);"
        ),
        format!("{records} UPDATE sqlite_sequence SET seq = 99;"),
        format!("CREATE TABLE code_chunks ({chunks});"),
        records.replace("TABLE code_chunks", "TABLE \"Code_Chunks\""),
        format!(
            "CREATE TABLE code_chunks ({chunks}, extra BLOB);
             INSERT INTO code_chunks VALUES ({values}, x'00');"
        ),
        format!(
            "{records} CREATE INDEX i ON code_chunks (symbol_name);
             CREATE VIRTUAL TABLE f
                 USING fts5(content, content = 'code_chunks', content_rowid = 'id');
             INSERT INTO f (f) VALUES ('rebuild');
             CREATE TRIGGER r AFTER INSERT ON code_chunks BEGIN
                 INSERT INTO f (rowid, content) VALUES (NEW.id, NEW.content); END;"
        ),
    ];
    for script in &scripts {
        let _ = assert_script_is_carried(script, script);
    }
    assert_all_carried(&[
        (
            "a missing column",
            "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT);
             INSERT INTO code_chunks VALUES (5, 'x'), (9, NULL);",
        ),
        (
            "nothing in common",
            "CREATE TABLE code_chunks (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
             INSERT INTO code_chunks VALUES ('a', 1);
             CREATE TABLE file_metrics (a, b); INSERT INTO file_metrics VALUES (1, 2);
             CREATE TABLE execution_log (x); CREATE TABLE symbol_metrics (y);",
        ),
        (
            "a generated column",
            "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY, file_path TEXT, byte_start INTEGER,
                 byte_end INTEGER, content TEXT, content_hash TEXT AS ('h' || content),
                 symbol_name TEXT, symbol_kind TEXT, created_at INTEGER);
             INSERT INTO code_chunks (id, file_path, byte_start, byte_end, content, created_at)
                 VALUES (1, 'a.rs', 0, 5, 'fn a()', 7);",
        ),
        (
            "STRICT, with other constraints",
            "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY, file_path TEXT COLLATE NOCASE,
                 byte_start INTEGER UNIQUE ON CONFLICT REPLACE,
                 byte_end INTEGER NOT NULL ON CONFLICT IGNORE, content TEXT CHECK (content <> 'x'),
                 content_hash TEXT, symbol_name TEXT, symbol_kind TEXT, created_at INTEGER) STRICT;
             PRAGMA ignore_check_constraints = ON;
             INSERT INTO code_chunks VALUES (1, 'a.rs', 0, 5, 'x', 'h', NULL, NULL, 7);",
        ),
        (
            "a virtual table",
            "CREATE VIRTUAL TABLE code_chunks USING fts5(content);
             INSERT INTO code_chunks VALUES ('quick');",
        ),
        ("a view", "CREATE TABLE t (a); CREATE VIEW code_chunks AS SELECT 1;"),
    ]);
}

#[test]
fn records_are_carried_as_rows_on_demand() {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(crate::common::tables::SMALL).unwrap();
        // Not valid as a record.
        db.execute_batch("INSERT INTO code_chunks VALUES (50, x'00', -1, 'x', 7, '', '', '', 0)")
            .unwrap();
    });
    assert_carried(&scenario, &["--only", "none"], "records as rows");
}

#[test]
fn sequences_of_tables_that_are_gone_are_carried() {
    let table =
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t VALUES (9, 'x');";
    assert_all_carried(&[
        ("dropped tables", &format!("{table} INSERT INTO sqlite_sequence VALUES ('gone', 7);")),
        ("only the table of sequences", &format!("{table} DROP TABLE t; CREATE TABLE u (a);")),
        (
            "nothing inserted",
            &format!(
                "{table} DELETE FROM sqlite_sequence; INSERT INTO t SELECT * FROM t WHERE id < 0;"
            ),
        ),
    ]);
}

/// SQLite itself writes no others.
#[test]
fn sequences_that_are_no_integers_are_reported() {
    for odd in [
        "UPDATE sqlite_sequence SET seq = NULL",
        "UPDATE sqlite_sequence SET seq = '12'",
        "UPDATE sqlite_sequence SET seq = 1.5",
        "INSERT INTO sqlite_sequence VALUES (NULL, 7)",
    ] {
        let scenario = Scenario::new();
        scenario.bare_database("code.db", |db| {
            let table =
                "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (9);";
            db.execute_batch(&format!("{table} {odd}")).unwrap();
        });
        let args = ["sqlite-to-kv", "code.db", "code.kv", "--tables", "all", "--format", "json"];
        let run = scenario.run(&args).expect_status(1).json();
        let left_out = &run["uncopied_tables"][0];
        assert_eq!(left_out["table"], "sqlite_sequence", "{odd}: {run}");
        assert_eq!(left_out["reason"], "rows without a name or an integer", "{odd}: {run}");
        let _ = scenario.run(&[&args[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
        let _ = scenario.run(&["kv-to-sqlite", "code.kv", "back.db"]).expect_status(0);
    }
}

#[test]
fn strings_in_double_quotes_are_carried() {
    let _ = assert_script_is_carried(
        "double quotes",
        "CREATE TABLE t (a CHECK (a <> \"x\"), b DEFAULT \"y\");
         CREATE INDEX i ON t (a) WHERE b = \"y\"; INSERT INTO t (a) VALUES (1);",
    );
}

#[test]
fn an_empty_database_is_carried() {
    assert_all_carried(&[
        ("settings only", "PRAGMA user_version = 5; PRAGMA application_id = 7;"),
        ("a view only", "CREATE VIEW v AS SELECT 1;"),
    ]);
}

/// The source is read with SQLite alone; its own program knows the collation and the function.
#[test]
fn what_cannot_be_created_is_reported_and_everything_else_restored() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.create_collation("own", |a, b| a.cmp(b)).unwrap();
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        db.create_scalar_function("own", 1, flags, |context| Ok(context.get_raw(0).as_i64()? + 1))
            .unwrap();
        db.execute_batch(
            "CREATE TABLE a (k TEXT COLLATE own PRIMARY KEY); INSERT INTO a VALUES ('x'), ('y');
             CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT, n CHECK (own(n) > 0));
             INSERT INTO b VALUES (9, 1);
             CREATE TABLE c (n); INSERT INTO c VALUES (1), (2), (3); CREATE INDEX i ON c (own(n));
             CREATE INDEX j ON b (n); CREATE TRIGGER r AFTER INSERT ON a BEGIN SELECT 1; END;
             CREATE VIEW v AS SELECT * FROM a; CREATE INDEX k ON c (n);",
        )
        .unwrap();
    });
    let _ =
        scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--tables", "all"]).expect_status(0);
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "back.db"]).expect_status(1);
    assert!(!scenario.path("back.db").exists());
    for reason in [
        "table:a: schema: cannot create table a: no such collation sequence: own",
        "table:b: schema: cannot create table b: no such function: own",
        "table:i: schema: cannot create index i: no such function: own",
        "table:j: schema: cannot create index j: b can't be created",
        "table:r: schema: cannot create trigger r: a can't be created",
    ] {
        assert!(run.stdout.contains(reason), "{reason}: {run}");
    }
    let skip = ["kv-to-sqlite", "code.kv", "back.db", "--on-invalid", "skip", "--format", "json"];
    let run = scenario.run(&skip).expect_status(1).json();
    let inspection = scenario.run(&["inspect", "back.db", "--tables", "all", "--format", "json"]);
    let inspection = inspection.expect_status(0).json();
    assert_eq!(run["sha256"], inspection["sha256"]);
    let kinds = inspection["kinds"].as_array().unwrap().iter().map(|kind| &kind["kind"]);
    assert_eq!(kinds.skip(4).collect::<Vec<_>>(), ["table:c"]);
    let db = Connection::open(scenario.path("back.db")).unwrap();
    let sql = "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema ORDER BY name)";
    let names: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(names, "c k v");
    let rejected = fs::read_to_string(scenario.path("back.db.rejects.jsonl")).unwrap();
    let keys: Vec<String> = rejected
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["key"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(keys, ["table:a:'x", "table:a:'y", "table:b:A9"]);
    let verify =
        scenario.run(&["verify", "code.kv", "back.db", "--format", "json"]).expect_status(1).json();
    let classes: Vec<_> =
        verify["findings"].as_array().unwrap().iter().map(|f| &f["class"]).collect();
    assert_eq!(classes, ["schema"; 5], "{verify}");
}

#[test]
fn records_whose_table_cannot_be_created_go_to_a_new_one() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.create_collation("own", |a, b| a.cmp(b)).unwrap();
        db.execute_batch(
            "CREATE TABLE file_metrics (file_path TEXT COLLATE own PRIMARY KEY, symbol_count INTEGER,
                 loc INTEGER, estimated_loc REAL, fan_in INTEGER, fan_out INTEGER,
                 complexity_score REAL, last_updated INTEGER NOT NULL);
             CREATE INDEX i ON file_metrics (loc);
             INSERT INTO file_metrics VALUES ('a.rs', 1, 2, 3.0, 4, 5, 6.0, 7);",
        )
        .unwrap();
    });
    let _ =
        scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--tables", "all"]).expect_status(0);
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "back.db"]).expect_status(1);
    assert!(run.stdout.contains("cannot create table file_metrics: no such collation"), "{run}");
    assert!(!scenario.path("back.db").exists());
    let skip = ["kv-to-sqlite", "code.kv", "back.db", "--on-invalid", "skip"];
    let run = scenario.run(&skip).expect_status(1);
    assert!(run.stdout.contains("Copied and verified 1 record."), "{run}");
    let verify =
        scenario.run(&["verify", "code.kv", "back.db", "--format", "json"]).expect_status(1).json();
    let findings = verify["findings"].as_array().unwrap().iter();
    let messages: Vec<_> = findings.map(|finding| &finding["message"]).collect();
    let expected =
        ["the statements that create the table differ", "the index i is on the left side only"];
    assert_eq!(messages, expected, "{verify}");
}

#[test]
fn tables_that_cannot_be_read_exactly_are_left_out_with_the_reason() {
    let columns = |count: usize| (0..count).map(|i| format!("c{i}")).collect::<Vec<_>>().join(", ");
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch(&format!(
            "CREATE TABLE hidden (rowid, _rowid_, oid); CREATE INDEX hidden_a ON hidden (oid);
             CREATE TABLE kept (a);
             INSERT INTO kept VALUES (1); CREATE TABLE keyed ({0}, PRIMARY KEY ({0}));
             CREATE TABLE wide ({1}, PRIMARY KEY (c0)) WITHOUT ROWID;
             CREATE INDEX i ON kept (a); ANALYZE;",
            columns(61),
            columns(901)
        ))
        .unwrap();
    });
    let args = ["sqlite-to-kv", "code.db", "code.kv", "--tables", "all", "--format", "json"];
    let run = scenario.run(&args).expect_status(1).json();
    let left_out: Vec<_> = run["uncopied_tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| {
            format!("{}: {}", table["table"].as_str().unwrap(), table["reason"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        left_out,
        [
            "hidden: its columns hide the rowid",
            "keyed: its primary key has more than 60 columns",
            "wide: it has no rowid and more than 900 columns",
            "sqlite_stat1: SQLite's own statistics",
            "sqlite_stat4: SQLite's own statistics",
            "hidden_a: its table hidden cannot be carried",
        ]
    );
    assert!(!scenario.path("code.kv").exists());
    let kinds: Vec<_> =
        run["findings"].as_array().unwrap().iter().map(|finding| &finding["kind"]).collect();
    assert_eq!(kinds, ["table:hidden", "table:keyed", "table:wide", "table:hidden_a"]);
    let _ = scenario.run(&[&args[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "back.db"]).expect_status(0);
    let _ = scenario.run(&["verify", "code.kv", "back.db"]).expect_status(0);
    // What nobody can compare is never called equal.
    let run = scenario.run(&["verify", "code.db", "code.db", "--tables", "all"]).expect_status(1);
    assert!(run.stdout.contains("cannot be carried or compared"), "{run}");
}

#[test]
fn kinds_can_be_selected_from_a_whole_database() {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "all.kv", "--tables", "all"]);
    for only in ["chunk", "none", "file-metrics,symbol-metrics"] {
        let name = format!("{only}.db");
        let args = ["kv-to-sqlite", "all.kv", &name, "--only", only];
        let _ = scenario.run(&args).expect_status(0);
        for more in [&["--only", only][..], &["--only", only, "--tables", "all"]] {
            let args = [&["verify", "code.db", "all.kv"], more].concat();
            let _ = scenario.run(&args).expect_status(0);
            let args = [&["verify", "all.kv", name.as_str()], more].concat();
            let _ = scenario.run(&args).expect_status(0);
        }
    }
}

#[test]
fn a_kv_file_without_the_rest_of_a_database_is_not_equal_to_the_whole() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch("CREATE TABLE t (a); CREATE INDEX i ON t (a); PRAGMA user_version = 3")
            .unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "t.kv", "--tables", "t"]).expect_status(0);
    let _ = scenario.run(&["verify", "code.db", "t.kv"]).expect_status(0);
    let run = scenario.run(&["verify", "code.db", "t.kv", "--tables", "all"]).expect_status(1);
    assert!(run.stdout.contains("only the left side has the rest of a database"), "{run}");
}

#[test]
fn a_column_on_one_side_leaves_the_records_comparable() {
    let scenario = Scenario::new();
    for name in ["one.db", "two.db"] {
        scenario.database(name, |db| {
            db.execute_batch(
                "INSERT INTO code_chunks VALUES (1, 'a.rs', 0, 2, 'fn', '', NULL, NULL, 7)",
            )
            .unwrap();
        });
    }
    scenario.change("two.db", "ALTER TABLE code_chunks ADD COLUMN extra DEFAULT 1");
    let args = ["verify", "one.db", "two.db", "--tables", "all", "--format", "json"];
    let run = scenario.run(&args).expect_status(1).json();
    let messages: Vec<_> =
        run["findings"].as_array().unwrap().iter().map(|finding| &finding["message"]).collect();
    assert_eq!(messages, ["the column extra is on the right side only"]);
}

#[test]
fn records_are_merged_only_into_a_file_that_carries_them_as_records() {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(
            "INSERT INTO code_chunks VALUES (1, 'a.rs', 0, 2, 'fn', '', NULL, NULL, 7)",
        )
        .unwrap();
    });
    let raw = ["sqlite-to-kv", "code.db", "raw.kv", "--tables", "all", "--only", "none"];
    let _ = scenario.run(&raw).expect_status(0);
    let run = scenario.run(&["sqlite-to-kv", "code.db", "raw.kv", "--merge"]).expect_status(2);
    assert!(run.stderr.contains("does not carry code_chunks as records"), "{run}");
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "all.kv", "--tables", "all"]);
    scenario.change("code.db", "UPDATE code_chunks SET content = 'new'");
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "all.kv", "--merge"]).expect_status(0);
    let _ = scenario.run(&["verify", "code.db", "all.kv"]).expect_status(0);
    let _ = scenario.run(&["kv-to-sqlite", "all.kv", "back.db"]).expect_status(0);
}

#[test]
fn a_database_with_too_many_objects_is_refused() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        // Creating them takes time quadratic in their number.
        db.execute_batch(
            "PRAGMA writable_schema = ON;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             INSERT INTO sqlite_schema
                 SELECT 'view', 'v' || i, 'v' || i, 0, 'CREATE VIEW v' || i || ' AS SELECT 1' FROM n;",
        )
        .unwrap();
    });
    let run =
        scenario.run(&["sqlite-to-kv", "code.db", "code.kv", "--tables", "all"]).expect_status(2);
    assert!(run.stderr.contains("10001") && run.stderr.contains("10000"), "{run}");
    assert!(!scenario.path("code.kv").exists());
}
