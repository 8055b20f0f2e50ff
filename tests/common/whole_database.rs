//! Carries whole databases into KV files and back, and checks with SQLite alone that nothing
//! changed.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value as Json;

use super::Scenario;

/// Columns that are selected at once, each with its bytes.
const COLUMNS_AT_ONCE: usize = 900;

/// Carries all tables of `code.db` into `code.kv` and these into `back.db`, and checks that the
/// databases are equal and all three stores identical.
pub(crate) fn assert_carried(scenario: &Scenario, args: &[&str], what: &str) {
    let run = |command: &[&str]| {
        let run = scenario.run(command);
        assert_eq!(run.status, 0, "{what}: {command:?}: {run}");
        run
    };
    let all = [&["--tables", "all"], args].concat();
    let _ = run(&[&["sqlite-to-kv", "code.db", "code.kv"], &all[..]].concat());
    let _ = run(&["kv-to-sqlite", "code.kv", "back.db"]);
    let (before, after) =
        (contents(&scenario.path("code.db")), contents(&scenario.path("back.db")));
    let lost: Vec<_> = before.difference(&after).take(5).collect();
    let new: Vec<_> = after.difference(&before).take(5).collect();
    assert!(lost.is_empty() && new.is_empty(), "{what}: lost {lost:#?}, new {new:#?}");
    for files in [["code.db", "code.kv"], ["code.kv", "back.db"]] {
        let _ = run(&[&["verify"], &files[..], args].concat());
    }
    let _ = run(&[&["verify", "code.db", "back.db"], &all[..]].concat());
    let _ = run(&["verify", "code.kv"]);
    let _ = run(&["verify", "back.db", "code.kv", "--quick"]);
    // It reads the tables of the four kinds as records.
    if args.is_empty() {
        let digests = ["code.db", "code.kv", "back.db"].map(|store| {
            let inspection = run(&["inspect", store, "--tables", "all", "--format", "json"]).json();
            digests(&inspection)
        });
        assert_eq!(digests[0], digests[1], "{what}");
        assert_eq!(digests[2], digests[1], "{what}");
    }
}

/// Builds a database from a script, and checks that it is [carried](assert_carried).
pub(crate) fn assert_script_is_carried(what: &str, script: &str) -> Scenario {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |db| {
        db.execute_batch(script).unwrap_or_else(|error| panic!("{what}: {error}"));
    });
    assert_carried(&scenario, &[], what);
    scenario
}

/// What identifies the contents of a store.
fn digests(inspection: &Json) -> [Json; 3] {
    ["kinds", "sha256", "sequences"].map(|member| inspection[member].clone())
}

/// A database as SQLite shows it: settings, schema, sequences, and each row with the storage
/// classes and bytes of its values.
pub(crate) fn contents(path: &Path) -> BTreeSet<String> {
    let db = Connection::open(path).unwrap();
    let mut contents = BTreeSet::new();
    let mut select = |what: &str, sql: &str| {
        let mut statement = db.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|index| shown(row.get_ref(index).unwrap()));
            contents.insert(format!("{what}: {}", values.collect::<Vec<_>>().join(", ")));
        }
    };
    for setting in [
        "encoding",
        "page_size",
        "auto_vacuum",
        "user_version",
        "application_id",
        "journal_mode",
        "integrity_check",
        "foreign_key_check",
    ] {
        select(setting, &format!("PRAGMA {setting}"));
    }
    select(
        "schema",
        "SELECT type, name, tbl_name, sql FROM sqlite_schema
         WHERE name NOT LIKE 'sqlite\\_stat_' ESCAPE '\\' AND name <> 'sqlite_sequence'",
    );
    if db.table_exists(None, "sqlite_sequence").unwrap() {
        select("sequence", "SELECT name, seq FROM sqlite_sequence");
    }
    for (table, is_without_rowid) in ordinary_tables(&db) {
        contents.extend(rows(&db, &table, is_without_rowid));
    }
    contents
}

/// The names of the tables with rows of their own, and whether they are WITHOUT ROWID.
fn ordinary_tables(db: &Connection) -> Vec<(String, bool)> {
    let sql = "SELECT name, wr FROM pragma_table_list
         WHERE schema = 'main' AND type IN ('table', 'shadow')
            AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = db.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    tables.map(Result::unwrap).collect()
}

fn rows(db: &Connection, table: &str, is_without_rowid: bool) -> Vec<String> {
    let mut statement =
        db.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1").unwrap();
    let columns: Vec<String> =
        statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let is_column = |name: &&str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    // The rows of a kind's table are identified by their keys.
    let has_kept_rowid = !is_without_rowid && table != "file_metrics";
    let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name));
    let rowid = rowid.filter(|_| has_kept_rowid);
    let order = rowid.map_or_else(String::new, |rowid| format!("ORDER BY {rowid}"));
    let mut rows: Vec<String> = Vec::new();
    for (group, columns) in columns.chunks(COLUMNS_AT_ONCE).enumerate() {
        let mut selected: Vec<String> = columns
            .iter()
            .flat_map(|column| {
                let column = quoted(column);
                [column.clone(), format!("CAST({column} AS BLOB)")]
            })
            .collect();
        selected.extend(rowid.map(str::to_owned));
        let selected = selected.join(", ");
        let sql = format!("SELECT {selected} FROM {} NOT INDEXED {order}", quoted(table));
        let mut statement = db.prepare(&sql).unwrap();
        let mut found = statement.query([]).unwrap();
        let mut count = 0;
        while let Some(row) = found.next().unwrap() {
            if group == 0 {
                rows.push(format!("{table}:"));
                if rowid.is_some() {
                    let rowid: i64 = row.get(columns.len() * 2).unwrap();
                    write!(rows[count], " rowid {rowid}").unwrap();
                }
            }
            for index in 0..columns.len() {
                let value = match row.get_ref(2 * index).unwrap() {
                    ValueRef::Text(_) => {
                        let ValueRef::Blob(bytes) = row.get_ref(2 * index + 1).unwrap() else {
                            panic!("a text is not its bytes");
                        };
                        format!("text {}", shown_bytes(bytes))
                    }
                    other => shown(other),
                };
                write!(rows[count], " {value}").unwrap();
            }
            count += 1;
        }
    }
    rows
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("real {real} {:x}", real.to_bits()),
        ValueRef::Text(bytes) => format!("'{}'", shown_bytes(bytes)),
        ValueRef::Blob(bytes) => format!("x'{}'", shown_bytes(bytes)),
    }
}

/// Bytes; of many only a hash.
fn shown_bytes(bytes: &[u8]) -> String {
    if bytes.len() <= 1000 {
        return bytes.escape_ascii().to_string();
    }
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{} bytes, hash {:x}", bytes.len(), hasher.finish())
}
