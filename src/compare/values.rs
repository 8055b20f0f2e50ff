//! How much of a value to display.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
            (Value::String(text), Values::Redacted) => redacted(text.as_bytes()),
            (Value::String(text), Values::Short) if text.len() > SHORT_BYTES => {
                let (offset, excerpt) = excerpt(text, first_difference.unwrap_or(0));
                json!({"excerpt": excerpt, "offset": offset, "bytes": text.len()})
            }
            // The bytes of a blob, or of text that is not well-formed.
            (Value::Object(bytes), _)
                if bytes.len() == 1
                    && bytes.keys().all(|name| name == "blob" || name == "text") =>
            {
                let shown = |(name, encoded): (&String, &Value)| {
                    let bytes = encoded.as_str().and_then(|text| STANDARD.decode(text).ok());
                    let shown = match bytes.filter(|_| self == Values::Redacted) {
                        Some(bytes) => redacted(&bytes),
                        None => self.shown(encoded, None),
                    };
                    (name.clone(), shown)
                };
                Value::Object(bytes.iter().map(shown).collect())
            }
            _ => value.clone(),
        }
    }
}

fn redacted(bytes: &[u8]) -> Value {
    json!({"bytes": bytes.len(), "sha256": Digest::of(bytes)})
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, cell_json};

    #[test]
    fn a_redacted_blob_has_the_length_and_the_hash_of_its_bytes() {
        let blob = cell_json(&Cell::Blob(b"abc".into()));
        let expected = json!({"blob": {"bytes": 3, "sha256": Digest::of("abc")}});
        assert_eq!(Values::Redacted.shown(&blob, None), expected);
        assert_eq!(Values::Full.shown(&blob, None), blob);
        let text = json!("abc");
        assert_eq!(Values::Redacted.shown(&text, None), expected["blob"]);
    }
}
