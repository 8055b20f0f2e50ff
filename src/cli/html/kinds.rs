//! The comparisons: counts of each kind of record, and a bar chart of them.

use chunkmigrate::record::RecordKind;
use chunkmigrate::verify::{Comparison, KindCounts, StoreLabel};
use maud::{Markup, html};

use super::markup::{Text, number};
use crate::cli::report::pluralize::{closed, plural, store_name};
use crate::cli::report::verify_outcome::{Column, columns, shown_kinds, total};

/// The length of a bar in units.
const BAR: u64 = 1000;

/// The counts of one comparison.
pub(super) fn counts_of_leg(leg: &Comparison) -> Markup {
    let columns = columns(leg);
    html! {
        table.kinds {
            "\n" caption { (store("left", &leg.left)) (store("right", &leg.right)) }
            "\n" thead { tr {
                th scope="col" { "kind" }
                @for column in &columns { th scope="col" class=(column.class) { (column.label) } }
            } } "\n"
            @for kind in shown_kinds(leg) {
                @let name = kind.kind.to_string();
                @let class = kind.kind.record().map_or("table", RecordKind::name);
                (counts_of_kind(class, &name, &kind.counts, &columns))
            }
            (counts_of_kind("total", "total", &total(leg), &columns))
        } "\n"
        @if leg.unknown_keys > 0 {
            @let keys = leg.unknown_keys;
            p { (number(keys)) (plural(keys, " unknown key", " unknown keys")) } "\n"
        }
    }
}

fn store(side: &str, store: &StoreLabel) -> Markup {
    html! {
        span.store {
            small { (side) } " " b { (Text(store.path.to_string_lossy())) }
            " (" (store_name(store.store)) (closed(store.closed_cleanly)) ")"
        } " "
    }
}

/// The numbers of a kind, and their bar below.
fn counts_of_kind(class: &str, name: &str, counts: &KindCounts, columns: &[&Column]) -> Markup {
    html! {
        tbody class=(class) {
            "\n" tr {
                th scope="row" { (Text(name)) }
                @for column in columns {
                    @let count = (column.count)(counts);
                    @let zero = if count == 0 { " zero" } else { "" };
                    td class={ (column.class) (zero) } data-label=(column.label) { (number(count)) }
                }
            } "\n"
            // Hidden from screen readers: the row above has the numbers.
            tr.bar aria-hidden="true" {
                td colspan=(1 + columns.len()) { div { (bar(counts, columns)) } }
            } "\n"
        } "\n"
    }
}

fn bar(counts: &KindCounts, columns: &[&Column]) -> Markup {
    let parts = columns.iter().filter(|column| column.class != "side");
    let parts = parts.map(|column| (column.class, (column.count)(counts)));
    let parts: Vec<_> = parts.filter(|(_, count)| *count > 0).collect();
    let all: u64 = parts.iter().map(|(_, count)| count).sum();
    let length = |count: u64| {
        let part = u128::from(count) * u128::from(BAR) / u128::from(all);
        u64::try_from(part).unwrap_or(BAR).max(1)
    };
    html! {
        @for (class, count) in parts {
            span class=(class) style={ "flex-grow:" (length(count)) } {}
        }
    }
}
