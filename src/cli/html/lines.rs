//! Lines of two texts side by side, with highlighted differences.

use std::io;

use chunkmigrate::verify::Side;

use super::diff::{Line, Row};
use super::markup::Html;
use super::parts::Part;
use crate::cli::report::text_diff::floor;

/// Writes the rows of a table with four columns: a number and a line for each side.
pub(super) fn write_rows(html: &mut Html<'_>, rows: &[Row<'_>], room: usize) -> io::Result<()> {
    for (nth, row) in rows.iter().enumerate() {
        if html.is_full() {
            let rest = rows.get(nth..).unwrap_or_default();
            return write_left_out(html, rest);
        }
        match row {
            Row::Same(left, right, line) => {
                html.markup("<tr class=\"same\">")?;
                for number in [left, right] {
                    let parts = [Part::Shared(line)];
                    write_line(html, Side::Left, "<td>", *number, &parts, room)?;
                }
            }
            Row::Differs(left, right) => {
                html.markup(match (left, right) {
                    (Some(_), Some(_)) => "<tr>",
                    _ => "<tr class=\"alone\">",
                })?;
                write_side(html, Side::Left, left.as_ref(), room)?;
                write_side(html, Side::Right, right.as_ref(), room)?;
            }
            Row::Skipped(lines) => {
                html.markup("<tr class=\"between\"><td colspan=\"4\">")?;
                html.number(*lines as u64)?;
                html.markup(match lines {
                    1 => " equal line</td>",
                    _ => " equal lines</td>",
                })?;
            }
            Row::NotCompared(left, right) => {
                html.markup("<tr class=\"between\"><td colspan=\"4\">not compared on this page: ")?;
                html.number(*left as u64)?;
                html.markup(" more bytes on the left, ")?;
                html.number(*right as u64)?;
                html.markup(" on the right</td>")?;
            }
        }
        html.markup("</tr>\n")?;
    }
    Ok(())
}

/// Writes how many rows were omitted for lack of space.
fn write_left_out(html: &mut Html<'_>, rows: &[Row<'_>]) -> io::Result<()> {
    let differs = rows.iter().filter(|row| matches!(row, Row::Differs(..)));
    html.markup("<tr class=\"between\"><td colspan=\"4\">the page is full: ")?;
    html.number(differs.count() as u64)?;
    html.markup(" more different rows</td></tr>\n")
}

fn write_side(
    html: &mut Html<'_>,
    side: Side,
    line: Option<&Line<'_>>,
    room: usize,
) -> io::Result<()> {
    let cell = match side {
        Side::Left => "<td class=\"left\">",
        Side::Right => "<td class=\"right\">",
    };
    match line {
        Some(line) => write_line(html, side, cell, line.number, &line.parts, room),
        None => html.markup("<td class=\"none\"></td><td class=\"none\"></td>"),
    }
}

fn write_line(
    html: &mut Html<'_>,
    side: Side,
    cell: &'static str,
    number: usize,
    parts: &[Part<'_>],
    room: usize,
) -> io::Result<()> {
    html.markup("<td class=\"number\">")?;
    html.plain_number(number as u64)?;
    html.markup("</td>")?;
    html.markup(cell)?;
    html.markup("<code>")?;
    write_parts(html, side, parts, room)?;
    html.markup("</code></td>")
}

/// Writes a line; if it is too long, only the text around its differences.
pub(super) fn write_parts(
    html: &mut Html<'_>,
    side: Side,
    parts: &[Part<'_>],
    room: usize,
) -> io::Result<()> {
    let length = |part: &Part<'_>| match part {
        Part::Shared(text) | Part::Differs(text) => text.len(),
    };
    let is_long = parts.iter().map(length).sum::<usize>() > room;
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter().enumerate() {
        // Show a tenth of `room` next to a difference, and half of it of the difference itself.
        let (beside, alone) = (room / 10, room / 2);
        let (head, tail) = match part {
            _ if !is_long => (usize::MAX, 0),
            Part::Differs(_) => (alone, beside),
            Part::Shared(_) if last == 0 => (alone, beside),
            Part::Shared(_) if at == 0 => (0, beside),
            Part::Shared(_) if at == last => (beside, 0),
            Part::Shared(_) => (beside, beside),
        };
        match (part, side) {
            (Part::Shared(text), _) => write_ends(html, text, head, tail)?,
            (Part::Differs(text), Side::Left) => {
                html.markup("<del>")?;
                write_ends(html, text, head, tail)?;
                html.markup("</del>")?;
            }
            (Part::Differs(text), Side::Right) => {
                html.markup("<ins>")?;
                write_ends(html, text, head, tail)?;
                html.markup("</ins>")?;
            }
        }
    }
    Ok(())
}

/// Writes a text, or its start and end and the length omitted in between.
fn write_ends(html: &mut Html<'_>, text: &str, head: usize, tail: usize) -> io::Result<()> {
    let (head, tail) = (
        floor(text, head),
        floor(text, text.len().saturating_sub(tail)),
    );
    if head >= tail {
        return html.text(text);
    }
    html.text(text.get(..head).unwrap_or_default())?;
    html.markup("<span class=\"gap\">… ")?;
    html.number((tail - head) as u64)?;
    html.markup(" bytes …</span>")?;
    html.text(text.get(tail..).unwrap_or_default())
}
