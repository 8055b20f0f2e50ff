//! Writes records as rows of a new database.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::record::{IdSequences, PerKind, Record, RecordKind, Value};
use crate::sqlite::read::other_tables::sequence_name;
use crate::sqlite::schema::{create_indexes_sql, create_table_sql};

/// Creates the four tables as in Magellan's newest schema, with their indexes. Metric numbers may
/// be NULL, and there are no foreign keys to tables that don't exist.
pub fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        create_table(connection, kind)?;
        create_indexes(connection, kind)?;
    }
    Ok(())
}

/// Creates the table of a kind without its indexes.
pub(crate) fn create_table(connection: &Connection, kind: RecordKind) -> rusqlite::Result<()> {
    connection.execute_batch(&create_table_sql(kind))
}

/// Creates the indexes of a kind's table.
pub(crate) fn create_indexes(connection: &Connection, kind: RecordKind) -> rusqlite::Result<()> {
    connection.execute_batch(&create_indexes_sql(kind))
}

/// Inserts records; returns their number.
///
/// # Errors
/// A key or id already exists, an offset is above [`i64::MAX`], or the database can't be written.
pub fn insert_records<'r>(
    connection: &Connection,
    records: impl IntoIterator<Item = &'r Record>,
) -> rusqlite::Result<u64> {
    let statements = PerKind::from_fn(insert_sql);
    let mut count = 0;
    for record in records {
        insert_record(connection, statements.get(record.kind()), record)?;
        count += 1;
    }
    Ok(count)
}

/// SQL that inserts a record of a kind into a table with all columns.
pub(crate) fn insert_sql(kind: RecordKind) -> String {
    let schema = kind.schema();
    let names: Vec<&str> = schema.fields.iter().map(|field| field.name).collect();
    format!(
        "INSERT OR ABORT INTO main.{} ({}) VALUES ({})",
        schema.table,
        names.join(", "),
        vec!["?"; names.len()].join(", "),
    )
}

/// Inserts a record with the SQL from [`insert_sql`] for its kind.
pub(crate) fn insert_record(
    connection: &Connection,
    sql: &str,
    record: &Record,
) -> rusqlite::Result<()> {
    let values = record.values();
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params_from_iter(values.values())).map(|_| ())
}

/// Sets the AUTOINCREMENT sequences of a database created with [`create_tables`].
pub fn set_sequences(connection: &Connection, sequences: IdSequences) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        if kind.has_ids() {
            set_sequence(connection, kind, sequences.get(kind))?;
        }
    }
    Ok(())
}

/// Sets the id sequence of a table. A negative one, which SQLite never stores, stands for no
/// sequence and removes it. Does nothing for a table without AUTOINCREMENT.
pub(crate) fn set_sequence(
    connection: &Connection,
    kind: RecordKind,
    sequence: i64,
) -> rusqlite::Result<()> {
    let Some(name) = sequence_name(connection, kind.schema())? else {
        return Ok(());
    };
    if sequence < 0 {
        connection.execute("DELETE FROM main.sqlite_sequence WHERE name = ?1", [name])?;
        return Ok(());
    }
    let updated = connection.execute(
        "UPDATE main.sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq IS NOT ?2",
        (&name, sequence),
    )?;
    if updated == 0 && sequence > 0 {
        connection.execute(
            "INSERT INTO main.sqlite_sequence (name, seq)
             SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM main.sqlite_sequence WHERE name = ?1)",
            (&name, sequence),
        )?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Offset(offset) => return offset.to_sql(),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
