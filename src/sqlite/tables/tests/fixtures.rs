//! Describes, restores and compares small databases.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::record::KindSet;
use crate::sqlite::schema::quoted;
use crate::sqlite::tables::describe::Described;
use crate::sqlite::tables::restore;
use crate::sqlite::tables::row_inserter::RowInserter;
use crate::sqlite::tables::trial::{Trial, try_schema};
use crate::table::{
    CarriedTables, Cell, ObjectType, Row, SchemaObject, Settings, TableSchema, TableSelection,
    WholeDatabase,
};

/// A table whose statement is `CREATE TABLE name …`.
pub(super) fn table(name: &str, columns: &[&str], key: &[usize], sql: &str) -> TableSchema {
    TableSchema {
        name: name.into(),
        kind: None,
        columns: columns.iter().map(|&column| column.into()).collect(),
        key: key.into(),
        rowid: key.is_empty(),
        sql: sql.into(),
    }
}

pub(super) fn object(object_type: ObjectType, name: &str, table: &str, sql: &str) -> SchemaObject {
    SchemaObject { object_type, name: name.into(), table: table.into(), sql: sql.into() }
}

pub(super) fn carried(tables: Vec<TableSchema>, objects: Vec<SchemaObject>) -> CarriedTables {
    let settings = Settings { page_size: 4096, ..Settings::default() };
    let whole = Some(WholeDatabase { settings, objects });
    let tables = tables.into_iter().map(Arc::new).collect();
    CarriedTables { encoding: "UTF-8".into(), tables, sequences: Vec::new(), whole }
}

/// Tries a schema with the table `t (a, b)` and an object.
pub(super) fn try_object(
    object_type: ObjectType,
    name: &str,
    table_name: &str,
    sql: &str,
) -> Trial {
    let t = table("t", &["a", "b"], &[], "CREATE TABLE t (a, b)");
    try_schema(&carried(vec![t], vec![object(object_type, name, table_name, sql)]), 0).unwrap()
}

/// Describes a whole database.
pub(super) fn describe(connection: &Connection) -> CarriedTables {
    let path = Path::new("test.db");
    let no_kinds = KindSet::from_iter([]);
    let described =
        Described::read(connection, path, false, &TableSelection::All, no_kinds).unwrap();
    assert_eq!(described.left_out, []);
    described.carried
}

/// The rows of a table, in the order of its rowid or key. Text is exactly the stored bytes.
pub(super) fn rows(connection: &Connection, table: &TableSchema) -> Vec<Row<'static>> {
    let encoding: String =
        connection.pragma_query_value(None, "encoding", |row| row.get(0)).unwrap();
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("{0}, CAST({0} AS BLOB)", quoted(column)))
        .collect();
    let rowid = if table.rowid { "rowid" } else { "0" };
    let sql = format!("SELECT {rowid}, {} FROM {}", columns.join(", "), quoted(&table.name));
    let mut statement = connection.prepare(&sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let rowid = table.rowid.then(|| row.get(0).unwrap());
        let cell = |place: usize| match row.get_ref(1 + 2 * place).unwrap() {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(integer) => Cell::Integer(integer),
            ValueRef::Real(real) => Cell::Real(real),
            ValueRef::Blob(bytes) => Cell::Blob(Cow::Owned(bytes.to_vec())),
            ValueRef::Text(_) => {
                let stored: Vec<u8> = row.get(2 + 2 * place).unwrap();
                match well_formed(&encoding, &stored) {
                    Some(text) => Cell::Text(Cow::Owned(text)),
                    None => Cell::IllFormedText(Cow::Owned(stored)),
                }
            }
        };
        all.push(Row { rowid, cells: (0..table.columns.len()).map(cell).collect() });
    }
    all
}

fn well_formed(encoding: &str, stored: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match encoding {
        "UTF-8" => return String::from_utf8(stored.to_vec()).ok(),
        "UTF-16le" => u16::from_le_bytes,
        _ => u16::from_be_bytes,
    };
    let units: Vec<u16> = stored.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok().filter(|_| stored.len().is_multiple_of(2))
}

/// Restores a database into an empty one.
pub(super) fn restore(source: &Connection, target: &mut Connection) -> CarriedTables {
    let carried = describe(source);
    assert_eq!(try_schema(&carried, 0).unwrap(), Trial::default());
    restore::prepare(target, &carried, 0).unwrap();
    target.execute_batch("BEGIN").unwrap();
    restore::create_tables(target, &carried).unwrap();
    for table in &carried.tables {
        let mut inserter = RowInserter::new(target, table).unwrap();
        for row in rows(source, table) {
            assert_eq!(inserter.insert(&row).unwrap(), None);
        }
    }
    restore::set_sequences(target, &carried).unwrap();
    restore::create_virtual_tables(target, &carried).unwrap();
    target.execute_batch("COMMIT; BEGIN").unwrap();
    restore::create_indexes(target, &carried).unwrap();
    restore::create_views_and_triggers(target, &carried).unwrap();
    restore::apply_settings(target, &carried.whole.as_ref().unwrap().settings).unwrap();
    target.execute_batch("COMMIT").unwrap();
    carried
}

/// Restores a database, and checks that everything in it is equal.
pub(super) fn restored(source: &Connection) -> Connection {
    let mut target = Connection::open_in_memory().unwrap();
    let carried = restore(source, &mut target);
    let again = describe(&target);
    assert_eq!(again.tables, carried.tables);
    assert_eq!(again.sequences, carried.sequences);
    assert_eq!(again.encoding, carried.encoding);
    let (mut left, mut right) = (carried.whole.unwrap(), again.whole.unwrap());
    assert_eq!(left.settings, right.settings);
    left.objects.sort_by(|a, b| a.sql.cmp(&b.sql));
    right.objects.sort_by(|a, b| a.sql.cmp(&b.sql));
    assert_eq!(left.objects, right.objects);
    for table in &carried.tables {
        let (left, right) = (rows(source, table), rows(&target, table));
        assert_eq!(bits(&left), bits(&right), "{}", table.name);
    }
    let check: String =
        target.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    target
}

/// Rows so that equal ones are equal bit by bit: -0.0 is not 0.0.
pub(super) fn bits(rows: &[Row<'_>]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}
