//! Records to rows of a new database.

use rusqlite::types::ToSql;
use rusqlite::{Connection, Transaction};

use super::schema::table_spec;
use crate::record::{Record, RecordKind, Sequences};

/// Creates the four tables as Magellan's newest schema has them, with their indexes: metric
/// numbers may be NULL, and no foreign key ties them to tables that are not there.
///
/// # Errors
/// A table exists already, or the database can't be written.
pub fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        connection.execute_batch(table_spec(kind).create)?;
        connection.execute_batch(table_spec(kind).create_indexes)?;
    }
    Ok(())
}

/// Inserts records; returns how many.
///
/// # Errors
/// A record whose key or id is there already, an offset above [`i64::MAX`], or a database that
/// can't be written.
pub fn insert_records<'r>(
    transaction: &Transaction<'_>,
    records: impl IntoIterator<Item = &'r Record>,
) -> rusqlite::Result<u64> {
    let mut count = 0;
    for record in records {
        let spec = table_spec(record.kind());
        let names: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            spec.name,
            names.join(", "),
            vec!["?"; names.len()].join(", "),
        );
        with_values(record, |values| transaction.prepare(&sql)?.execute(values))?;
        count += 1;
    }
    Ok(count)
}

/// Sets the AUTOINCREMENT high-water marks of a database that [`create_tables`] made.
///
/// # Errors
/// The database can't be written.
pub fn set_sequences(transaction: &Transaction<'_>, marks: Sequences) -> rusqlite::Result<()> {
    for (table, mark) in [
        (table_spec(RecordKind::Chunk).name, marks.code_chunks),
        (
            table_spec(RecordKind::ExecutionLog).name,
            marks.execution_log,
        ),
    ] {
        transaction.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table])?;
        if mark > 0 {
            transaction.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
                (table, mark),
            )?;
        }
    }
    Ok(())
}

/// A record's fields in the order of its table's columns.
fn with_values<T>(
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
