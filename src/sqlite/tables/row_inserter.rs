//! Inserts carried rows exactly as they were read.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, Result, Statement};

use super::columns::{affinities, rowid_name};
use crate::sqlite::affinity::Affinity;
use crate::sqlite::schema::quoted;
use crate::table::{Cell, Row, TableSchema};

/// Statements with casts at different places that are kept for one table.
const MAX_KEPT: usize = 16;

/// Inserts rows into one table.
#[derive(Debug)]
pub(crate) struct RowInserter<'c> {
    connection: &'c Connection,
    table: TableSchema,
    rowid_name: Option<&'static str>,
    /// Of each column.
    affinities: Vec<Affinity>,
    statement: Statement<'c>,
    /// The statements for rows with text that is not well-formed, and the places of this text.
    with_casts: Vec<(Vec<usize>, Statement<'c>)>,
}

impl<'c> RowInserter<'c> {
    /// # Errors
    /// The table does not exist or has other columns.
    pub(crate) fn new(connection: &'c Connection, table: &TableSchema) -> Result<Self> {
        let rowid_name = match table.rowid {
            true => rowid_name(connection, &table.name)?,
            false => None,
        };
        Ok(RowInserter {
            connection,
            table: table.clone(),
            rowid_name,
            affinities: affinities(connection, &table.name)?,
            statement: connection.prepare(&insert_statement(table, rowid_name, &[]))?,
            with_casts: Vec::new(),
        })
    }

    /// Inserts a row, or returns why the table can't have it as it is: it violates a constraint, or
    /// a value would be converted.
    ///
    /// # Errors
    /// The row has another shape than the table, or the database can't be written.
    pub(crate) fn insert(&mut self, row: &Row<'_>) -> Result<Option<String>> {
        let given = row.cells.len() + usize::from(row.rowid.is_some());
        let expected = self.table.columns.len() + usize::from(self.rowid_name.is_some());
        if given != expected || row.rowid.is_some() != self.rowid_name.is_some() {
            return Err(Error::InvalidParameterCount(given, expected));
        }
        if let Some(column) = self.converting_column(row) {
            return Ok(Some(format!("the column {column} would convert its value")));
        }
        let statement = match row.cells.iter().any(is_ill_formed) {
            true => self.with_casts(&row.cells)?,
            false => &mut self.statement,
        };
        let mut parameter = 0;
        if let Some(rowid) = row.rowid {
            parameter += 1;
            statement.raw_bind_parameter(parameter, rowid)?;
        }
        for cell in &row.cells {
            parameter += 1;
            statement.raw_bind_parameter(parameter, cell)?;
        }
        match statement.raw_execute() {
            Ok(_) => Ok(None),
            Err(error) if is_refusal(&error) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// The first column that would not store its value unchanged.
    fn converting_column(&self, row: &Row<'_>) -> Option<&str> {
        let mut cells = row.cells.iter().zip(&self.affinities);
        let place = cells.position(|(cell, affinity)| !affinity.keeps_cell(cell))?;
        self.table.columns.get(place).map(String::as_str)
    }

    fn with_casts(&mut self, cells: &[Cell<'_>]) -> Result<&mut Statement<'c>> {
        let is_cast = |place: &usize| cells.get(*place).is_some_and(is_ill_formed);
        let casts: Vec<usize> = (0..cells.len()).filter(is_cast).collect();
        let known = self.with_casts.iter().position(|(places, _)| *places == casts);
        match known {
            Some(known) => self.with_casts.swap(0, known),
            None => {
                let sql = insert_statement(&self.table, self.rowid_name, &casts);
                let statement = self.connection.prepare(&sql)?;
                self.with_casts.truncate(MAX_KEPT - 1);
                self.with_casts.insert(0, (casts, statement));
            }
        }
        let first = self.with_casts.first_mut();
        first.map(|(_, statement)| statement).ok_or(Error::QueryReturnedNoRows)
    }
}

/// SQL that inserts a row with the columns in order, after the rowid if it has a name. The parameters
/// at `casts` are bytes that become text. Overrides the conflict clauses of the table.
pub(crate) fn insert_statement(
    table: &TableSchema,
    rowid_name: Option<&str>,
    casts: &[usize],
) -> String {
    let rowid = rowid_name.map(|name| (quoted(name), "?"));
    let columns = table.columns.iter().enumerate().map(|(place, column)| {
        let value = if casts.contains(&place) { "CAST(? AS TEXT)" } else { "?" };
        (quoted(column), value)
    });
    let (names, values): (Vec<_>, Vec<_>) = rowid.into_iter().chain(columns).unzip();
    format!(
        "INSERT OR ABORT INTO main.{} ({}) VALUES ({})",
        quoted(&table.name),
        names.join(", "),
        values.join(", "),
    )
}

/// Whether an error concerns a row and not the database.
pub(crate) fn is_refusal(error: &Error) -> bool {
    use ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch))
}

fn is_ill_formed(cell: &Cell<'_>) -> bool {
    matches!(cell, Cell::IllFormedText(_))
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Integer(integer) => ValueRef::Integer(*integer),
            Cell::Real(real) => ValueRef::Real(*real),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::IllFormedText(bytes) | Cell::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
