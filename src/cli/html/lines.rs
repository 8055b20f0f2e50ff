//! Lines of two texts side by side, with highlighted differences.

use chunkmigrate::verify::Side;
use maud::{Markup, html};

use super::code_points::code_points;
use super::diff::{Line, Row};
use super::markup::{Page, Text, number};
use super::parts::Part;
use crate::cli::report::pluralize::plural;
use crate::cli::report::text_diff::floor;

/// Adds the rows of a table with four columns: a number and a line for each side. There is nothing
/// between the tags, because a browser makes a node of a line break.
pub(super) fn add_rows(page: &mut Page, rows: &[Row<'_>], room: usize) {
    for (nth, row) in rows.iter().enumerate() {
        if page.is_full() {
            let rest = rows.iter().skip(nth);
            let more = rest.filter(|row| matches!(row, Row::Differs(..))).count();
            page.add(&between(&html! {
                "the page is full: " (number(more as u64)) " more different rows"
            }));
            return;
        }
        page.add(&row_of(row, room));
    }
}

fn row_of(row: &Row<'_>, room: usize) -> Markup {
    match row {
        Row::Same(left, right, text) => {
            let text = parts(Side::Left, &[Part::Shared(text)], room);
            html! {
                tr { td { (left) } td { (text) } td { (right) } td { (text) } }
            }
        }
        Row::Differs(left, right) => {
            let pair = left.as_ref().zip(right.as_ref());
            let points = pair.and_then(|(left, right)| code_points(&left.parts, &right.parts));
            html! {
                tr class=(if pair.is_some() { "x" } else { "x alone" }) {
                    (line(Side::Left, left.as_ref(), room))
                    (line(Side::Right, right.as_ref(), room))
                }
                @if let Some(points) = points { (between(&points)) }
            }
        }
        Row::Skipped(lines) => between(&html! {
            (number(*lines as u64)) (plural(*lines as u64, " equal line", " equal lines"))
        }),
        Row::NotCompared(left, right) => between(&html! {
            "not compared on this page: " (number(*left as u64)) " more bytes on the left, "
            (number(*right as u64)) " on the right"
        }),
    }
}

/// A row that says something about the lines.
fn between(text: &Markup) -> Markup {
    html! { tr.between { td colspan="4" { (text) } } }
}

fn line(side: Side, line: Option<&Line<'_>>, room: usize) -> Markup {
    html! {
        @match line {
            Some(line) => { td { (line.number) } td { (parts(side, &line.parts, room)) } }
            None => { td {} td {} }
        }
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
                (Part::Differs(text), Side::Left) => { del { (with_spaces(text, shown)) } }
                (Part::Differs(text), Side::Right) => { ins { (with_spaces(text, shown)) } }
            }
        }
    }
}

/// As [`ends`], with the spaces at the start and the end made visible.
fn with_spaces(text: &str, shown: (usize, usize)) -> Markup {
    let (head, rest) = text.split_at(text.len() - text.trim_start_matches(' ').len());
    let (middle, tail) = rest.split_at(rest.trim_end_matches(' ').len());
    html! {
        @if !head.is_empty() { span.spaces { (ends(head, shown)) } }
        (ends(middle, shown))
        @if !tail.is_empty() { span.spaces { (ends(tail, shown)) } }
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
