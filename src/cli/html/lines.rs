//! Lines of two texts side by side, with highlighted differences.

use std::io;

use chunkmigrate::verify::Side;
use maud::{Markup, html};

use super::diff::{Line, Row};
use super::markup::{Page, Text, number};
use super::parts::Part;
use crate::cli::report::pluralize::plural;
use crate::cli::report::text_diff::floor;

/// Writes the rows of a table with four columns: a number and a line for each side.
pub(super) fn write_rows(page: &mut Page<'_>, rows: &[Row<'_>], room: usize) -> io::Result<()> {
    for (nth, row) in rows.iter().enumerate() {
        if page.is_full() {
            let rest = rows.iter().skip(nth);
            let more = rest.filter(|row| matches!(row, Row::Differs(..))).count();
            return page.write(between(html! {
                "the page is full: " (number(more as u64)) " more different rows"
            }));
        }
        page.write(row_of(row, room))?;
    }
    Ok(())
}

fn row_of(row: &Row<'_>, room: usize) -> Markup {
    match row {
        Row::Same(left, right, text) => html! {
            tr.same {
                @for number in [left, right] {
                    (line(Side::Left, None, *number, &[Part::Shared(text)], room))
                }
            } "\n"
        },
        Row::Differs(left, right) => html! {
            tr class=[(left.is_none() || right.is_none()).then_some("alone")] {
                (side_of_row(Side::Left, left.as_ref(), room))
                (side_of_row(Side::Right, right.as_ref(), room))
            } "\n"
        },
        Row::Skipped(lines) => between(html! {
            (number(*lines as u64)) (plural(*lines as u64, " equal line", " equal lines"))
        }),
        Row::NotCompared(left, right) => between(html! {
            "not compared on this page: " (number(*left as u64)) " more bytes on the left, "
            (number(*right as u64)) " on the right"
        }),
    }
}

/// A row that says what is not shown.
fn between(text: Markup) -> Markup {
    html! { tr.between { td colspan="4" { (text) } } "\n" }
}

fn side_of_row(side: Side, shown: Option<&Line<'_>>, room: usize) -> Markup {
    match shown {
        Some(shown) => line(side, Some(side.name()), shown.number, &shown.parts, room),
        None => html! { td.none {} td.none {} },
    }
}

fn line(side: Side, class: Option<&str>, number: usize, line: &[Part<'_>], room: usize) -> Markup {
    html! {
        td.number { (number) }
        td class=[class] { code { (parts(side, line, room)) } }
    }
}

/// A line; if it is too long, only the text around its differences.
pub(super) fn parts(side: Side, parts: &[Part<'_>], room: usize) -> Markup {
    let is_long = parts.iter().map(|part| part.text().len()).sum::<usize>() > room;
    let last = parts.len().saturating_sub(1);
    // Show a tenth of `room` next to a difference, and half of it of the difference itself.
    let (beside, alone) = (room / 10, room / 2);
    let ends_of = |at: usize, part: &Part<'_>| match part {
        _ if !is_long => (usize::MAX, 0),
        Part::Differs(_) => (alone, beside),
        Part::Shared(_) if last == 0 => (alone, beside),
        Part::Shared(_) if at == 0 => (0, beside),
        Part::Shared(_) if at == last => (beside, 0),
        Part::Shared(_) => (beside, beside),
    };
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @let shown = ends_of(at, part);
            @match (part, side) {
                (Part::Shared(text), _) => { (ends(text, shown)) }
                (Part::Differs(text), Side::Left) => { del { (ends(text, shown)) } }
                (Part::Differs(text), Side::Right) => { ins { (ends(text, shown)) } }
            }
        }
    }
}

/// A text, or its start and end and the length omitted in between.
fn ends(text: &str, (head, tail): (usize, usize)) -> Markup {
    let head = floor(text, head);
    let tail = floor(text, text.len().saturating_sub(tail));
    if head >= tail {
        return html! { (Text(text)) };
    }
    html! {
        (Text(text.get(..head).unwrap_or_default()))
        span.gap { "… " (number((tail - head) as u64)) " bytes …" }
        (Text(text.get(tail..).unwrap_or_default()))
    }
}
