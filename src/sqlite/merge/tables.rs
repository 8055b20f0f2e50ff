//! Merges rows into tables of any shape.

use std::collections::BTreeMap;

use rusqlite::{Connection, params_from_iter};

use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::sqlite::merge::SqliteMerge;
use crate::sqlite::schema::quoted;
use crate::sqlite::tables::row_inserter::{RowInserter, insert_statement};
use crate::table::{Cell, Row, TableSchema, read_row, rowid_name};

/// Calls its argument for each row to be written.
type VisitRows<'v> = dyn FnMut(&mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> + 'v;

impl SqliteMerge {
    /// Deletes the rows that new ones replace. If all are deleted before the first is inserted, two
    /// rows can swap a unique value.
    pub(crate) fn delete_rows(&self, table: &TableSchema, visit: &mut VisitRows<'_>) -> Result<()> {
        visit(&mut |entry| {
            let row = row_of(table, entry)?;
            let key: Vec<&Cell<'_>> =
                table.key.iter().filter_map(|place| row.cells.get(*place)).collect();
            let sql = delete_statement(table, |place| is_cast(&row, place));
            self.sql(|connection| {
                connection.prepare_cached(&sql)?.execute(params_from_iter(key)).map(drop)
            })
        })
    }

    /// Inserts rows; calls `reject` with each that the table can't have, and the reason.
    pub(crate) fn insert_rows(
        &self,
        table: &TableSchema,
        visit: &mut VisitRows<'_>,
        reject: &mut dyn FnMut(Entry<'_>, &str) -> Result<()>,
    ) -> Result<()> {
        let mut inserter = RowInserter::new(&self.connection, table).map_err(self.failed())?;
        visit(&mut |entry| {
            let why = inserter.insert(&row_of(table, entry)?).map_err(self.failed())?;
            why.map_or(Ok(()), |why| reject(entry, &why))
        })
    }

    /// Raises the sequences of tables.
    pub(crate) fn set_sequences_of_tables(&self, sequences: &[(String, i64)]) -> Result<()> {
        self.sql(|connection| {
            if !connection.table_exists(Some("main"), "sqlite_sequence")? {
                return Ok(());
            }
            for (name, sequence) in sequences {
                let update = "UPDATE main.sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
                if connection.execute(update, (name, sequence))? == 0 {
                    let insert = "INSERT INTO main.sqlite_sequence (name, seq) VALUES (?1, ?2)";
                    connection.execute(insert, (name, sequence))?;
                }
            }
            Ok(())
        })
    }

    /// The number of rows that refer to a missing row, by table: those that are written, and those
    /// that refer to one of these.
    pub(crate) fn missing_parents(
        &self,
        written: &[&TableSchema],
    ) -> Result<BTreeMap<String, u64>> {
        self.sql(|connection| {
            let mut missing = BTreeMap::new();
            for child in referring_tables(connection)? {
                let is_child = |table: &&TableSchema| {
                    let is = |name: &str| name.eq_ignore_ascii_case(&table.name);
                    is(&child.name) || child.parents.iter().any(|parent| is(parent))
                };
                if written.iter().any(is_child) {
                    let sql = "SELECT count(*) FROM pragma_foreign_key_check(?1, 'main')";
                    let rows = connection.query_row(sql, [&child.name], |row| row.get(0))?;
                    missing.insert(child.name, rows);
                }
            }
            Ok(missing)
        })
    }
}

/// A table with foreign keys.
struct Child {
    name: String,
    parents: Vec<String>,
}

fn referring_tables(connection: &Connection) -> rusqlite::Result<Vec<Child>> {
    let sql = "SELECT m.name, f.\"table\"
        FROM main.sqlite_schema AS m, pragma_foreign_key_list(m.name, 'main') AS f
        WHERE m.type = 'table' AND m.rootpage > 0 ORDER BY m.name";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut children: Vec<Child> = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, parent): (String, String) = (row.get(0)?, row.get(1)?);
        match children.last_mut().filter(|child| child.name == name) {
            Some(child) => child.parents.push(parent),
            None => children.push(Child { name, parents: vec![parent] }),
        }
    }
    Ok(children)
}

/// The statements that write a table.
pub(super) fn statements_of(table: &TableSchema) -> [String; 2] {
    let rowid = rowid_name(table).filter(|_| table.rowid);
    [delete_statement(table, |_| false), insert_statement(table, rowid, &[])]
}

/// SQL that deletes the row with a key. The index of the key may regard other values as equal, by
/// its collation or because numbers of two types are; such a row stays.
fn delete_statement(table: &TableSchema, is_cast: impl Fn(usize) -> bool) -> String {
    let columns = table.key.iter().filter_map(|place| Some((*place, table.columns.get(*place)?)));
    let conditions = columns.zip(1..).map(|((place, column), parameter)| {
        let column = quoted(column);
        let value = match is_cast(place) {
            true => format!("CAST(?{parameter} AS TEXT)"),
            false => format!("?{parameter}"),
        };
        format!(
            "{column} IS {value} AND {column} IS {value} COLLATE BINARY \
             AND typeof({column}) = typeof({value})"
        )
    });
    let conditions: Vec<_> = conditions.collect();
    format!("DELETE FROM main.{} WHERE {}", quoted(&table.name), conditions.join(" AND "))
}

fn is_cast(row: &Row<'_>, place: usize) -> bool {
    matches!(row.cells.get(place), Some(Cell::IllFormedText(_)))
}

fn row_of<'v>(table: &TableSchema, entry: Entry<'v>) -> Result<Row<'v>> {
    read_row(table, entry.value).map_err(|error| Error::Internal(error.to_string()))
}
