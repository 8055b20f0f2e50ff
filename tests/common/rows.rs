//! Raw rows of a database, read with SQLite alone.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

const TABLES: [&str; 5] =
    ["code_chunks", "execution_log", "file_metrics", "symbol_metrics", "sqlite_sequence"];

/// Every row of the four tables and of `sqlite_sequence`, if they exist, each value with its
/// storage class; floats by their bits.
pub(crate) fn of_database(path: &Path) -> BTreeSet<String> {
    let connection = Connection::open(path).unwrap();
    let mut rows = BTreeSet::new();
    for table in TABLES {
        let names: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY name")
            .unwrap()
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        if names.is_empty() {
            continue;
        }
        let filter = match table {
            "sqlite_sequence" => "WHERE name IN ('code_chunks', 'execution_log') AND seq > 0",
            _ => "",
        };
        let sql = format!("SELECT {} FROM {table} NOT INDEXED {filter}", names.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values = (0..names.len()).map(|index| match row.get::<_, Value>(index).unwrap() {
                Value::Real(real) => format!("real {:016x}", real.to_bits()),
                other => format!("{other:?}"),
            });
            rows.insert(format!("{table} {}", values.collect::<Vec<_>>().join(" | ")));
        }
    }
    rows
}
