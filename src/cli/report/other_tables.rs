//! Tables of a database that are not copied, and missing tables.

use std::cmp::Reverse;
use std::io;

use chunkmigrate::migrate::UncopiedTable;
use chunkmigrate::record::RecordKind;

use crate::cli::report::pluralize::count_of;
use crate::cli::report::table::write_fact;
use crate::cli::term::output::Output;
use crate::cli::term::terminal_escape::escaped;

/// Maximum number of tables to name in one line.
const NAMED: usize = 3;

/// Writes which tables there are in addition to those of records: the largest in one line, and a line
/// for each that can't be carried or counted; with `--verbose` for every one. If they could be carried,
/// `copied` is the number of rows that were.
pub(crate) fn write_tables(
    out: &mut Output<'_>,
    tables: &[UncopiedTable],
    copied: Option<u64>,
) -> io::Result<()> {
    let mut by_size: Vec<&UncopiedTable> = tables.iter().collect();
    by_size.sort_by_key(|table| Reverse(table.rows));
    let (named, others) = by_size.split_at(by_size.len().min(NAMED));
    let names: Vec<_> = named.iter().map(|table| escaped(&table.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut text = names.join(", ");
    if !others.is_empty() {
        text.push_str(&format!(" and {} more", others.len()));
    }
    let rows: u64 = tables.iter().filter_map(|table| table.rows).sum();
    text.push_str(&format!(" ({}", count_of(rows, "row", "rows")));
    match copied.filter(|_| rows > 0) {
        Some(copied) => {
            let share = match rows.saturating_mul(100) / rows.saturating_add(copied) {
                0 => "less than 1".to_owned(),
                share => share.to_string(),
            };
            text.push_str(&format!(", {share} % of all): not copied; --tables all carries them"));
        }
        None => text.push(')'),
    }
    let is_listed =
        |table: &&UncopiedTable| out.is_verbose() || table.reason.is_some() || table.rows.is_none();
    let listed: Vec<_> = tables.iter().filter(is_listed).collect();
    if !others.is_empty() && listed.len() < tables.len() {
        text.push_str(if text.ends_with(')') { "; -v lists all" } else { ", -v lists all" });
    }
    write_fact(out, "other tables", &text)?;
    for table in listed {
        let rows = match table.rows {
            Some(rows) => count_of(rows, "row", "rows"),
            None => "rows cannot be counted".to_owned(),
        };
        let name = escaped(&table.name);
        match &table.reason {
            Some(reason) => write_fact(out, "", &format_args!("{name}: {}", escaped(reason)))?,
            None => write_fact(out, "", &format_args!("{name} ({rows})"))?,
        }
    }
    Ok(())
}

/// Writes that a store lacks the table of a kind.
pub(crate) fn write_missing_table(out: &mut Output<'_>, kind: RecordKind) -> io::Result<()> {
    let table = kind.table();
    write_fact(out, "missing", &format_args!("{table}: table not present (0 records)"))
}
