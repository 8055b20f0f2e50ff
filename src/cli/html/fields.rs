//! The fields that differ between two records, side by side.

use std::borrow::Cow;
use std::io;

use chunkmigrate::verify::Values;
use chunkmigrate::verify::{FieldDifference, Side};
use serde_json::Value;

use super::diff::{Row, rows};
use super::lines::{write_parts, write_rows};
use super::markup::Html;
use super::parts::{Part, parts_of_pair};
use super::window::{Bounds, CONTEXT};
use crate::cli::report::findings::shortened;

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
        DiffLimits {
            values,
            bounds: Bounds {
                context,
                bytes: 2 << 20,
                lines: 10_000,
            },
            line_bytes,
        }
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
    html: &mut Html<'_>,
    fields: &[FieldDifference],
    extent: DiffLimits,
) -> io::Result<()> {
    let is_of_lines = |field: &&FieldDifference| extent.lines(field).is_some();
    let (of_lines, others): (Vec<_>, Vec<_>) = fields.iter().partition(is_of_lines);
    if !others.is_empty() {
        html.markup("<table class=\"fields\">\n<thead><tr><th scope=\"col\">field</th>")?;
        html.markup(
            "<th scope=\"col\">left</th><th scope=\"col\">right</th></tr></thead>\n<tbody>\n",
        )?;
        for field in others {
            write_values(html, field, extent)?;
        }
        html.markup("</tbody>\n</table>\n")?;
    }
    for field in of_lines {
        if let Some((left, right)) = extent.lines(field) {
            write_lines(html, field, &rows(left, right, extent.bounds), extent)?;
        }
    }
    Ok(())
}

fn write_name(html: &mut Html<'_>, field: &FieldDifference) -> io::Result<()> {
    html.markup("<span class=\"name\">")?;
    html.text(&field.field)?;
    html.markup("</span>")?;
    if let Some(at) = field.first_difference {
        html.markup(" <small>first difference at byte ")?;
        html.number(at as u64)?;
        html.markup("</small>")?;
    }
    Ok(())
}

fn write_values(
    html: &mut Html<'_>,
    field: &FieldDifference,
    extent: DiffLimits,
) -> io::Result<()> {
    html.markup("<tr><th scope=\"row\">")?;
    write_name(html, field)?;
    html.markup("</th>")?;
    let (left, right) = (text_of(&field.left), text_of(&field.right));
    let (left, right) = match field.first_difference {
        Some(_) => parts_of_pair(&left, &right),
        None => (vec![Part::Differs(&left)], vec![Part::Differs(&right)]),
    };
    html.markup("<td class=\"left\" data-label=\"left\">")?;
    write_value(html, Side::Left, &field.left, &left, extent)?;
    html.markup("</td><td class=\"right\" data-label=\"right\">")?;
    write_value(html, Side::Right, &field.right, &right, extent)?;
    html.markup("</td></tr>\n")
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Object(_) => Cow::Owned(shortened(value)),
        value => Cow::Owned(value.to_string()),
    }
}

/// Writes a value that consists of these parts.
fn write_value(
    html: &mut Html<'_>,
    side: Side,
    value: &Value,
    parts: &[Part<'_>],
    extent: DiffLimits,
) -> io::Result<()> {
    match value {
        Value::Null => html.markup("<i>null</i>"),
        Value::String(_) | Value::Object(_) if extent.values == Values::Redacted => {
            write_redacted(html, value)
        }
        Value::String(text) if text.is_empty() => html.markup("<i>empty</i>"),
        _ => {
            html.markup("<code>")?;
            write_parts(html, side, parts, extent.line_bytes)?;
            html.markup("</code>")
        }
    }
}

fn write_redacted(html: &mut Html<'_>, value: &Value) -> io::Result<()> {
    let bytes = value.get("bytes").and_then(Value::as_u64);
    html.number(bytes.unwrap_or_default())?;
    html.markup(" bytes <small>SHA-256</small> <code>")?;
    let sha256 = value.get("sha256").and_then(Value::as_str);
    html.text(sha256.unwrap_or_default())?;
    html.markup("</code>")
}

fn write_lines(
    html: &mut Html<'_>,
    field: &FieldDifference,
    rows: &[Row<'_>],
    extent: DiffLimits,
) -> io::Result<()> {
    html.markup("<table class=\"lines\">\n<caption>")?;
    write_name(html, field)?;
    html.markup("</caption>\n<colgroup><col class=\"number\"><col><col class=\"number\"><col>")?;
    html.markup("</colgroup>\n<thead><tr><th scope=\"col\" colspan=\"2\">left</th>")?;
    html.markup("<th scope=\"col\" colspan=\"2\">right</th></tr></thead>\n<tbody>\n")?;
    write_rows(html, rows, extent.line_bytes)?;
    html.markup("</tbody>\n</table>\n")
}
