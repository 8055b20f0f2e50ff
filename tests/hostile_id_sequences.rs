//! AUTOINCREMENT sequences that SQLite would not have written: the copy never assigns an assigned
//! id again, and a foreign table of sequences is not ignored.

use std::path::Path;

use rusqlite::Connection;

use crate::common::hostile_file::Outcome::Fails;
use crate::common::hostile_file::{HostileFile, database};
use crate::common::{Scenario, rows, tables};

/// The id that SQLite would assign to the next chunk of a database.
fn next_id(path: &Path) -> Option<i64> {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row(
            "INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash,
                 created_at) VALUES ('next', 0, 1, '', '', 0) RETURNING id",
            [],
            |row| row.get(0),
        )
        .ok()
}

#[test]
fn a_non_integer_id_sequence_assigns_the_same_next_id_in_the_copy() {
    for sequence in [
        "'abc'",
        "NULL",
        "25.5",
        "x'00'",
        "x'3939'",
        "9223372036854775807",
        "-5",
        "'33'",
        "' 44x'",
        "9e999",
        "-9e999",
        "1e300",
        "'99999999999999999999'",
    ] {
        let scenario = Scenario::new();
        let odd = scenario.database("odd.db", |db| {
            db.execute_batch(tables::SMALL).unwrap();
            let set = "UPDATE sqlite_sequence SET seq =";
            db.execute_batch(&format!("{set} {sequence} WHERE name = 'code_chunks'")).unwrap();
        });
        let _ = scenario.run(&["sqlite-to-kv", "odd.db", "odd.kv"]).expect_status(0);
        let _ = scenario.run(&["kv-to-sqlite", "odd.kv", "back.db"]).expect_status(0);
        let _ = scenario.run(&["verify", "odd.db", "back.db"]).expect_status(0);
        let chunks = |name: &str| rows::of_database(&scenario.path(name)).len();
        assert!(chunks("back.db") >= 8, "{sequence}");
        assert_eq!(next_id(&odd), next_id(&scenario.path("back.db")), "{sequence}");
    }
}

#[test]
fn a_foreign_sqlite_sequence_table_is_reported_as_corruption() {
    let set = |assignments: &str| {
        format!("UPDATE sqlite_schema SET {assignments} WHERE name = 'sqlite_sequence'")
    };
    let other = Fails("sqlite_sequence is not SQLite's own table");
    for edit in [
        set("sql = 'CREATE TABLE sqlite_sequence (a, b)'"),
        set("sql = 'CREATE TABLE sqlite_sequence (name)'"),
        set("type = 'view', rootpage = 0, sql = 'CREATE VIEW sqlite_sequence AS
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
             SELECT ''code_chunks'' AS name, i AS seq FROM n'"),
    ] {
        let hostile = HostileFile::by_database(|path| database(path, "", &[&edit]));
        hostile.assert_read_as(&edit, other);
        hostile.assert_target_as(&edit, other);
    }
}
