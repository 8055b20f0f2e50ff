//! A look over a table before it is read: how much there is, and whether all of it is understood.

use std::path::Path;

use rusqlite::Connection;

use super::error::SqliteError;
use super::inventory;
use super::layout::TableLayout;
use super::open::reading;
use super::options::SqliteSnapshotOptions;
use super::schema::quoted;
use crate::error::Result;
use crate::record::PerKind;

/// What a table holds, before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableSurvey {
    /// Number of rows.
    pub rows: u64,
    /// Bytes of all text that records keep.
    pub text_bytes: u64,
    /// Bytes of the text that is part of keys.
    pub key_bytes: u64,
    /// Whether ids are the row ids, of which SQLite has no two.
    pub(super) ids_are_unique: bool,
}

/// What field names and numbers add to a record's text, in bytes.
const RECORD_FRAME_BYTES: u64 = 100;
/// What a row adds to its key in SQLite's sorter, in bytes.
const SORTER_ROW_BYTES: u64 = 24;
/// What SQLite sorts in memory before it writes to a temporary file, in bytes.
const SORTED_IN_MEMORY: u64 = 2 << 20;

impl TableSurvey {
    /// About how many bytes of keys and values the table becomes.
    pub(crate) fn expected_bytes(&self) -> u64 {
        self.text_bytes + self.key_bytes + self.rows * RECORD_FRAME_BYTES
    }

    /// How many bytes of temporary files sorting the keys takes at least.
    pub(crate) fn sorting_bytes(&self) -> u64 {
        match self.key_bytes + self.rows * SORTER_ROW_BYTES {
            0..=SORTED_IN_MEMORY => 0,
            bytes => bytes,
        }
    }
}

/// Looks at every row of a table once, without its long values.
pub(super) fn survey(
    connection: &Connection,
    path: &Path,
    layout: &TableLayout,
    options: &SqliteSnapshotOptions,
) -> Result<TableSurvey> {
    let table = layout.spec.name;
    let (text, key) = layout.size_expressions();
    let ids_differ = match layout.spec.id {
        Some(id) => format!("t.{id} IS NOT t.{}", layout.rowid),
        None => "0".to_owned(),
    };
    let left_out = |column: &&String| {
        let columns = &options.without_columns;
        options.ignore_unknown_columns || columns.iter().any(|w| names(w, table, column))
    };
    let unknown: Vec<&String> = layout.unknown.iter().filter(|c| !left_out(c)).collect();
    let counts: String = unknown
        .iter()
        .map(|column| format!(", count(t.{})", quoted(column)))
        .collect();
    let sql = format!(
        "SELECT count(*), total({text}), total({key}), ifnull(max({ids_differ}), 0){counts} FROM {}",
        layout.table_clause()
    );
    let (survey, counts) = connection
        .query_row(&sql, [], |row| {
            let survey = TableSurvey {
                rows: row.get(0)?,
                text_bytes: row.get::<_, f64>(1)? as u64,
                key_bytes: row.get::<_, f64>(2)? as u64,
                ids_are_unique: !row.get::<_, bool>(3)?,
            };
            let counts = (0..unknown.len()).map(|index| row.get(4 + index));
            Ok((survey, counts.collect::<Result<Vec<u64>, _>>()?))
        })
        .map_err(reading(path))?;
    let with_values = unknown.iter().zip(counts).filter(|(_, rows)| *rows > 0);
    let columns: Vec<String> = with_values.map(|(column, _)| (*column).clone()).collect();
    if !columns.is_empty() {
        return Err(SqliteError::UnknownColumns {
            path: path.to_owned(),
            table,
            columns,
        }
        .into());
    }
    let by_index = inventory::count_rows(connection, table).map_err(reading(path))?;
    if by_index != survey.rows {
        return Err(SqliteError::Damaged {
            path: path.to_owned(),
            detail: format!(
                "{table} has {} rows, but one of its indexes has {by_index}",
                survey.rows
            ),
        }
        .into());
    }
    Ok(survey)
}

pub(super) fn check_without_columns(
    path: &Path,
    tables: &PerKind<Option<TableLayout>>,
    without_columns: &[String],
) -> Result<()> {
    for wanted in without_columns {
        let has = |known: bool| {
            tables.iter().any(|(_, layout)| {
                layout.as_ref().is_some_and(|layout| {
                    let table = layout.spec.name;
                    match known {
                        true => layout
                            .spec
                            .columns
                            .iter()
                            .any(|column| names(wanted, table, column.name)),
                        false => layout.unknown.iter().any(|c| names(wanted, table, c)),
                    }
                })
            })
        };
        let why = match (has(true), has(false)) {
            (true, _) => "records are made of it",
            (_, true) => continue,
            _ => "the tables to copy have no such column",
        };
        return Err(SqliteError::WithoutColumn {
            path: path.to_owned(),
            column: wanted.clone(),
            why,
        }
        .into());
    }
    Ok(())
}

/// Whether `TABLE.COLUMN` names a column.
fn names(wanted: &str, table: &str, column: &str) -> bool {
    wanted
        .split_once('.')
        .is_some_and(|(t, c)| t.eq_ignore_ascii_case(table) && c.eq_ignore_ascii_case(column))
}
