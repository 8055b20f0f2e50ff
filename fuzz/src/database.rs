//! Databases of rows, written and read with SQLite alone.

use std::path::Path;

use chunkmigrate::record::RecordKind;
use chunkmigrate::rusqlite::types::Value;
use chunkmigrate::rusqlite::{Connection, params_from_iter};

use super::encoding::Encoding;
use super::row::{Cell, Row, columns};

/// Which tables a database has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Schema {
    /// Those that the tool creates.
    Own,
    /// Columns without types and constraints.
    Loose,
    /// The same with an index over the key's columns.
    LooseWithIndex,
    /// The same with ids that are row ids.
    LooseWithIds,
}

impl Schema {
    pub(crate) const ALL: [Schema; 4] =
        [Schema::Own, Schema::Loose, Schema::LooseWithIndex, Schema::LooseWithIds];
}

/// Creates a database; returns the rows that its tables accepted, with their row ids.
pub(crate) fn make(path: &Path, encoding: Encoding, schema: Schema, rows: &[Row]) -> Vec<Row> {
    let mut connection = Connection::open(path).unwrap();
    let pragmas = format!("PRAGMA encoding = '{}'; PRAGMA synchronous = OFF", encoding.name());
    connection.execute_batch(&pragmas).unwrap();
    match schema {
        Schema::Own => chunkmigrate::internal::create_tables(&connection).unwrap(),
        _ => RecordKind::ALL.iter().for_each(|kind| create_loose(&connection, *kind, schema)),
    }
    let transaction = connection.transaction().unwrap();
    let inserted = rows.iter().filter_map(|row| {
        let values = row.cells.iter().map(|cell| match cell {
            Cell::Text(_) => "CAST(? AS TEXT)",
            _ => "?",
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {} VALUES ({values})", row.kind.table());
        let inserted = transaction.execute(&sql, params_from_iter(&row.cells));
        inserted.ok().map(|_| Row { rowid: transaction.last_insert_rowid(), ..row.clone() })
    });
    let inserted = inserted.collect();
    transaction.commit().unwrap();
    connection.close().unwrap();
    inserted
}

fn create_loose(connection: &Connection, kind: RecordKind, schema: Schema) {
    let table = kind.table();
    let names: Vec<&str> = columns(kind).iter().map(|(name, _, _)| *name).collect();
    let with_ids = schema == Schema::LooseWithIds && kind != RecordKind::FileMetrics;
    let primary = if with_ids { " INTEGER PRIMARY KEY" } else { "" };
    let (first, rest) = (names[0], names[1..].join(", "));
    let sql = format!("CREATE TABLE {table} ({first}{primary}, {rest});");
    connection.execute_batch(&sql).unwrap();
    if schema == Schema::LooseWithIndex {
        let key = match kind {
            RecordKind::Chunk => "file_path, byte_start, byte_end",
            RecordKind::ExecutionLog => "execution_id",
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => first,
        };
        let sql = format!("CREATE INDEX key_of_{table} ON {table}({key})");
        connection.execute_batch(&sql).unwrap();
    }
}

/// All rows of a UTF-8 database, as [`Row::returned`] writes them, in order.
pub(crate) fn rows_of(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut all = Vec::new();
    for kind in RecordKind::ALL {
        let names: Vec<&str> = columns(kind).iter().map(|(name, _, _)| *name).collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), kind.table());
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| {
            let cell = |index| {
                Ok(match row.get::<_, Value>(index)? {
                    Value::Null => Cell::Null,
                    Value::Integer(integer) => Cell::Integer(integer),
                    Value::Real(real) => Cell::Real(real),
                    Value::Text(text) => Cell::Text(text.into_bytes()),
                    Value::Blob(blob) => Cell::Blob(blob),
                })
            };
            (0..names.len()).map(cell).collect::<Result<Vec<_>, _>>()
        });
        all.extend(rows.unwrap().map(|cells| format!("{kind} {:?}", cells.unwrap())));
    }
    all.sort();
    all
}
