//! Finds the entries of a filter in a scan, and reads no more of each than that takes.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::{memchr_iter, memmem};

use super::selection::RecordFilter;
use crate::codec::{Entry, key_kind, parse_key, read_canonical, write_text};
use crate::error::Result;
use crate::record::{KindSchema, RecordKey, Value};

/// A filter of records for their entries in a key-value backend.
pub(super) struct EntryFilter<'a> {
    selection: &'a RecordFilter<'a>,
    field: Option<FieldFilter<'a>>,
}

/// Whether a key with the prefix of a filter may match.
enum KeyMatch {
    Matches,
    /// The key is invalid.
    Skipped,
    /// No key that matches can follow.
    Ended,
}

impl<'a> EntryFilter<'a> {
    pub(super) fn new(selection: &'a RecordFilter<'a>) -> Self {
        let schema = selection.kind.schema();
        let field = selection.field;
        EntryFilter {
            selection,
            field: field.map(|(name, text)| FieldFilter::new(schema, name, text)),
        }
    }

    /// Handles an entry in the scan over the filter's prefix: visits it if it matches. Returns
    /// `false` when no more matches can follow.
    pub(super) fn step(
        &self,
        entry: Entry<'_>,
        visit: impl FnOnce() -> Result<()>,
    ) -> Result<bool> {
        match self.key_match(entry.key) {
            KeyMatch::Matches if self.has_field(entry.value) => visit().map(|()| true),
            KeyMatch::Matches | KeyMatch::Skipped => Ok(true),
            KeyMatch::Ended => Ok(false),
        }
    }

    fn key_match(&self, key: &[u8]) -> KeyMatch {
        let Some(path) = self.selection.chunks_of else {
            return match key_kind(key) {
                Ok(_) => KeyMatch::Matches,
                Err(_) => KeyMatch::Skipped,
            };
        };
        match parse_key(key) {
            Ok(RecordKey::Chunk { file_path, .. }) if file_path == path => KeyMatch::Matches,
            // The chunks of `a` come before those of `a:b`: a digit sorts before a colon.
            Ok(_) => KeyMatch::Ended,
            Err(_) => KeyMatch::Skipped,
        }
    }

    fn has_field(&self, value: &[u8]) -> bool {
        let field = self.field.as_ref();
        field.is_none_or(|field| field.may_match(value) && field.matches(value))
    }
}

/// A field of a kind and the text that it must have.
struct FieldFilter<'a> {
    schema: &'static KindSchema,
    name: &'static str,
    /// The place of the field in the schema.
    place: Option<usize>,
    text: &'a str,
    /// Finds the text as canonical JSON.
    json: memmem::Finder<'static>,
}

impl<'a> FieldFilter<'a> {
    fn new(schema: &'static KindSchema, name: &'static str, text: &'a str) -> Self {
        let mut json = Vec::new();
        write_text(text, &mut json);
        FieldFilter {
            schema,
            name,
            place: schema.fields.iter().position(|field| field.name == name),
            text,
            json: memmem::Finder::new(&json).into_owned(),
        }
    }

    /// `false` if the value contains the text in no notation. Those that are not canonical escape a
    /// character by its number, or a slash.
    fn may_match(&self, value: &[u8]) -> bool {
        let is_other_escape = |at| matches!(value.get(at + 1), Some(b'u' | b'/'));
        self.json.find(value).is_some() || memchr_iter(b'\\', value).any(is_other_escape)
    }

    /// Whether the field has the text. As in a table, only this field counts, not whether the rest
    /// is a valid record; a value without the field doesn't match.
    fn matches(&self, value: &[u8]) -> bool {
        let is_wanted = |at| Some(at) == self.place;
        let values = read_canonical(self.schema, value, is_wanted);
        if let (Some(place), Some(values)) = (self.place, values) {
            return matches!(values.get(place), Value::Text(text) if text == self.text);
        }
        let fields: serde_json::Result<HashMap<Cow<'_, str>, serde_json::Value>> =
            serde_json::from_slice(value);
        let fields = fields.unwrap_or_default();
        let field = fields.get(self.name).and_then(serde_json::Value::as_str);
        field == Some(self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Record, RecordKind, SymbolMetrics};

    /// A JSON string of a text in any notation.
    fn spelled(text: &str, escapes: &[u8]) -> String {
        let characters = text.chars().zip(escapes.iter().cycle());
        let spelled = characters.map(|(character, escape)| match (character, escape % 4) {
            ('/', 0) => "\\/".to_owned(),
            (character, 1) => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units).iter();
                units.map(|unit| format!("\\u{unit:04X}")).collect()
            }
            (character, _) => {
                let json = serde_json::to_string(&character).unwrap();
                json[1..json.len() - 1].to_owned()
            }
        });
        format!("\"{}\"", spelled.collect::<String>())
    }

    fn value(file_path: &str) -> String {
        let metrics = SymbolMetrics {
            symbol_id: 7,
            symbol_name: "a/b".to_owned(),
            kind: "Function".to_owned(),
            file_path: file_path.to_owned(),
            loc: Some(1),
            estimated_loc: Some(1.5),
            fan_in: None,
            fan_out: None,
            cyclomatic_complexity: None,
            last_updated: 0,
        };
        let json = Record::SymbolMetrics(metrics).to_json().unwrap();
        String::from_utf8(json).unwrap()
    }

    fn matches(file_path: &str, value: &str) -> bool {
        let selection = RecordFilter::all(RecordKind::SymbolMetrics).with("file_path", file_path);
        let mut found = false;
        let (key, value) = (RecordKey::SymbolMetrics { symbol_id: 7 }.encode(), value.as_bytes());
        let step = EntryFilter::new(&selection).step(Entry { key: &key, value }, || {
            found = true;
            Ok(())
        });
        assert!(step.unwrap());
        found
    }

    proptest! {
        #[test]
        fn a_text_is_found_in_every_notation(
            path in "[a/\\\\\"\n\u{1}ü\u{10000}]{0,6}",
            other in "[a/\\\\\"\n\u{1}ü\u{10000}]{0,6}",
            escapes in prop::collection::vec(any::<u8>(), 6),
            damaged: bool,
        ) {
            let canonical = value("PLACE");
            let mut spelled = canonical.replace("\"PLACE\"", &spelled(&path, &escapes));
            if damaged {
                spelled = spelled.replace("\"loc\":1", "\"loc\": \"none\"");
            }
            prop_assert!(matches(&path, &spelled), "{spelled}");
            prop_assert_eq!(matches(&other, &spelled), other == path, "{}", spelled);
            prop_assert!(matches(&path, &value(&path)));
            // The text of another field.
            prop_assert!(!matches("a/b", &value(&path)));
        }
    }
}
