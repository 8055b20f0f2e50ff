//! The comparisons: counts of each kind of record, and a bar chart of them.

use std::io;

use chunkmigrate::record::KindSet;
use chunkmigrate::verify::KindCounts;
use chunkmigrate::verify::{Leg, StoreLabel};

use super::markup::Html;
use crate::cli::report::pluralize::{closed, plural, store_name};
use crate::cli::report::verify_outcome::{Column, columns, total};

/// The length of a bar in units.
const BAR: u64 = 1000;

/// Writes the counts of one comparison.
pub(super) fn write_leg(html: &mut Html<'_>, leg: &Leg, only: KindSet) -> io::Result<()> {
    let total = total(&leg.comparison);
    let columns = columns(&leg.comparison);
    html.markup("<table class=\"kinds\">\n<caption>")?;
    write_store(html, "left", &leg.left)?;
    write_store(html, "right", &leg.right)?;
    html.markup("</caption>\n<thead><tr><th scope=\"col\">kind</th>")?;
    for column in &columns {
        html.markup("<th scope=\"col\" class=\"")?;
        html.markup(column.class)?;
        html.markup("\">")?;
        html.markup(column.label)?;
        html.markup("</th>")?;
    }
    html.markup("</tr></thead>\n")?;
    for (kind, counts) in leg.comparison.kinds.iter() {
        if only.contains(kind) {
            write_kind(html, kind.name(), counts, &columns)?;
        }
    }
    write_kind(html, "total", &total, &columns)?;
    html.markup("</table>\n")?;
    match leg.comparison.unknown_keys {
        0 => Ok(()),
        keys => {
            html.markup("<p>")?;
            html.number(keys)?;
            html.markup(plural(keys, " unknown key</p>\n", " unknown keys</p>\n"))
        }
    }
}

fn write_store(html: &mut Html<'_>, side: &'static str, store: &StoreLabel) -> io::Result<()> {
    html.markup("<span class=\"store\"><small>")?;
    html.markup(side)?;
    html.markup("</small> <b>")?;
    html.path(&store.path)?;
    html.markup("</b> (")?;
    html.markup(store_name(store.store))?;
    html.markup(closed(store.closed_cleanly))?;
    html.markup(")</span> ")
}

/// Writes the numbers of a kind, and its bar below.
fn write_kind(
    html: &mut Html<'_>,
    name: &'static str,
    counts: &KindCounts,
    columns: &[&Column],
) -> io::Result<()> {
    html.markup("<tbody class=\"")?;
    html.markup(name)?;
    html.markup("\">\n<tr><th scope=\"row\">")?;
    html.markup(name)?;
    html.markup("</th>")?;
    for column in columns {
        let count = (column.count)(counts);
        html.markup("<td class=\"")?;
        html.markup(column.class)?;
        html.markup(if count == 0 { " zero" } else { "" })?;
        html.markup("\" data-label=\"")?;
        html.markup(column.label)?;
        html.markup("\">")?;
        html.number(count)?;
        html.markup("</td>")?;
    }
    html.markup("</tr>\n")?;
    write_bar(html, counts, columns)?;
    html.markup("</tbody>\n")
}

fn write_bar(html: &mut Html<'_>, counts: &KindCounts, columns: &[&Column]) -> io::Result<()> {
    let parts = columns.iter().filter(|column| column.class != "side");
    let parts = parts.map(|column| (column.class, (column.count)(counts)));
    let parts: Vec<_> = parts.filter(|(_, count)| *count > 0).collect();
    let all: u64 = parts.iter().map(|(_, count)| count).sum();
    // Hidden from screen readers: the row above has the numbers.
    html.markup("<tr class=\"bar\" aria-hidden=\"true\"><td colspan=\"")?;
    html.plain_number(1 + columns.len() as u64)?;
    html.markup("\"><div>")?;
    for (class, count) in parts {
        html.markup("<span class=\"")?;
        html.markup(class)?;
        html.markup("\" style=\"flex-grow:")?;
        let part = u128::from(count) * u128::from(BAR) / u128::from(all);
        html.plain_number(u64::try_from(part).unwrap_or(BAR).max(1))?;
        html.markup("\"></span>")?;
    }
    html.markup("</div></td></tr>\n")
}
