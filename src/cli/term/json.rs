//! JSON that is safe to show on a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::cli::term::terminal_escape::is_plain;

/// The version of the JSON documents. It increases when a key is renamed or removed.
const SCHEMA: u32 = 2;

/// A document: the version, then the fields of a result.
#[derive(Serialize)]
pub(crate) struct Document<'r, T> {
    schema: u32,
    #[serde(flatten)]
    result: &'r T,
}

impl<'r, T> Document<'r, T> {
    pub(crate) fn new(result: &'r T) -> Self {
        let schema = SCHEMA;
        Document { schema, result }
    }
}

/// Writes a document as compact JSON, with control and format characters escaped as `\u....`, which
/// is equivalent.
pub(crate) fn write_safe_json(out: &mut dyn Write, document: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Safe);
    document.serialize(&mut serializer)?;
    Ok(())
}

struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaped(out, fragment)
    }

    /// Values are canonical JSON, which contains such characters only in strings.
    fn write_raw_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaped(out, fragment)
    }
}

fn write_escaped<W: ?Sized + Write>(out: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some((before, char)) = rest.char_indices().find(|(_, char)| !is_plain(*char)) {
        let (plain, tail) = rest.split_at_checked(before).unwrap_or((rest, ""));
        out.write_all(plain.as_bytes())?;
        for unit in char.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = tail.get(char.len_utf8()..).unwrap_or_default();
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::write_safe_json;

    const TEXT: &str =
        "a\u{1b}[31m\u{9b}\u{202e}\u{7f}\u{feff}\u{e0001}\n\"\\ cafe\u{301} \u{1f600}";

    #[test]
    fn control_and_format_characters_are_escaped_and_parse_to_the_same_text() {
        let mut json = Vec::new();
        write_safe_json(&mut json, &TEXT).unwrap();
        assert_eq!(
            String::from_utf8(json.clone()).unwrap(),
            "\"a\\u001b[31m\\u009b\\u202e\\u007f\\ufeff\\udb40\\udc01\\n\\\"\\\\ cafe\u{301} \u{1f600}\""
        );
        assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), TEXT);
    }

    #[test]
    fn raw_json_is_escaped_too() {
        let raw: Box<RawValue> =
            RawValue::from_string("{\"k\u{202e}\":[1,\"\u{9b}\"]}".to_owned()).unwrap();
        let mut json = Vec::new();
        write_safe_json(&mut json, &raw).unwrap();
        assert_eq!(json, b"{\"k\\u202e\":[1,\"\\u009b\"]}");
    }
}
