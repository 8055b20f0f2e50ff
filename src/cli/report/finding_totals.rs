//! Number of findings by class and kind.

use std::io::{self, Write};

use chunkmigrate::verify::FindingCounts;
use indicatif::HumanCount;

use crate::cli::report::table::write_table;

/// Writes a table of the counts and a blank line, unless all findings are shown and have the same
/// class and kind.
pub(crate) fn write_totals(
    out: &mut dyn Write,
    counts: &FindingCounts,
    shown: usize,
) -> io::Result<()> {
    let is_one = counts.iter().count() <= 1;
    if is_one && counts.total() == shown as u64 {
        return Ok(());
    }
    let heading = ["finding", "divergences", "warnings"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut row = |name: String, divergences: u64, warnings: u64| {
        let number = |count: u64| match count {
            0 => String::new(),
            _ => HumanCount(count).to_string(),
        };
        rows.push(vec![name, number(divergences), number(warnings)]);
    };
    for (class, kind, count) in counts.iter() {
        let name = match kind {
            Some(kind) => format!("{class} ({kind})"),
            None => class.to_string(),
        };
        match class.is_warning() {
            true => row(name, 0, count),
            false => row(name, count, 0),
        }
    }
    row("total".to_owned(), counts.divergences(), counts.warnings());
    write_table(out, &rows)?;
    writeln!(out)
}
