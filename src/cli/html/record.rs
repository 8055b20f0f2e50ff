//! The record that one side lacks.

use chunkmigrate::verify::Side;
use maud::{Markup, html};
use serde_json::Value;

use super::fields::{DiffLimits, has_lines, text_of, value};
use super::markup::{Page, Text, number};
use super::parts::{Part, without_break};
use crate::cli::report::text_diff::floor;

/// Adds the fields of a record that have a value, without a hash next to what it is the hash of:
/// values of several lines last.
pub(super) fn add_record(page: &mut Page, record: &[(String, Value)], limits: DiffLimits) {
    let has_content = record.iter().any(|(name, _)| name == "content");
    let is_derived = |name: &str| has_content && name == "content_hash";
    let fields = record.iter().filter(|(name, value)| !value.is_null() && !is_derived(name));
    let (of_lines, others): (Vec<_>, Vec<_>) = fields.partition(|(_, value)| has_lines(value));
    page.add(&html! {
        @if !others.is_empty() {
            p.record {
                @for (nth, (name, of_field)) in others.iter().enumerate() {
                    @let text = text_of(of_field);
                    @let quote = if of_field.is_string() && !text.is_empty() { "\"" } else { "" };
                    @if nth > 0 { ", " }
                    (Text(name)) " " (quote)
                    (value(Side::Left, of_field, &[Part::Shared(&text)], limits))
                    (quote)
                }
            }
        }
        @for (name, of_field) in of_lines {
            p.record { (Text(name)) ":" }
            pre { (lines(of_field.as_str().unwrap_or_default(), limits.record_bytes())) }
        }
    });
}

/// The first lines of a text.
fn lines(text: &str, room: usize) -> Markup {
    let (start, rest) = text.split_at(floor(text, room));
    let end = match rest.is_empty() {
        true => start.len(),
        false => start.rfind('\n').map_or(start.len(), |at| at + 1),
    };
    let (start, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    html! {
        @for line in start.split_inclusive('\n') { (Text(without_break(line))) "\n" }
        @if !rest.is_empty() { span.gap { (number(rest.len() as u64)) " more bytes" } }
    }
}
