//! What a comparison of databases with all their tables reports about each difference.

use serde_json::{Value as Json, json};

use crate::common::{Scenario, with_snapshots};

const TABLES: &str = "
    CREATE TABLE notes (id TEXT PRIMARY KEY, note TEXT, vector BLOB);
    INSERT INTO notes VALUES ('a:1', 'first', x'0001'), ('b', NULL, x''), ('c', 'third', 1.5);
    CREATE TABLE steps (id INTEGER PRIMARY KEY AUTOINCREMENT, n REAL);
    INSERT INTO steps VALUES (7, 1), (17, 9e999);
    CREATE TABLE lines (line); INSERT INTO lines VALUES ('one'), ('two');
    CREATE INDEX by_note ON notes (note);
    CREATE VIEW all_notes AS SELECT * FROM notes;
    CREATE TRIGGER on_line AFTER INSERT ON lines BEGIN SELECT 1; END;";

/// A scenario with `left.db` and a changed `right.db`.
fn changed(change: &str) -> Scenario {
    let scenario = Scenario::new();
    for name in ["left.db", "right.db"] {
        scenario.bare_database(name, |db| db.execute_batch(TABLES).unwrap());
    }
    scenario.change("right.db", change);
    scenario
}

/// The findings of a comparison, each without what is not said.
fn findings(scenario: &Scenario, args: &[&str]) -> Vec<Json> {
    let run = scenario.run(&[args, &["--format", "json"]].concat()).expect_status(1).json();
    let of_leg = run["findings"].as_array().unwrap_or_else(|| panic!("{run:#}")).clone();
    let mut found = Vec::new();
    for finding in of_leg {
        let members = finding.as_object().unwrap();
        let said = members.iter().filter(|(name, value)| {
            ["class", "kind", "key", "side", "fields", "message"].contains(&name.as_str())
                && !value.is_null()
                && **value != json!([])
        });
        found.push(Json::Object(said.map(|(name, value)| (name.clone(), value.clone())).collect()));
    }
    found
}

/// The change and the only finding, whichever stores are compared.
fn assert_found(change: &str, expected: &[Json]) {
    let scenario = changed(change);
    for side in ["left", "right"] {
        let (database, file) = (format!("{side}.db"), format!("{side}.kv"));
        let _ =
            scenario.run(&["sqlite-to-kv", &database, &file, "--tables", "all"]).expect_status(0);
    }
    for [left, right] in [
        ["left.db", "right.db"],
        ["left.kv", "right.db"],
        ["left.db", "right.kv"],
        ["left.kv", "right.kv"],
    ] {
        let mut args = vec!["verify", left, right];
        if left.ends_with(".db") && right.ends_with(".db") {
            args.extend(["--tables", "all"]);
        }
        for more in [&[][..], &["--quick"]] {
            let args = [&args, more].concat();
            assert_eq!(findings(&scenario, &args), expected, "{change}: {args:?}");
        }
    }
}

#[test]
fn a_changed_value_is_named_by_table_key_and_column() {
    assert_found(
        "UPDATE notes SET note = 'fifth' WHERE id = 'a:1'",
        &[json!({
            "class": "field", "kind": "table:notes", "key": "table:notes:'a::1",
            "fields": [{"field": "note", "left": "first", "right": "fifth", "first_difference": 2}],
            "message": "the records differ in note",
        })],
    );
}

#[test]
fn bytes_are_redacted_like_text() {
    let scenario = Scenario::new();
    for (name, bytes) in [("one.db", "x'736563726574'"), ("two.db", "x'7075626c6963'")] {
        scenario.bare_database(name, |db| {
            db.execute_batch(&format!(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);
                 INSERT INTO t VALUES (1, {bytes}, CAST({bytes} || x'ff' AS TEXT))"
            ))
            .unwrap();
        });
    }
    let args = ["verify", "one.db", "two.db", "--tables", "t", "--values", "redacted"];
    for format in ["json", "human"] {
        let run = scenario.run(&[&args[..], &["--format", format]].concat()).expect_status(1);
        // `secret` in Base64.
        assert!(!run.stdout.contains("c2VjcmV0"), "{run}");
    }
}

#[test]
fn every_storage_class_is_told_apart() {
    let case = |column: &str, value: &str, left: Json, right: Json| {
        assert_found(
            &format!("UPDATE notes SET {column} = {value} WHERE id = 'a:1'"),
            &[json!({
                "class": "field", "kind": "table:notes", "key": "table:notes:'a::1",
                "fields": [{"field": column, "left": left, "right": right,
                    "first_difference": null}],
                "message": format!("the records differ in {column}"),
            })],
        );
    };
    case("vector", "x'0002'", json!({"blob": "AAE="}), json!({"blob": "AAI="}));
    case("vector", "CAST(x'0001' AS TEXT)", json!({"blob": "AAE="}), json!("\u{0}\u{1}"));
    case("vector", "NULL", json!({"blob": "AAE="}), Json::Null);
    case("vector", "-9e999", json!({"blob": "AAE="}), json!({"real": "-inf"}));
    case("note", "CAST(x'ff' AS TEXT)", json!("first"), json!({"text": "/w=="}));
}

#[test]
fn rows_on_one_side_only_are_named_by_table_and_key() {
    assert_found(
        "DELETE FROM notes WHERE id = 'b'",
        &[json!({
            "class": "only-left", "kind": "table:notes", "key": "table:notes:'b", "side": "left",
            "message": "the record is on the left side only",
        })],
    );
    assert_found(
        "INSERT INTO lines (rowid, line) VALUES (-5, 'new')",
        &[json!({
            "class": "only-right", "kind": "table:lines", "key": "table:lines:-S4", "side": "right",
            "message": "the record is on the right side only",
        })],
    );
    assert_found(
        "UPDATE steps SET id = 18 WHERE id = 17",
        &[
            json!({
                "class": "only-left", "kind": "table:steps", "key": "table:steps:B17",
                "side": "left",
                "message": "the record is on the left side only",
            }),
            json!({
                "class": "only-right", "kind": "table:steps", "key": "table:steps:B18",
                "side": "right",
                "message": "the record is on the right side only",
            }),
        ],
    );
}

fn schema(kind: &str, side: &str, message: &str) -> Json {
    let mut finding = json!({"class": "schema", "kind": kind, "side": side, "message": message});
    let members = finding.as_object_mut().unwrap();
    members.retain(|_, value| *value != "");
    finding
}

#[test]
fn differences_between_schemas_are_named() {
    let right_only = |kind: &str, what: &str| {
        schema(kind, "right", &format!("{what} is on the right side only"))
    };
    let left_only =
        |kind: &str, what: &str| schema(kind, "left", &format!("{what} is on the left side only"));
    let cases = [
        ("ALTER TABLE notes ADD COLUMN more", right_only("table:notes", "the column more")),
        ("ALTER TABLE steps DROP COLUMN n", left_only("table:steps", "the column n")),
        ("CREATE TABLE more (a)", right_only("table:more", "the table")),
        ("CREATE INDEX more ON lines (line)", right_only("table:lines", "the index more")),
        ("DROP INDEX by_note", left_only("table:notes", "the index by_note")),
        (
            "DROP INDEX by_note; CREATE INDEX by_note ON notes (note DESC)",
            schema("table:notes", "", "the statements that create the index by_note differ"),
        ),
        ("DROP TRIGGER on_line", left_only("table:lines", "the trigger on_line")),
        (
            "CREATE TRIGGER more AFTER DELETE ON notes BEGIN SELECT 1; END",
            right_only("table:notes", "the trigger more"),
        ),
        ("DROP VIEW all_notes", left_only("table:all_notes", "the view all_notes")),
        ("CREATE VIEW more AS SELECT 1", right_only("table:more", "the view more")),
        (
            "PRAGMA user_version = 7",
            json!({"class": "schema", "message": "user_version is 0 on the left, 7 on the right"}),
        ),
        (
            "PRAGMA application_id = 7",
            json!({
                "class": "schema",
                "message": "application_id is 0 on the left, 7 on the right",
            }),
        ),
        (
            "UPDATE sqlite_sequence SET seq = 99",
            json!({"class": "sequence", "kind": "table:steps",
            "message": "id sequence of steps: 17 on the left, 99 on the right"}),
        ),
        (
            "DELETE FROM sqlite_sequence",
            json!({"class": "sequence", "kind": "table:steps",
            "message": "id sequence of steps: 17 on the left, none on the right"}),
        ),
        (
            "INSERT INTO sqlite_sequence VALUES ('gone', 5)",
            json!({"class": "sequence", "kind": "table:gone",
            "message": "id sequence of gone: none on the left, 5 on the right"}),
        ),
    ];
    for (change, expected) in cases {
        assert_found(change, &[expected]);
    }
}

#[test]
fn a_missing_table_is_named_with_what_belongs_to_it() {
    assert_found(
        "DROP TABLE lines",
        &[
            schema("table:lines", "left", "the table is on the left side only"),
            schema("table:lines", "left", "the trigger on_line is on the left side only"),
        ],
    );
}

/// Where a column is on one side only, the others are still compared.
#[test]
fn common_columns_are_compared() {
    assert_found(
        "ALTER TABLE notes ADD COLUMN more DEFAULT 'x';
         UPDATE notes SET note = 'new' WHERE id = 'b'",
        &[
            schema("table:notes", "right", "the column more is on the right side only"),
            json!({
                "class": "field", "kind": "table:notes", "key": "table:notes:'b",
                "fields": [{"field": "note", "left": null, "right": "new",
                    "first_difference": null}],
                "message": "the records differ in note",
            }),
        ],
    );
}

#[test]
fn a_report_lists_all_differences() {
    let scenario = changed(
        "UPDATE notes SET note = 'fifth', vector = x'01' WHERE id = 'a:1';
         DELETE FROM notes WHERE id = 'b';
         INSERT INTO lines VALUES ('three');
         ALTER TABLE steps ADD COLUMN more; UPDATE steps SET n = -0.5 WHERE id = 7;
         INSERT INTO steps (id) VALUES (90);
         DROP INDEX by_note; CREATE TABLE more (a); PRAGMA user_version = 3;",
    );
    let run = scenario.run(&["verify", "left.db", "right.db", "--tables", "all"]).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("verify_tables_differ", run));
}
