//! Values of records as text in one line.

use chunkmigrate::verify::Values;
use indicatif::HumanCount;
use serde_json::Value;

use crate::cli::term::terminal_escape::escaped;

/// Number of characters to show around a difference.
pub(super) const CONTEXT: usize = 24;
/// Maximum number of characters of a value or a difference to show.
pub(super) const LONGEST: usize = 60;

/// A value that is shown next to others.
pub(super) fn scalar(value: &Value, values: Values) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", cut(text, LONGEST, values)),
        Value::Object(_) => shortened(value),
        _ => value.to_string(),
    }
}

/// A value in the short or redacted form of a report.
pub(crate) fn shortened(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or_default();
    match text("excerpt") {
        Some(excerpt) => format!(
            "\"…{}…\" ({} bytes, from byte {})",
            escaped(excerpt),
            HumanCount(number("bytes")),
            number("offset")
        ),
        None => escaped(&value.to_string()).into_owned(),
    }
}

/// The fields of a record that have a value, without a hash next to what it is the hash of.
pub(super) fn record(fields: &[(String, Value)], values: Values) -> String {
    let has_content = fields.iter().any(|(name, _)| name == "content");
    let is_derived = |name: &str| has_content && name == "content_hash";
    let fields = fields.iter().filter(|(name, value)| !value.is_null() && !is_derived(name));
    let fields = fields.map(|(name, value)| format!("{} {}", escaped(name), scalar(value, values)));
    fields.collect::<Vec<_>>().join(", ")
}

/// As many characters of the end of a common start.
pub(super) fn before(head: &str, chars: usize, values: Values) -> String {
    let skipped = match values {
        Values::Full => 0,
        _ => head.chars().count().saturating_sub(chars),
    };
    let shown: String = head.chars().skip(skipped).collect();
    let dots = if skipped > 0 { "…" } else { "" };
    format!("{dots}{}", escaped(&shown))
}

/// A text, or as many characters of its start.
pub(super) fn cut(text: &str, chars: usize, values: Values) -> String {
    let end = text.char_indices().nth(chars).map(|(index, _)| index);
    match end.and_then(|end| text.get(..end)) {
        Some(shown) if values != Values::Full => format!("{}…", escaped(shown)),
        _ => escaped(text).into_owned(),
    }
}
