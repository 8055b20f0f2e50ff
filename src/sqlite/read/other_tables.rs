//! Reads what a database contains in addition to records: versions, id sequences, and other tables.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, ffi};

use crate::record::{IdSequences, KindSchema, PerKind, RecordKind};
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::schema::quoted;
use crate::stream::UncopiedTable;

/// All ordinary and virtual tables except the record tables and SQLite's own, by name.
pub(crate) fn other_tables(
    connection: &Connection,
    read: &PerKind<Option<TableColumns>>,
) -> rusqlite::Result<Vec<UncopiedTable>> {
    let others = names(connection)?.into_iter().filter(|name| {
        let read = read.iter().filter_map(|(_, layout)| layout.as_ref());
        !read.map(|layout| layout.schema.table).any(|table| table.eq_ignore_ascii_case(name))
    });
    others
        .map(|name| {
            let rows = match count_rows(connection, &name) {
                Ok(rows) => Some(rows),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => None,
            };
            Ok(UncopiedTable::new(name, rows))
        })
        .collect()
}

/// The names of all ordinary and virtual tables except SQLite's own.
pub(crate) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name FROM main.sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    statement.query_map([], |row| row.get_ref(0).map(shown_name))?.collect()
}

/// A name from the schema, which may be invalid text in a hand-made database.
pub(crate) fn shown_name(name: ValueRef<'_>) -> String {
    match name {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        _ => String::new(),
    }
}

/// The virtual tables of a database, such as full-text indexes.
pub(crate) fn virtual_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'
               ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Whether a table or view has the name of a kind's table.
pub(crate) fn exists(connection: &Connection, kind: RecordKind) -> rusqlite::Result<bool> {
    is_in_schema(connection, kind.table())
}

fn is_in_schema(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE",
        [name],
        |row| row.get(0),
    )
}

/// The number of rows, counted through the cheapest index SQLite can use.
pub(crate) fn count_rows(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM main.{}", quoted(table));
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Whether an error affects more than one unusual or corrupt table.
fn is_fatal(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, OperationInterrupted, OutOfMemory, SystemIoFailure};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | OperationInterrupted | OutOfMemory | SystemIoFailure)
    )
}

/// Magellan's schema version, `None` if there is none.
pub(crate) fn schema_version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    const COLUMN: &str = "magellan_schema_version";
    let columns = columns_of_table(connection, "magellan_meta")?;
    if !columns.is_some_and(|columns| columns.iter().any(|c| c.eq_ignore_ascii_case(COLUMN))) {
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

/// The id sequences of the existing tables: the larger of the value in `sqlite_sequence` and the
/// largest id, 0 if that is negative or neither exists. A value that is not an integer is converted
/// as SQLite does when it assigns the next id.
pub(crate) fn sequences(
    connection: &Connection,
    tables: &PerKind<Option<TableColumns>>,
) -> rusqlite::Result<IdSequences> {
    let sequence = |kind| match tables.get(kind) {
        Some(layout) => Ok(last_id(connection, layout)?.unwrap_or(0).max(0)),
        None => Ok::<i64, rusqlite::Error>(0),
    };
    Ok(IdSequences {
        code_chunks: sequence(RecordKind::Chunk)?,
        execution_log: sequence(RecordKind::ExecutionLog)?,
    })
}

/// The larger of SQLite's id sequence for a table and its largest id.
pub(crate) fn last_id(
    connection: &Connection,
    layout: &TableColumns,
) -> rusqlite::Result<Option<i64>> {
    let sequence: Option<i64> = match sequence_name(connection, layout.schema)? {
        Some(name) => connection.query_row(
            "SELECT max(CAST(s.seq AS INTEGER)) FROM main.sqlite_sequence AS s WHERE s.name = ?1",
            [name],
            |row| row.get(0),
        )?,
        None => None,
    };
    Ok(sequence.max(largest_id(connection, layout)?))
}

/// The name under which `sqlite_sequence` contains a table's sequence, spelled as in the schema:
/// SQLite ignores a row under any other name, and every row of a table without AUTOINCREMENT.
/// `None` for such a table, and if the table does not exist.
pub(crate) fn sequence_name(
    connection: &Connection,
    schema: &KindSchema,
) -> rusqlite::Result<Option<String>> {
    if !keeps_sequences(connection)? || !is_autoincrement(connection, schema)? {
        return Ok(None);
    }
    connection
        .query_row(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
            [schema.table],
            |row| row.get(0),
        )
        .optional()
}

/// Whether a table is AUTOINCREMENT, so that SQLite never reuses an id; `false` if the table does
/// not exist.
pub(crate) fn is_autoincrement(
    connection: &Connection,
    schema: &KindSchema,
) -> rusqlite::Result<bool> {
    let Some(id) = schema.id() else {
        return Ok(false);
    };
    let columns = columns_of_table(connection, schema.table)?.unwrap_or_default();
    if !columns.iter().any(|column| column.eq_ignore_ascii_case(id)) {
        return Ok(false);
    }
    let (.., is_autoincrement) = connection.column_metadata(Some("main"), schema.table, id)?;
    Ok(is_autoincrement)
}

fn largest_id(connection: &Connection, layout: &TableColumns) -> rusqlite::Result<Option<i64>> {
    let Some(id) = layout.schema.id() else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT max(t.{id}) FROM {} WHERE typeof(t.{id}) = 'integer'",
        layout.table_clause()
    );
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Whether the database has SQLite's `sqlite_sequence` table. An object that merely has the name is
/// corruption, which would make SQLite's next insert fail.
fn keeps_sequences(connection: &Connection) -> rusqlite::Result<bool> {
    const TABLE: &str = "sqlite_sequence";
    match columns_of_table(connection, TABLE)?.as_deref() {
        Some([name, seq]) if name == "name" && seq == "seq" => Ok(true),
        None if !is_in_schema(connection, TABLE)? => Ok(false),
        _ => Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_CORRUPT_SEQUENCE),
            Some(format!("{TABLE} is not SQLite's own table")),
        )),
    }
}

/// The columns of an ordinary table, `None` if it does not exist. Views are excluded: inspecting
/// one may take forever.
pub(crate) fn columns_of_table(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Option<Vec<String>>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.name FROM pragma_table_list(?1) AS t, pragma_table_xinfo(?1, 'main') AS c
         WHERE t.schema = 'main' AND t.type = 'table'",
    )?;
    let names = statement.query_map([table], |row| row.get_ref(0).map(shown_name))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    Ok((!names.is_empty()).then_some(names))
}
