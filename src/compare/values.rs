//! How much of a value to display.

use serde_json::{Value, json};

use crate::codec::Digest;

/// Longer texts, in bytes, are shortened in short form.
const SHORT_BYTES: usize = 80;
/// Number of characters to show before the first difference.
const SHORT_LEAD: usize = 20;

/// How much of each value a report displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// The whole value. After 16 MiB of values, further findings are shortened.
    #[default]
    Full,
    /// Long texts only around the first difference: an object with `excerpt`, its `offset` in
    /// bytes, and `bytes`, the total length.
    Short,
    /// For texts and bytes, an object with only the length in `bytes` and the `sha256`.
    Redacted,
}

impl Values {
    /// The value in displayed form; `first_difference` is the offset of the relevant part.
    pub(crate) fn shown(self, value: &Value, first_difference: Option<usize>) -> Value {
        match (value, self) {
            (Value::String(text), Values::Redacted) => json!({
                "bytes": text.len(),
                "sha256": Digest::of(text),
            }),
            (Value::String(text), Values::Short) if text.len() > SHORT_BYTES => {
                let (offset, excerpt) = excerpt(text, first_difference.unwrap_or(0));
                json!({"excerpt": excerpt, "offset": offset, "bytes": text.len()})
            }
            // The bytes of a blob, or of text that is not well-formed.
            (Value::Object(bytes), _)
                if bytes.len() == 1
                    && bytes.keys().all(|name| name == "blob" || name == "text") =>
            {
                let shown =
                    |(name, value): (&String, &Value)| (name.clone(), self.shown(value, None));
                Value::Object(bytes.iter().map(shown).collect())
            }
            _ => value.clone(),
        }
    }
}

/// The part of a text around an offset, and its start.
fn excerpt(text: &str, around: usize) -> (usize, String) {
    let mut boundaries = (0..=around.min(text.len())).rev();
    let before = boundaries.find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (head, tail) = text.split_at(before);
    let lead = head.char_indices().rev().take(SHORT_LEAD).last();
    let start = lead.map_or(before, |(index, _)| index);
    let lead = head.get(start..).unwrap_or_default();
    let excerpt = lead.chars().chain(tail.chars()).take(SHORT_BYTES);
    (start, excerpt.collect())
}
