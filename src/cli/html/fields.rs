//! The fields that differ between two records, side by side.

use std::borrow::Cow;

use chunkmigrate::verify::{FieldDifference, Finding, Side, Values};
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::code_points::code_points;
use super::diff::rows;
use super::groups::chunk_bytes;
use super::lines::{add_rows, parts};
use super::markup::{Page, Text, number};
use super::parts::{Part, parts_of_pair};
use super::window::{Bounds, CONTEXT};
use crate::cli::report::values::shortened;

/// Pages with more findings show less text around each, so that they open quickly.
const MANY: usize = 1000;

/// Number of characters of a hash to show.
const HASH_CHARS: usize = 12;

/// How much of the values to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct DiffLimits {
    values: Values,
    bounds: Bounds,
    /// Longer lines show only the text around their differences.
    line_bytes: usize,
}

impl DiffLimits {
    pub(super) fn of(values: Values, findings: usize) -> Self {
        let (context, line_bytes) = match values {
            Values::Full => (2000, 64 << 10),
            Values::Short | Values::Redacted if findings > MANY => (1, 600),
            Values::Short | Values::Redacted => (CONTEXT, 600),
        };
        DiffLimits { values, bounds: Bounds { context, bytes: 2 << 20, lines: 10_000 }, line_bytes }
    }

    /// How many bytes to show of a text that only one side has.
    pub(super) fn record_bytes(&self) -> usize {
        match self.values {
            Values::Full => self.bounds.bytes,
            Values::Short | Values::Redacted => 1 << 10,
        }
    }

    /// The values of a field as text, if they are compared line by line.
    fn lines<'f>(&self, field: &'f FieldDifference) -> Option<(&'f str, &'f str)> {
        match (&field.left, &field.right) {
            (Value::String(left), Value::String(right)) if self.values != Values::Redacted => {
                (has_lines(&field.left) || has_lines(&field.right)).then_some((left, right))
            }
            _ => None,
        }
    }
}

/// Adds the fields that differ between two records: single-line values in one table, each other
/// field in its own table.
pub(super) fn add_fields(page: &mut Page, finding: &Finding, limits: DiffLimits) {
    let is_of_lines = |field: &&FieldDifference| limits.lines(field).is_some();
    let (of_lines, mut others): (Vec<_>, Vec<_>) = finding.fields.iter().partition(is_of_lines);
    if of_lines.iter().any(|field| field.field == "content")
        && let Some(nth) = others.iter().position(|field| field.field == "content_hash")
    {
        page.add(&hash(others.remove(nth)));
    }
    if !others.is_empty() {
        page.add(&html! {
            "\n" table.fields {
                thead { tr {
                    th scope="col" { "field" } th scope="col" { "left" } th scope="col" { "right" }
                } }
                tbody { @for field in others { (row(finding, field, limits)) } }
            }
        });
    }
    for field in of_lines {
        if let Some((left, right)) = limits.lines(field) {
            page.add(&html! {
                (PreEscaped("\n<table class=\"lines\">"))
                caption { (name(finding, field)) }
                thead { tr { td {} th scope="col" { "left" } td {} th scope="col" { "right" } } }
                (PreEscaped("<tbody>"))
            });
            add_rows(page, &rows(left, right, limits.bounds), limits.line_bytes);
            page.add(&PreEscaped("</tbody></table>".to_owned()));
        }
    }
}

/// The hash of a content that differs too, in one line.
fn hash(field: &FieldDifference) -> Markup {
    let start = |value: &Value| -> String { text_of(value).chars().take(HASH_CHARS).collect() };
    let (left, right) = (start(&field.left), start(&field.right));
    html! {
        "\n" p.hash { (Text(&field.field)) " " (Text(left)) "… left, " (Text(right)) "… right" }
    }
}

/// The name of a field, and where its values start to differ.
fn name(finding: &Finding, field: &FieldDifference) -> Markup {
    html! {
        (Text(&field.field))
        @if let Some(at) = field.first_difference {
            " " small {
                "first difference at byte " (number(at as u64))
                @if let Some(line) = line_of(field, at) { ", line " (number(line)) }
                @if let Some(byte) = byte_of_file(finding, field, at) {
                    "; byte " (number(byte)) " of the file"
                }
            }
        }
    }
}

/// The number of the line with an offset, in a value with more than one.
fn line_of(field: &FieldDifference, at: usize) -> Option<u64> {
    let lines = |value: &Value| {
        let before = value.as_str()?.as_bytes().get(..at)?;
        Some(1 + before.iter().filter(|byte| **byte == b'\n').count() as u64)
    };
    lines(&field.left).filter(|_| has_lines(&field.left) || has_lines(&field.right))
}

pub(super) fn has_lines(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('\n'))
}

/// The offset in the source file of an offset in the content of a chunk.
fn byte_of_file(finding: &Finding, field: &FieldDifference, at: usize) -> Option<u64> {
    let (start, _) = chunk_bytes(finding).filter(|_| field.field == "content")?;
    start.checked_add(at as u64)
}

fn row(finding: &Finding, field: &FieldDifference, limits: DiffLimits) -> Markup {
    let (left, right) = (text_of(&field.left), text_of(&field.right));
    let (left, right) = match field.first_difference {
        Some(_) => parts_of_pair(&left, &right),
        None => (vec![Part::Shared(&left)], vec![Part::Shared(&right)]),
    };
    let is_text = field.left.is_string() && field.right.is_string();
    html! {
        tr {
            th scope="row" {
                (name(finding, field))
                @if let Some(code_points) = code_points(&left, &right).filter(|_| is_text) {
                    " " small { (code_points) }
                }
            }
            td data-label="left" { (value(Side::Left, &field.left, &left, limits)) }
            td data-label="right" { (value(Side::Right, &field.right, &right, limits)) }
        }
    }
}

pub(super) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Object(_) => Cow::Owned(shortened(value)),
        value => Cow::Owned(value.to_string()),
    }
}

/// A value that consists of these parts.
pub(super) fn value(
    side: Side,
    value: &Value,
    of_value: &[Part<'_>],
    limits: DiffLimits,
) -> Markup {
    match value {
        Value::Null => html! { i { "null" } },
        Value::String(_) | Value::Object(_) if limits.values == Values::Redacted => {
            let bytes = value.get("bytes").and_then(Value::as_u64);
            let sha256 = value.get("sha256").and_then(Value::as_str);
            html! {
                (number(bytes.unwrap_or_default())) " bytes " small { "SHA-256" } " "
                (Text(sha256.unwrap_or_default()))
            }
        }
        Value::String(text) if text.is_empty() => html! { i { "empty" } },
        _ => parts(side, of_value, limits.line_bytes),
    }
}
