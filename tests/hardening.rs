//! A schema is a program that runs in every process that opens the database: what it may not do is
//! denied on every connection, and is an error or has no effect.

use crate::common::hostile_file::Outcome::{Copied, Fails, Reported};
use crate::common::hostile_file::{HostileFile, database};

const WITHOUT_END: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

/// A view with the name of a known table was evaluated, endlessly.
#[test]
fn an_endless_view_is_never_evaluated() {
    for view in [
        format!(
            "CREATE VIEW magellan_meta AS {WITHOUT_END}
             SELECT CAST(i AS TEXT) AS magellan_schema_version FROM n"
        ),
        format!("CREATE VIEW other AS {WITHOUT_END} SELECT i FROM n"),
        format!(
            "CREATE VIEW a AS {WITHOUT_END} SELECT max(i) AS magellan_schema_version FROM n;
             CREATE VIEW magellan_meta AS SELECT * FROM a"
        ),
    ] {
        let hostile = HostileFile::by_database(|path| database(path, &view, &[]));
        hostile.assert_read_as(&view, Copied);
        hostile.assert_target_as(&view, Copied);
    }
}

#[test]
fn schema_statements_over_the_limits_are_an_error() {
    let add = |text: &str| {
        format!(
            "UPDATE sqlite_schema SET sql = replace(sql, 'created_at INTEGER NOT NULL',
                 'created_at INTEGER NOT NULL {text}') WHERE name = 'code_chunks'"
        )
    };
    let long = add(&format!("/* {} */", "x".repeat(1 << 20)));
    let nested = add(&format!("CHECK ({}1{})", "(".repeat(100_000), ")".repeat(100_000)));
    let sum = add(&format!("CHECK ({})", ["1"; 5000].join("+")));
    for (what, edit, message) in [
        ("long", long, "malformed database schema (code_chunks)"),
        ("nested", nested, "malformed database schema (code_chunks)"),
        ("a sum", sum, "Expression tree is too large"),
    ] {
        let hostile =
            HostileFile::by_database(|path| database(path, "", &[&edit])).within_mib(1024);
        hostile.assert_read_as(what, Fails(message));
        hostile.assert_target_as(what, Fails(message));
    }
}

#[test]
fn a_pattern_that_would_run_forever_is_an_error() {
    let pattern = "%a".repeat(2000);
    let hostile = HostileFile::by_database(|path| {
        let fill = format!(
            "CREATE TABLE o (a); ALTER TABLE code_chunks ADD COLUMN bomb TEXT
                 CHECK (content NOT LIKE '{pattern}')"
        );
        database(path, &fill, &[]);
    });
    hostile.assert_read_as("a pattern", Copied);
    // Each record is rejected with SQLite's message, because the pattern might be the record's own.
    let rejected = "chunk:src/lib.rs:0:12: invalid-row: the target's table code_chunks rejects it: \
                    LIKE or GLOB pattern too complex";
    hostile.assert_target_as("a pattern", Reported(rejected));
}

#[test]
fn large_and_unusual_but_legal_schemas_are_read() {
    let many: String = (0..1000).map(|i| format!("CREATE TABLE t{i} (a, b);")).collect();
    let columns: Vec<String> = (0..1999).map(|i| format!("c{i}")).collect();
    let deep = vec!["1"; 900].join("+");
    let text = "x".repeat(1_000_000);
    for (what, fill) in [
        ("many tables", many),
        ("a wide table", format!("CREATE TABLE w ({})", columns.join(", "))),
        ("a deep view", format!("CREATE VIEW d AS SELECT {deep}")),
        ("a long comment", format!("CREATE TABLE c (a /* {text} */)")),
        (
            "full-text and spatial indexes, some of them broken",
            "CREATE VIRTUAL TABLE f USING fts5 (x); INSERT INTO f VALUES ('hello');
             CREATE VIRTUAL TABLE r USING rtree (id, a, b); INSERT INTO r VALUES (1, 0, 1);
             DELETE FROM r_node; INSERT INTO r_node VALUES (1, x'ffffffff')"
                .to_owned(),
        ),
    ] {
        let hostile = HostileFile::by_database(|path| database(path, &fill, &[]));
        hostile.assert_read_as(what, Copied);
        hostile.assert_target_as(what, Copied);
    }
}
