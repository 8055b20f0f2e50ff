//! Tables for terminals.

use std::fmt::Display;
use std::io::{self, Write};
use std::iter::once;

use indicatif::HumanCount;

use crate::cli::term::output::{NO_BREAK, Output};

/// Writes a label and its value, aligned with the other labels. Further lines of the same value
/// have an empty label.
pub(crate) fn write_fact(out: &mut Output<'_>, label: &str, fact: &dyn Display) -> io::Result<()> {
    out.paragraph(&format_args!("{label:<13}  {fact}"), &" ".repeat(15))
}

/// Writes a table with numbers for each kind of record, and their total.
pub(crate) fn write_kinds(
    out: &mut Output<'_>,
    columns: &[&str],
    kinds: impl IntoIterator<Item = (String, Vec<u64>)>,
) -> io::Result<()> {
    let row = |name: &str, numbers: &[u64]| {
        let cells = numbers.iter().map(|number| HumanCount(*number).to_string());
        once(name.to_owned()).chain(cells).collect()
    };
    let heading = once(&"kind").chain(columns);
    let mut rows = vec![heading.map(|name| (*name).to_owned()).collect()];
    let mut total = vec![0; columns.len()];
    for (kind, numbers) in kinds {
        rows.push(row(&kind, &numbers));
        for (sum, number) in total.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
    rows.push(row("total", &total));
    write_table(out, &rows)
}

/// Writes rows under a heading: the first column left-aligned, the others, which are numbers,
/// right-aligned.
pub(crate) fn write_table(out: &mut Output<'_>, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    if !out.fits(widths.iter().map(|width| 2 + width).sum()) {
        return write_list(out, rows);
    }
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<String> = cells
            .map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        writeln!(out, "  {}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Writes a table that is too wide as a list of the numbers other than zero.
fn write_list(out: &mut Output<'_>, rows: &[Vec<String>]) -> io::Result<()> {
    let Some((heading, rows)) = rows.split_first() else {
        return Ok(());
    };
    for row in rows {
        let mut cells = row.iter().zip(heading);
        let name = cells.next().map_or("", |(name, _)| name);
        let cells = cells.filter(|(number, _)| !number.is_empty() && *number != "0");
        // A label stays beside its number.
        let cells = cells.map(|(number, label)| format!("{label} {number}"));
        let cells: Vec<_> = cells.map(|cell| cell.replace(' ', &NO_BREAK.to_string())).collect();
        let numbers = match cells.is_empty() {
            true => "none".to_owned(),
            false => cells.join(", "),
        };
        out.paragraph(&format_args!("  {name}: {numbers}"), "    ")?;
    }
    Ok(())
}
