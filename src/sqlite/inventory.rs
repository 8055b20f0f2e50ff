//! What a database tells beside its records: versions, sequences, and the tables that hold
//! something else.

use rusqlite::{Connection, OptionalExtension as _};

use super::layout::TableLayout;
use super::schema::{quoted, table_name};
use crate::record::{PerKind, RecordKind, Sequences};

/// A table that is not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTable {
    /// Its name.
    pub name: String,
    /// Its number of rows; `None` if SQLite can't count them: the table is damaged, or virtual with
    /// a module that is not built in.
    pub rows: Option<u64>,
}

/// All ordinary and virtual tables but those that are read and SQLite's own, by name.
pub(super) fn other_tables(
    connection: &Connection,
    read: &PerKind<Option<TableLayout>>,
) -> rusqlite::Result<Vec<OtherTable>> {
    let mut statement = connection.prepare(
        "SELECT name FROM main.sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let others = names.into_iter().filter(|name| {
        let read = read.iter().filter_map(|(_, layout)| layout.as_ref());
        !read
            .map(|layout| layout.spec.name)
            .any(|table| table.eq_ignore_ascii_case(name))
    });
    others
        .map(|name| {
            let rows = match count_rows(connection, &name) {
                Ok(rows) => Some(rows),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => None,
            };
            Ok(OtherTable { name, rows })
        })
        .collect()
}

/// The virtual tables of a database, such as full-text indexes.
pub(super) fn virtual_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'
               ORDER BY name";
    connection
        .prepare(sql)?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Whether there is a table or view of the name that a kind's table has.
pub(super) fn exists(connection: &Connection, kind: RecordKind) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE",
        [table_name(kind)],
        |row| row.get(0),
    )
}

/// The number of rows, counted the cheapest way SQLite knows: through an index, if there is one.
pub(super) fn count_rows(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM main.{}", quoted(table));
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Whether an error is about more than one odd or damaged table.
fn is_fatal(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, OperationInterrupted, OutOfMemory, SystemIoFailure};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | OperationInterrupted | OutOfMemory | SystemIoFailure)
    )
}

/// Magellan's schema version, `None` where there is none.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    if !has_column(connection, "magellan_meta", "magellan_schema_version")? {
        return Ok(None);
    }
    connection
        .query_row(
            "SELECT m.magellan_schema_version FROM main.magellan_meta AS m
             WHERE typeof(m.magellan_schema_version) = 'integer' LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()
}

/// The high-water marks of the tables that are there: the larger of what `sqlite_sequence` says
/// and the largest id, 0 if that is below 0 or neither is there.
pub(super) fn sequences(
    connection: &Connection,
    tables: &PerKind<Option<TableLayout>>,
) -> rusqlite::Result<Sequences> {
    let mark = |kind| match tables.get(kind) {
        Some(layout) => Ok(last_id(connection, layout)?.unwrap_or(0).max(0)),
        None => Ok::<i64, rusqlite::Error>(0),
    };
    Ok(Sequences {
        code_chunks: mark(RecordKind::Chunk)?,
        execution_log: mark(RecordKind::ExecutionLog)?,
    })
}

/// The larger of what `sqlite_sequence` says of a table and its largest id.
pub(super) fn last_id(
    connection: &Connection,
    layout: &TableLayout,
) -> rusqlite::Result<Option<i64>> {
    let sequence: Option<i64> = match has_column(connection, "sqlite_sequence", "seq")? {
        true => connection.query_row(
            "SELECT max(s.seq) FROM main.sqlite_sequence AS s
             WHERE s.name = ?1 COLLATE NOCASE AND typeof(s.seq) = 'integer'",
            [layout.spec.name],
            |row| row.get(0),
        )?,
        false => None,
    };
    Ok(sequence.max(largest_id(connection, layout)?))
}

fn largest_id(connection: &Connection, layout: &TableLayout) -> rusqlite::Result<Option<i64>> {
    let Some(id) = layout.spec.id else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT max(t.{id}) FROM {} WHERE typeof(t.{id}) = 'integer'",
        layout.table_clause()
    );
    connection.query_row(&sql, [], |row| row.get(0))
}

fn has_column(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) FROM pragma_table_info(?1, 'main') WHERE name = ?2 COLLATE NOCASE",
        [table, column],
        |row| row.get(0),
    )
}
