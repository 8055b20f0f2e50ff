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
        write_fact(out, label, &format_args!("{name} ({rows})"))?;
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

/// Writes that a store lacks the table of a kind.
pub(crate) fn write_missing_table(out: &mut dyn Write, kind: RecordKind) -> io::Result<()> {
    let table = kind.table();
    write_fact(out, "missing", &format_args!("{table}: table not present (0 records)"))
}
