//! Writes records as rows of a new database.

use rusqlite::Connection;
use rusqlite::types::ToSql;

use crate::record::{IdSequences, PerKind, Record, RecordKey, RecordKind};
use crate::sqlite::read::other_tables::sequence_name;
use crate::sqlite::schema::table_spec;

/// Creates the four tables as in Magellan's newest schema, with their indexes. Metric numbers may
/// be NULL, and there are no foreign keys to tables that don't exist.
///
/// # Errors
/// A table already exists, or the database can't be written.
pub fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        create_table(connection, kind)?;
        create_indexes(connection, kind)?;
    }
    Ok(())
}

/// Creates the table of a kind without its indexes.
pub(in crate::sqlite) fn create_table(
    connection: &Connection,
    kind: RecordKind,
) -> rusqlite::Result<()> {
    connection.execute_batch(table_spec(kind).create)
}

/// Creates the indexes of a kind's table.
pub(in crate::sqlite) fn create_indexes(
    connection: &Connection,
    kind: RecordKind,
) -> rusqlite::Result<()> {
    connection.execute_batch(table_spec(kind).create_indexes)
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
pub(in crate::sqlite) fn insert_sql(kind: RecordKind) -> String {
    let spec = table_spec(kind);
    let names: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
    format!(
        "INSERT OR ABORT INTO main.{} ({}) VALUES ({})",
        spec.name,
        names.join(", "),
        vec!["?"; names.len()].join(", "),
    )
}

/// Inserts a record with the SQL from [`insert_sql`] for its kind.
pub(in crate::sqlite) fn insert_record(
    connection: &Connection,
    sql: &str,
    record: &Record,
) -> rusqlite::Result<()> {
    with_values(record, |values| {
        connection.prepare_cached(sql)?.execute(values).map(|_| ())
    })
}

/// Sets the AUTOINCREMENT sequences of a database created with [`create_tables`].
///
/// # Errors
/// The database can't be written.
pub fn set_sequences(connection: &Connection, sequences: IdSequences) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        if table_spec(kind).id.is_some() {
            set_sequence(connection, kind, sequences.get(kind))?;
        }
    }
    Ok(())
}

/// Sets the id sequence of a table. A negative one, which SQLite never stores, stands for no
/// sequence and removes it. Does nothing for a table without AUTOINCREMENT.
pub(in crate::sqlite) fn set_sequence(
    connection: &Connection,
    kind: RecordKind,
    sequence: i64,
) -> rusqlite::Result<()> {
    let Some(name) = sequence_name(connection, table_spec(kind))? else {
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

/// Calls a function with a key's fields, in the order of its table's key columns.
pub(in crate::sqlite) fn with_key_values<T>(
    key: &RecordKey,
    bind: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    match key {
        RecordKey::Chunk {
            file_path,
            byte_start,
            byte_end,
        } => bind(&[file_path, byte_start, byte_end]),
        RecordKey::ExecutionLog { execution_id } => bind(&[execution_id]),
        RecordKey::FileMetrics { file_path } => bind(&[file_path]),
        RecordKey::SymbolMetrics { symbol_id } => bind(&[symbol_id]),
    }
}

/// Calls a function with a record's fields, in the order of its table's columns.
pub(in crate::sqlite) fn with_values<T>(
    record: &Record,
    insert: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    match record {
        Record::Chunk(r) => insert(&[
            &r.id,
            &r.file_path,
            &r.byte_start,
            &r.byte_end,
            &r.content,
            &r.content_hash,
            &r.symbol_name,
            &r.symbol_kind,
            &r.created_at,
        ]),
        Record::ExecutionLog(r) => insert(&[
            &r.id,
            &r.execution_id,
            &r.tool_version,
            &r.args,
            &r.root,
            &r.db_path,
            &r.started_at,
            &r.finished_at,
            &r.duration_ms,
            &r.outcome,
            &r.error_message,
            &r.files_indexed,
            &r.symbols_indexed,
            &r.references_indexed,
        ]),
        Record::FileMetrics(r) => insert(&[
            &r.file_path,
            &r.symbol_count,
            &r.loc,
            &r.estimated_loc,
            &r.fan_in,
            &r.fan_out,
            &r.complexity_score,
            &r.last_updated,
        ]),
        Record::SymbolMetrics(r) => insert(&[
            &r.symbol_id,
            &r.symbol_name,
            &r.kind,
            &r.file_path,
            &r.loc,
            &r.estimated_loc,
            &r.fan_in,
            &r.fan_out,
            &r.cyclomatic_complexity,
            &r.last_updated,
        ]),
    }
}
