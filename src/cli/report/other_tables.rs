//! Tables that a copy leaves alone.

use std::io::{self, Write};

use chunkmigrate::migrate::UncopiedTable;
use serde::Serialize;

use crate::cli::report::pluralize::{count_of, plural};
use crate::cli::term::terminal_escape::escaped;

/// Writes one line for each table that holds something, and one for all that are empty. The label
/// stands before the first.
pub(in crate::cli) fn write_tables(
    out: &mut dyn Write,
    label: &str,
    tables: &[UncopiedTable],
) -> io::Result<()> {
    let (empty, full): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.rows == Some(0));
    let blank = " ".repeat(label.len());
    let mut label = label;
    for table in full {
        let rows = match table.rows {
            Some(rows) => count_of(rows, "row", "rows"),
            None => "rows can't be counted".to_owned(),
        };
        writeln!(out, "{label}{} ({rows})", escaped(&table.name))?;
        label = &blank;
    }
    let names: Vec<_> = empty.iter().map(|table| escaped(&table.name)).collect();
    match names.len() {
        0 => Ok(()),
        count => writeln!(
            out,
            "{label}{count} empty {}: {}",
            plural(count as u64, "table", "tables"),
            names.join(", ")
        ),
    }
}

/// A table for programs; `rows` is null where they can't be counted.
#[derive(Serialize)]
pub(in crate::cli) struct TableDocument<'t> {
    table: &'t str,
    rows: Option<u64>,
}

impl<'t> TableDocument<'t> {
    pub(in crate::cli) fn new(table: &'t UncopiedTable) -> Self {
        TableDocument {
            table: &table.name,
            rows: table.rows,
        }
    }
}
