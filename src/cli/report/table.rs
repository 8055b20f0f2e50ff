//! Tables for terminals.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes a label and its value, aligned with the other labels. Further lines of the same value
/// have an empty label.
pub(in crate::cli) fn write_fact(
    out: &mut dyn Write,
    label: &str,
    fact: &dyn Display,
) -> io::Result<()> {
    writeln!(out, "{label:<13}  {fact}")
}

/// Writes rows under a heading: the first column left-aligned, the others, which are numbers,
/// right-aligned.
pub(in crate::cli) fn write_table(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
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
