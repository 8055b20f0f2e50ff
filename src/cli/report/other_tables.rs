//! Tables of a database that are not copied, and missing tables.

use std::io::{self, Write};

use chunkmigrate::migrate::UncopiedTable;
use chunkmigrate::record::RecordKind;

use crate::cli::report::pluralize::{count_of, plural};
use crate::cli::report::table::write_fact;
use crate::cli::term::terminal_escape::escaped;

/// Writes one line for each nonempty table, and one for all empty ones. The label is in front of
/// the first line.
pub(crate) fn write_tables(
    out: &mut dyn Write,
    label: &str,
    tables: &[UncopiedTable],
) -> io::Result<()> {
    let (empty, full): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.rows == Some(0));
    let mut label = label;
    for table in full {
        let rows = match table.rows {
            Some(rows) => count_of(rows, "row", "rows"),
            None => "rows cannot be counted".to_owned(),
        };
        let name = escaped(&table.name);
        match &table.reason {
            Some(reason) => write_fact(out, label, &format_args!("{name}: {}", escaped(reason)))?,
            None => write_fact(out, label, &format_args!("{name} ({rows})"))?,
        }
        label = "";
    }
    let names: Vec<_> = empty.iter().map(|table| escaped(&table.name)).collect();
    match names.len() {
        0 => Ok(()),
        count => {
            let tables = plural(count as u64, "table", "tables");
            let names = names.join(", ");
            write_fact(out, label, &format_args!("{count} empty {tables}: {names}"))
        }
    }
}

/// Writes how much of a database is in tables that are not copied, and how to carry them.
pub(crate) fn write_share(
    out: &mut dyn Write,
    tables: &[UncopiedTable],
    copied: u64,
) -> io::Result<()> {
    let left: u64 = tables.iter().filter_map(|table| table.rows).sum();
    if left == 0 {
        return Ok(());
    }
    let share = left.saturating_mul(100) / left.saturating_add(copied);
    let share = if share == 0 { "less than 1".to_owned() } else { share.to_string() };
    let text = format_args!("{share} % of all rows are not copied; --tables all carries them");
    write_fact(out, "", &text)
}

/// Writes that a store lacks the table of a kind.
pub(crate) fn write_missing_table(out: &mut dyn Write, kind: RecordKind) -> io::Result<()> {
    let table = kind.table();
    write_fact(out, "missing", &format_args!("{table}: table not present (0 records)"))
}
