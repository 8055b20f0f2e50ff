//! Carried tables as JSON Lines: exported, imported and checked like records.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Run, Scenario, tables};

/// Names and values of every kind, in tables of every shape.
const TABLES: &str = r#"
    PRAGMA user_version = 7;
    PRAGMA application_id = 77;
    CREATE TABLE "say ""hi"": a,b 🦀" ("x y" TEXT PRIMARY KEY, "é:" BLOB, "rowid");
    INSERT INTO "say ""hi"": a,b 🦀" VALUES ('a:b', x'00ff', -0.0), ('', NULL, 9e999),
        (NULL, zeroblob(0), -9e999), (CAST(x'ff61' AS TEXT), CAST(x'fe' AS TEXT), 1.0);
    CREATE TABLE plain (a, b);
    INSERT INTO plain (rowid, a, b) VALUES (-5, 1, 'x'), (9223372036854775807, 1.0, x'61'), (3, 1, 'x');
    CREATE TABLE pairs (a INT, b TEXT, c, PRIMARY KEY (b, a)) WITHOUT ROWID;
    INSERT INTO pairs VALUES (2, 'b', 1), (1, 'b', 2), (-9223372036854775808, 'a', 3);
    CREATE TABLE empty (id INTEGER PRIMARY KEY);
    CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, doubled INT AS (id * 2), name TEXT);
    INSERT INTO counted (name) VALUES ('one'), (char(0, 10, 34)), ('three');
    DELETE FROM counted WHERE id = 3;
    CREATE INDEX by_name ON counted (name);
    CREATE VIEW shown AS SELECT name FROM counted;
    CREATE TRIGGER logged AFTER INSERT ON counted BEGIN INSERT INTO plain VALUES (1, 2); END;
"#;

/// `code.db` with the four tables and [`TABLES`]; `code.kv`, which carries everything; and the export
/// of the database.
fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(tables::SMALL).unwrap();
        db.execute_batch(TABLES).unwrap();
    });
    let args = ["sqlite-to-kv", "code.db", "code.kv", "--tables", "all"];
    let _ = scenario.run(&args).expect_status(0);
    export(&scenario, &["code.db", "--tables", "all"], "code.ndjson");
    scenario
}

fn export(scenario: &Scenario, args: &[&str], text: &str) {
    let run = scenario.run(&[&["export"], args].concat()).expect_status(0);
    fs::write(scenario.path(text), run.stdout).unwrap();
}

fn import(scenario: &Scenario, text: &str, target: &str, more: &[&str]) -> Run {
    let to = if target.ends_with(".kv") { "kv" } else { "sqlite" };
    scenario.run(&[&["import", text, target, "--to", to], more].concat())
}

/// The digests of a store.
fn digests(scenario: &Scenario, store: &str) -> Vec<Value> {
    let mut args = vec!["inspect", store, "--format", "json"];
    if store.ends_with(".db") {
        args.extend(["--tables", "all"]);
    }
    let run = scenario.run(&args).expect_status(0);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let kinds = json["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 4 + 5, "{run}");
    ["kinds", "sha256"].map(|part| json[part].clone()).to_vec()
}

fn is_identical(scenario: &Scenario, left: &str, right: &str) {
    let args = ["verify", left, right, "--tables", "all", "--strict"];
    let run = scenario.run(&args).expect_status(0);
    assert!(run.stdout.contains("Identical"), "{run}");
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn a_round_trip_of_tables_through_text_loses_nothing() {
    let scenario = scenario();
    export(&scenario, &["code.kv"], "kv.ndjson");
    assert_eq!(scenario.lines("kv.ndjson"), scenario.lines("code.ndjson"));
    let expected = digests(&scenario, "code.db");
    assert_eq!(digests(&scenario, "code.kv"), expected);
    for target in ["new.kv", "new.db"] {
        let run = import(&scenario, "code.ndjson", target, &["--require-end"]).expect_status(0);
        assert!(run.stdout.contains("table:plain"), "{run}");
        assert_eq!(digests(&scenario, target), expected);
        for store in ["code.db", "code.kv"] {
            is_identical(&scenario, store, target);
        }
        export(&scenario, &[target, "--tables", "all"], "again.ndjson");
        assert_eq!(scenario.lines("again.ndjson"), scenario.lines("code.ndjson"), "{target}");
    }
}

#[test]
fn rows_are_objects_after_the_records() {
    let scenario = scenario();
    let lines = scenario.lines("code.ndjson");
    let kinds: Vec<String> =
        lines.iter().map(|line| parsed(line)["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds[0], "tables");
    let first = kinds.iter().position(|kind| kind.starts_with("table:")).unwrap();
    assert!(kinds[1..first].iter().any(|kind| kind == "symbol-metrics"));
    assert!(!kinds[first..].iter().any(|kind| kind == "symbol-metrics"));
    let rows: Vec<&str> = lines
        .iter()
        .filter(|line| line.contains("\"kind\":\"table:"))
        .map(String::as_str)
        .collect();
    for expected in [
        r#"{"kind":"table:plain","key":"table:plain:-S4","value":{"rowid":-5,"a":1,"b":"x"}}"#,
        r#"{"kind":"table:pairs","key":"table:pairs:'b:A1","value":{"a":1,"b":"b","c":2}}"#,
        r#"{"kind":"table:counted","key":"table:counted:A2","value":{"id":2,"name":"\u0000\n\""}}"#,
    ] {
        let key = parsed(expected)["key"].clone();
        let found = rows.iter().find(|row| parsed(row)["key"] == key);
        assert_eq!(found, Some(&expected));
    }
    let odd: Vec<Value> = rows
        .iter()
        .map(|row| parsed(row))
        .filter(|row| row["kind"] == "table:say \"hi\": a,b 🦀")
        .map(|row| row["value"].clone())
        .collect();
    assert_eq!(odd.len(), 4);
    for expected in [
        json!({"_rowid_": 1, "x y": "a:b", "é:": {"blob": "AP8="}, "rowid": -0.0}),
        json!({"_rowid_": 2, "x y": "", "é:": null, "rowid": {"real": "inf"}}),
        json!({"_rowid_": 3, "x y": null, "é:": {"blob": ""}, "rowid": {"real": "-inf"}}),
        json!({"_rowid_": 4, "x y": {"text": "/2E="}, "é:": {"text": "/g=="}, "rowid": 1.0}),
    ] {
        assert!(odd.contains(&expected), "{expected} {odd:?}");
    }
    let end = parsed(lines.last().unwrap());
    assert_eq!((&end["value"]["tables"], &end["value"]["rows"]), (&json!(1), &json!(rows.len())));
}

#[test]
fn lines_of_tables_may_be_in_any_order() {
    let scenario = scenario();
    let expected = digests(&scenario, "code.kv");
    let mut lines = scenario.lines("code.ndjson");
    for seed in 0..4 {
        match seed {
            0 => lines.reverse(),
            1 => lines.sort(),
            seed => fastrand::Rng::with_seed(seed).shuffle(&mut lines),
        }
        fs::write(scenario.path("text"), lines.join("\n")).unwrap();
        for target in ["new.kv", "new.db"] {
            let _ =
                import(&scenario, "text", target, &["--replace", "--require-end"]).expect_status(0);
            assert_eq!(digests(&scenario, target), expected, "{seed}");
        }
    }
}

#[test]
fn only_the_selected_tables_are_exported() {
    let scenario = scenario();
    let kinds = |args: &[&str]| {
        export(&scenario, args, "part");
        let mut kinds: Vec<Value> =
            scenario.lines("part").iter().map(|line| parsed(line)["kind"].clone()).collect();
        kinds.dedup();
        kinds
    };
    let with_tables = kinds(&["code.kv"]);
    assert!(with_tables.contains(&json!("table:pairs")));
    for (args, expected) in [
        (
            &["--only", "none", "--tables", "PLAIN,pairs"][..],
            &["tables", "table:pairs", "table:plain", "end"][..],
        ),
        (&["--only", "none", "--tables", "empty"], &["tables", "end"]),
        (
            &["--only", "file-metrics", "--tables", "pairs"],
            &["tables", "file-metrics", "table:pairs", "end"],
        ),
        (&["--only", "file-metrics"], &["file-metrics", "end"]),
        (&["--prefix", "metrics:file:"], &["file-metrics", "end"]),
        (&["--prefix", "table:pairs:'b", "--tables", "all"], &["tables", "table:pairs", "end"]),
    ] {
        for store in ["code.db", "code.kv"] {
            assert_eq!(kinds(&[&[store], args].concat()), expected, "{store} {args:?}");
        }
    }
    let run = scenario.run(&["export", "code.kv", "--tables", "nope"]).expect_status(2);
    assert!(run.stderr.contains("code.kv has no table \"nope\""), "{run}");
    let run = scenario.run(&["export", "code.db", "--tables", "nope"]).expect_status(2);
    assert!(run.stderr.contains("code.db has no table \"nope\""), "{run}");

    export(&scenario, &["code.db", "--only", "none", "--tables", "counted,pairs"], "part");
    let _ = import(&scenario, "part", "part.db", &["--only", "none"]).expect_status(0);
    let args = ["verify", "code.db", "part.db", "--only", "none", "--tables", "counted,pairs"];
    let _ = scenario.run(&args).expect_status(0);
}

#[test]
fn only_the_selected_tables_are_imported() {
    let scenario = scenario();
    let mut lines = scenario.lines_without_end("code.ndjson");
    // Whatever is wrong with other tables.
    lines.push(r#"{"kind":"table:plain","key":"table:plain:A7","value":{}}"#.to_owned());
    fs::write(scenario.path("text"), lines.join("\n")).unwrap();
    export(&scenario, &["code.kv", "--tables", "pairs,counted"], "expected");
    for target in ["new.kv", "new.db"] {
        let args = ["--tables", "PAIRS", "--tables", "counted"];
        let _ = import(&scenario, "text", target, &args).expect_status(0);
        export(&scenario, &[target, "--tables", "pairs,counted"], "found");
        assert_eq!(scenario.lines("found"), scenario.lines("expected"), "{target}");
    }
    let db = rusqlite::Connection::open(scenario.path("new.db")).unwrap();
    assert!(!db.table_exists(None, "plain").unwrap());
    let run = import(&scenario, "text", "no.kv", &["--tables", "nope"]).expect_status(2);
    assert!(run.stderr.contains("text has no table \"nope\""), "{run}");
}

/// More text than is judged before the description of its tables is known.
#[test]
fn large_tables_make_a_round_trip_with_any_number_of_threads() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch(
            "CREATE TABLE vectors (name TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
             INSERT INTO vectors SELECT 'v' || i, randomblob(6144) FROM n;
             INSERT INTO vectors VALUES ('large', randomblob(1500000));",
        )
        .unwrap();
    });
    export(&scenario, &["code.db", "--tables", "vectors", "--jobs", "1"], "text");
    export(&scenario, &["code.db", "--tables", "vectors", "--jobs", "4"], "again");
    let text = fs::read(scenario.path("text")).unwrap();
    assert!(text.len() > 5 << 20 && text == fs::read(scenario.path("again")).unwrap());
    let (first, rest) = text.split_at(1 + text.iter().position(|byte| *byte == b'\n').unwrap());
    fs::write(scenario.path("last"), [rest, first].concat()).unwrap();
    for (source, jobs) in [("text", "1"), ("text", "4"), ("last", "4")] {
        let args = ["--require-end", "--replace", "--jobs", jobs];
        let _ = import(&scenario, source, "new.kv", &args).expect_status(0);
        let _ = scenario.run(&["verify", "code.db", "new.kv"]).expect_status(0);
    }
}

#[test]
fn without_tables_a_database_is_exported_as_ever() {
    let scenario = scenario();
    let small = Scenario::with_small_export();
    export(&scenario, &["code.db"], "records");
    assert_eq!(scenario.lines("records"), small.lines("code.ndjson"));
}

#[test]
fn rows_need_the_line_that_describes_them() {
    let scenario = scenario();
    let lines = scenario.lines_without_end("code.ndjson");
    fs::write(scenario.path("text"), lines[1..].join("\n")).unwrap();
    let rows = lines.iter().filter(|line| line.contains("\"kind\":\"table:")).count();
    let run = import(&scenario, "text", "new.kv", &["--format", "json"]).expect_status(1);
    let message = "the tables line, which describes the columns of the row, is missing";
    assert_eq!(run.stdout.matches(message).count(), rows, "{run}");
    let _ = import(&scenario, "text", "new.kv", &["--on-invalid", "skip"]).expect_status(1);
    let args = ["verify", "code.db", "new.kv", "--strict"];
    let _ = scenario.run(&args).expect_status(0);
    let rejects = scenario.lines("new.kv.rejects.jsonl");
    assert_eq!(rejects.len(), rows);
}

#[test]
fn invalid_lines_of_tables_are_reported_and_the_rest_is_imported() {
    let scenario = scenario();
    let mut lines = scenario.lines_without_end("code.ndjson");
    let tables = lines[0].clone();
    lines.extend([
        r#"{"kind":"table:plain","key":"table:plain:A7","value":{"rowid":7,"a":1}}"#.to_owned(),
        r#"{"kind":"table:plain","key":"table:plain:A7","value":{"rowid":7,"a":1,"b":[]}}"#
            .to_owned(),
        r#"{"kind":"table:plain","key":"table:plain:A7","value":{"rowid":8,"a":1,"b":2}}"#
            .to_owned(),
        r#"{"kind":"table:plain","key":"table:plain:A9","value":{"rowid":9,"a":1,"b":2}}"#
            .to_owned(),
        r#"{"kind":"table:plain","key":"table:plain:A9","value":{"rowid":9,"a":1,"b":2}}"#
            .to_owned(),
        r#"{"kind":"table:nope","key":"table:nope:A7","value":{"rowid":7}}"#.to_owned(),
        r#"{"kind":"tables","key":"tables","value":{}}"#.to_owned(),
        tables.replace("CREATE TABLE plain", "CREATE TABLE  plain"),
        tables,
    ]);
    let last = lines.len();
    fs::write(scenario.path("text"), lines.join("\n")).unwrap();
    let run = import(&scenario, "text", "new.kv", &["--format", "json"]).expect_status(1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let messages: Vec<&str> = findings.iter().map(|f| f["message"].as_str().unwrap()).collect();
    let expected = [
        (8, "the value is not a valid row: \"b\" is missing"),
        (7, "the value is not a valid row: \"b\" is invalid: it is an array"),
        (6, "the row belongs to the key table:plain:A8"),
        (5, &format!("line {} has the same key", last - 4)),
        (4, &format!("line {} has the same key", last - 5)),
        (3, "the tables line describes no table \"nope\""),
        (2, "not a description of tables: missing field `encoding` at column 2"),
        (1, "an earlier tables line describes other tables"),
    ];
    let expected = expected.map(|(before, message)| format!("line {}: {message}", last - before));
    assert_eq!(messages, expected);
    let plain = report["kinds"].as_array().unwrap().iter().find(|k| k["kind"] == "table:plain");
    assert_eq!(plain.unwrap()["rejected"], 5);
    for target in ["new.kv", "new.db"] {
        let _ = import(&scenario, "text", target, &["--on-invalid", "skip"]).expect_status(1);
        is_identical(&scenario, "code.db", target);
        assert_eq!(scenario.lines(&format!("{target}.rejects.jsonl")).len(), expected.len());
    }
}

#[test]
fn no_tables_are_imported_from_a_changed_or_incomplete_text() {
    let scenario = scenario();
    let lines = scenario.lines("code.ndjson");
    let text = lines.join("\n");
    for missing in 1..lines.len() - 1 {
        let mut part = lines.clone();
        part.remove(missing);
        fs::write(scenario.path("part"), part.join("\n")).unwrap();
        let run = import(&scenario, "part", "new.kv", &[]).expect_status(2);
        let (found, expected) = (lines.len() - 2, lines.len() - 1);
        let message = format!("part is incomplete: it has {found} of {expected} lines");
        assert!(run.stderr.contains(&message), "{run}");
    }
    for (from, to) in [
        (r#""rowid":-0.0"#, r#""rowid":0.0"#),
        (r#""rowid":-0.0"#, r#""rowid":0"#),
        (r#""blob":"AP8=""#, r#""blob":"AP4=""#),
        (r#""blob":"AP8=""#, r#""text":"AP8=""#),
        (r#""real":"-inf""#, r#""real":"inf""#),
        (r#""user_version":7"#, r#""user_version":8"#),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        fs::write(scenario.path("changed"), changed).unwrap();
        let run =
            import(&scenario, "changed", "new.kv", &["--on-invalid", "skip"]).expect_status(2);
        assert!(run.stderr.contains("some differ from what was exported"), "{from} {run}");
    }
    fs::write(scenario.path("without"), lines[1..].join("\n")).unwrap();
    let _ = import(&scenario, "without", "new.kv", &[]).expect_status(1);
    let _ = import(&scenario, "without", "new.kv", &["--on-invalid", "skip"]).expect_status(2);
    assert!(!scenario.path("new.kv").exists());
}

/// Spaces and the order of members don't matter.
#[test]
fn rows_may_be_formatted_in_any_way() {
    let scenario = scenario();
    let text: Vec<String> = scenario
        .lines("code.ndjson")
        .iter()
        .map(|line| {
            let Value::Object(members) = parsed(line) else { panic!("{line}") };
            // Sorted by name, with spaces.
            let members = members.iter().map(|(name, value)| format!("{name:?} : {value}"));
            format!(" {{ {} }} ", members.rev().collect::<Vec<_>>().join(" , "))
        })
        .collect();
    fs::write(scenario.path("text"), text.join("\r\n")).unwrap();
    let _ = import(&scenario, "text", "new.db", &["--require-end"]).expect_status(0);
    is_identical(&scenario, "code.db", "new.db");
}

/// A schema is tried before the target is created.
#[test]
fn a_hostile_schema_is_refused() {
    let scenario = scenario();
    let lines = scenario.lines_without_end("code.ndjson");
    let hostile = lines[0].replace("CREATE TABLE plain (a, b)", "DROP TABLE code_chunks");
    assert_ne!(hostile, lines[0]);
    fs::write(scenario.path("text"), [&[hostile], &lines[1..]].concat().join("\n")).unwrap();
    let run = import(&scenario, "text", "new.db", &[]).expect_status(2);
    assert!(run.stderr.contains("plain"), "{run}");
    assert!(!scenario.path("new.db").exists());
}

/// Texts of a UTF-16 database are restored in its encoding, ill-formed ones with their bytes.
#[test]
fn utf_16_databases_and_virtual_tables_make_a_round_trip() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch(
            "PRAGMA encoding = 'UTF-16le';
             CREATE TABLE t (a TEXT PRIMARY KEY, b);
             INSERT INTO t VALUES ('é🦀', x'3dd8'), (CAST(x'3dd8' AS TEXT), CAST(x'3dd861' AS TEXT));
             CREATE VIRTUAL TABLE words USING fts5 (word);
             INSERT INTO words VALUES ('some words'), ('more');",
        )
        .unwrap();
    });
    export(&scenario, &["code.db", "--tables", "all"], "text");
    for target in ["new.kv", "new.db"] {
        let _ = import(&scenario, "text", target, &["--require-end"]).expect_status(0);
        is_identical(&scenario, "code.db", target);
        export(&scenario, &[target, "--tables", "all"], "again");
        assert_eq!(scenario.lines("again"), scenario.lines("text"), "{target}");
    }
    let db = rusqlite::Connection::open(scenario.path("new.db")).unwrap();
    let sql = "SELECT count(*) FROM words WHERE words MATCH 'words'";
    assert_eq!(db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

/// The reader of a joined text adds up its end lines.
#[test]
fn joined_exports_of_tables_and_records_are_imported() {
    let scenario = scenario();
    export(&scenario, &["code.db"], "records");
    export(&scenario, &["code.db", "--only", "none", "--tables", "plain,pairs"], "rows");
    let text = [scenario.lines("records"), scenario.lines("rows")].concat();
    fs::write(scenario.path("text"), text.join("\n")).unwrap();
    let _ = import(&scenario, "text", "new.kv", &["--require-end"]).expect_status(0);
    let args = ["verify", "code.db", "new.kv", "--tables", "plain,pairs", "--strict"];
    let _ = scenario.run(&args).expect_status(0);
}

/// Rows that are not canonical, in a KV file that another program changed.
#[test]
fn rows_of_a_kv_file_that_are_not_canonical_are_reported() {
    let scenario = scenario();
    let file = redb::Database::open(scenario.path("code.kv")).unwrap();
    let transaction = file.begin_write().unwrap();
    {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new("records");
        let mut records = transaction.open_table(definition).unwrap();
        let key = b"table:plain:A3".as_slice();
        records.insert(key, b"[3, 1,\"x\"]".as_slice()).unwrap();
        let key = b"table:plain:-S4".as_slice();
        records.insert(key, b"[-5,true,\"x\"]".as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(file);
    let run = scenario.run(&["export", "code.kv"]).expect_status(1);
    let message =
        "undecodable plain rowid=-5: the value is not a valid row: the value of \"a\" is a boolean";
    assert!(run.stderr.contains(message), "{run}");
    let message =
        "noncanonical plain rowid=3: the value is this row, but not in its canonical bytes";
    assert!(run.stderr.contains(message), "{run}");
    let rows: Vec<&str> =
        run.stdout.lines().filter(|line| line.contains("\"kind\":\"table:plain\"")).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].ends_with(r#""value":{"rowid":3,"a":1,"b":"x"}}"#), "{rows:?}");
    fs::write(scenario.path("text"), &run.stdout).unwrap();
    let _ = import(&scenario, "text", "new.kv", &["--require-end"]).expect_status(0);
}
