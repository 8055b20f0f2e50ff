//! The fields that differ between two records, side by side.

use std::borrow::Cow;
use std::io;

use chunkmigrate::verify::Values;
use chunkmigrate::verify::{FieldDifference, Side};
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::diff::rows;
use super::lines::{parts, write_rows};
use super::markup::{Page, Text, number};
use super::parts::{Part, parts_of_pair};
use super::window::{Bounds, CONTEXT};
use crate::cli::report::values::shortened;

/// How much of the values to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct DiffLimits {
    values: Values,
    bounds: Bounds,
    /// Longer lines show only the text around their differences.
    line_bytes: usize,
}

impl DiffLimits {
    pub(super) fn of(values: Values) -> Self {
        let (context, line_bytes) = match values {
            Values::Full => (2000, 64 << 10),
            Values::Short | Values::Redacted => (CONTEXT, 600),
        };
        DiffLimits { values, bounds: Bounds { context, bytes: 2 << 20, lines: 10_000 }, line_bytes }
    }

    /// The values of a field as text, if they are compared line by line.
    fn lines<'f>(&self, field: &'f FieldDifference) -> Option<(&'f str, &'f str)> {
        match (&field.left, &field.right) {
            (Value::String(left), Value::String(right)) if self.values != Values::Redacted => {
                (left.contains('\n') || right.contains('\n')).then_some((left, right))
            }
            _ => None,
        }
    }
}

/// Writes the fields that differ between two records: single-line values in one table, each other
/// field in its own table.
pub(super) fn write_fields(
    page: &mut Page<'_>,
    fields: &[FieldDifference],
    limits: DiffLimits,
) -> io::Result<()> {
    let is_of_lines = |field: &&FieldDifference| limits.lines(field).is_some();
    let (of_lines, others): (Vec<_>, Vec<_>) = fields.iter().partition(is_of_lines);
    if !others.is_empty() {
        page.write(html! {
            table.fields {
                "\n" thead { tr {
                    th scope="col" { "field" } th scope="col" { "left" } th scope="col" { "right" }
                } }
                "\n" tbody { "\n" @for field in others { (row(field, limits)) } } "\n"
            } "\n"
        })?;
    }
    for field in of_lines {
        if let Some((left, right)) = limits.lines(field) {
            page.write(html! {
                (PreEscaped("<table class=\"lines\">\n"))
                caption { (name(field)) }
                "\n" colgroup { col.number; col; col.number; col; }
                "\n" thead { tr {
                    th scope="col" colspan="2" { "left" } th scope="col" colspan="2" { "right" }
                } }
                (PreEscaped("\n<tbody>\n"))
            })?;
            write_rows(page, &rows(left, right, limits.bounds), limits.line_bytes)?;
            page.write(PreEscaped("</tbody>\n</table>\n".to_owned()))?;
        }
    }
    Ok(())
}

fn name(field: &FieldDifference) -> Markup {
    html! {
        span.name { (Text(&field.field)) }
        @if let Some(at) = field.first_difference {
            " " small { "first difference at byte " (number(at as u64)) }
        }
    }
}

fn row(field: &FieldDifference, limits: DiffLimits) -> Markup {
    let (left, right) = (text_of(&field.left), text_of(&field.right));
    let (left, right) = match field.first_difference {
        Some(_) => parts_of_pair(&left, &right),
        None => (vec![Part::Differs(&left)], vec![Part::Differs(&right)]),
    };
    html! {
        tr {
            th scope="row" { (name(field)) }
            td.left data-label="left" { (value(Side::Left, &field.left, &left, limits)) }
            td.right data-label="right" { (value(Side::Right, &field.right, &right, limits)) }
        } "\n"
    }
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Object(_) => Cow::Owned(shortened(value)),
        value => Cow::Owned(value.to_string()),
    }
}

/// A value that consists of these parts.
fn value(side: Side, value: &Value, of_value: &[Part<'_>], limits: DiffLimits) -> Markup {
    match value {
        Value::Null => html! { i { "null" } },
        Value::String(_) | Value::Object(_) if limits.values == Values::Redacted => {
            let bytes = value.get("bytes").and_then(Value::as_u64);
            let sha256 = value.get("sha256").and_then(Value::as_str);
            html! {
                (number(bytes.unwrap_or_default())) " bytes " small { "SHA-256" } " "
                code { (Text(sha256.unwrap_or_default())) }
            }
        }
        Value::String(text) if text.is_empty() => html! { i { "empty" } },
        _ => html! { code { (parts(side, of_value, limits.line_bytes)) } },
    }
}
