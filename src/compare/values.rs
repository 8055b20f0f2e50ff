//! How much of a value is shown.

use serde_json::{Value, json};

use crate::codec::Digest;

/// A text that is longer, in bytes, is cut where values are to be short.
const SHORT_BYTES: usize = 80;
/// Characters of it that stand before the first difference.
const SHORT_LEAD: usize = 20;

/// How much of a value a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// All of it. Of many findings, those behind 16 MiB of values are short.
    #[default]
    Full,
    /// A long text only around its first difference: as an object of `excerpt`, its `offset` in
    /// bytes, and `bytes`, the length of the whole.
    Short,
    /// Of a text only its length in bytes and its SHA-256, as an object of `bytes` and `sha256`.
    Redacted,
}

impl Values {
    /// A value as it is shown; `first_difference` is the offset of what matters in it.
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
            _ => value.clone(),
        }
    }
}

/// The part of a text around an offset, and where it begins.
fn excerpt(text: &str, around: usize) -> (usize, String) {
    let mut boundaries = (0..=around.min(text.len())).rev();
    let before = boundaries
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let (head, tail) = text.split_at(before);
    let lead = head.char_indices().rev().take(SHORT_LEAD).last();
    let start = lead.map_or(before, |(index, _)| index);
    let lead = head.get(start..).unwrap_or_default();
    let excerpt = lead.chars().chain(tail.chars()).take(SHORT_BYTES);
    (start, excerpt.collect())
}
