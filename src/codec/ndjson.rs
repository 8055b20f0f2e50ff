//! Records as newline-delimited JSON (NDJSON), for other programs.

use std::borrow::Cow;
use std::io;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

use super::decode::one_line;
use super::text::write_text;
use super::{Entry, ExportEnd};
use crate::error::Error;
use crate::record::{IdSequences, RecordKind};

/// Kind and key of the line with the id sequences.
const SEQUENCES: &str = "sequences";

/// Kind and key of the line that describes the carried tables.
const TABLES: &str = "tables";

/// What the kinds of rows start with.
const TABLE_PREFIX: &str = "table:";

/// Kind and key of the end line.
const END: &str = "end";

/// One line of an export: `{"kind":…,"key":…,"value":{…}}`.
#[derive(Debug, Clone)]
pub enum Line<'l> {
    /// A record, not validated yet.
    Record {
        /// The kind of the record.
        kind: RecordKind,
        /// Its key.
        key: Cow<'l, str>,
        /// The JSON in place of its value; may be anything.
        value: &'l RawValue,
    },
    /// A description of the carried tables; kind and key are `tables`. Not validated yet.
    Tables(&'l RawValue),
    /// A row of a carried table, not validated yet. The kind is `table:` and the table's name.
    Row {
        /// The name of the table.
        table: Cow<'l, str>,
        /// The key of the row.
        key: Cow<'l, str>,
        /// The JSON in place of the row; may be anything.
        value: &'l RawValue,
    },
    /// The id sequences; kind and key are `sequences`.
    IdSequences(IdSequences),
    /// The end line; kind and key are `end`.
    End(ExportEnd),
}

/// Why text is not a valid [`Line`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// The text is not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The JSON is malformed, or its fields are not `kind`, `key` and `value`.
    #[error("not an object of kind, key and value: {}", one_line(.0))]
    Json(#[from] serde_json::Error),
    /// The kind is unknown.
    #[error(transparent)]
    Kind(#[from] Error),
    /// The value of the `sequences` line is invalid.
    #[error("not an id sequence: {}", one_line(.0))]
    IdSequences(#[source] serde_json::Error),
    /// The value of the end line has no valid counts or digest.
    #[error("not an end line of an export: {}", one_line(.0))]
    End(#[source] serde_json::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    key: Cow<'l, str>,
    #[serde(borrow)]
    value: &'l RawValue,
}

impl<'l> Line<'l> {
    /// The line of a record.
    ///
    /// # Errors
    /// The key is not UTF-8, or the value is not JSON.
    pub fn of(kind: RecordKind, entry: Entry<'l>) -> Result<Self, LineError> {
        let key = str::from_utf8(entry.key).map_err(serde::de::Error::custom);
        Ok(Line::Record {
            kind,
            key: Cow::Borrowed(key.map_err(LineError::Json)?),
            value: serde_json::from_slice(entry.value)?,
        })
    }

    /// Writes the line of a record, whose value must be JSON, without the line break.
    ///
    /// # Errors
    /// The key is not UTF-8, or the error of `out`.
    pub fn write_record(
        out: &mut dyn io::Write,
        kind: RecordKind,
        entry: Entry<'_>,
    ) -> io::Result<()> {
        write_line(out, kind.name(), entry)
    }

    /// The line of a row of a carried table.
    ///
    /// # Errors
    /// The key is not UTF-8, or the object is not JSON.
    pub fn of_row(table: &'l str, key: &'l [u8], object: &'l [u8]) -> Result<Self, LineError> {
        let key = str::from_utf8(key).map_err(serde::de::Error::custom);
        Ok(Line::Row {
            table: Cow::Borrowed(table),
            key: Cow::Borrowed(key.map_err(LineError::Json)?),
            value: serde_json::from_slice(object)?,
        })
    }

    /// Writes the line of a row, which must be a JSON object, without the line break.
    ///
    /// # Errors
    /// The key is not UTF-8, or the error of `out`.
    pub fn write_row(
        out: &mut dyn io::Write,
        table: &str,
        key: &[u8],
        object: &[u8],
    ) -> io::Result<()> {
        write_line(out, &kind_of_rows(table), Entry { key, value: object })
    }

    /// Parses a line. Whitespace, field order and a trailing line break may vary.
    ///
    /// Only the kind of a record is checked: its key and value may be anything. So may the name of
    /// a table, and the description of tables.
    ///
    /// # Errors
    /// [`LineError`] describes why the text is not a valid line.
    pub fn parse(text: &'l [u8]) -> Result<Self, LineError> {
        // serde would also accept an array of the fields as a struct.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(LineError::NotAnObject);
        }
        let Fields { kind, key, value } = serde_json::from_slice(text)?;
        if (&*kind, &*key) == (SEQUENCES, SEQUENCES) {
            let sequences = serde_json::from_str(value.get());
            return sequences.map(Line::IdSequences).map_err(LineError::IdSequences);
        }
        if (&*kind, &*key) == (END, END) {
            let end = serde_json::from_str(value.get());
            return end.map(Line::End).map_err(LineError::End);
        }
        if (&*kind, &*key) == (TABLES, TABLES) {
            return Ok(Line::Tables(value));
        }
        if let Some(table) = kind.strip_prefix(TABLE_PREFIX) {
            let table = match kind {
                Cow::Borrowed(kind) => Cow::Borrowed(kind.get(TABLE_PREFIX.len()..).unwrap_or("")),
                Cow::Owned(_) => Cow::Owned(table.to_owned()),
            };
            return Ok(Line::Row { table, key, value });
        }
        Ok(Line::Record { kind: kind.parse()?, key, value })
    }
}

/// The kind of the rows of a table.
fn kind_of_rows(table: &str) -> String {
    format!("{TABLE_PREFIX}{table}")
}

fn write_line(out: &mut dyn io::Write, kind: &str, entry: Entry<'_>) -> io::Result<()> {
    let key = str::from_utf8(entry.key).map_err(io::Error::other)?;
    let mut start = Vec::with_capacity(kind.len() + key.len() + 64);
    start.extend_from_slice(b"{\"kind\":");
    write_text(kind, &mut start);
    start.extend_from_slice(b",\"key\":");
    write_text(key, &mut start);
    start.extend_from_slice(b",\"value\":");
    out.write_all(&start)?;
    out.write_all(entry.value)?;
    out.write_all(b"}")
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Line", 3)?;
        match self {
            Line::Record { kind, key, value } => {
                line.serialize_field("kind", kind.name())?;
                line.serialize_field("key", key)?;
                line.serialize_field("value", value)?;
            }
            Line::Tables(tables) => {
                line.serialize_field("kind", TABLES)?;
                line.serialize_field("key", TABLES)?;
                line.serialize_field("value", tables)?;
            }
            Line::Row { table, key, value } => {
                line.serialize_field("kind", &kind_of_rows(table))?;
                line.serialize_field("key", key)?;
                line.serialize_field("value", value)?;
            }
            Line::IdSequences(sequences) => {
                line.serialize_field("kind", SEQUENCES)?;
                line.serialize_field("key", SEQUENCES)?;
                line.serialize_field("value", sequences)?;
            }
            Line::End(end) => {
                line.serialize_field("kind", END)?;
                line.serialize_field("key", END)?;
                line.serialize_field("value", end)?;
            }
        }
        line.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Line::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn written_lines_are_read_back_equal() {
        let (key, value) = (b"execlog:\"\n".as_slice(), br#"{"id": 1}"#.as_slice());
        let line = Line::of(RecordKind::ExecutionLog, Entry { key, value }).unwrap();
        let mut written = Vec::new();
        Line::write_record(&mut written, RecordKind::ExecutionLog, Entry { key, value }).unwrap();
        assert_eq!(written, serde_json::to_vec(&line).unwrap());
        let text = serde_json::to_vec(&line).unwrap();
        assert_eq!(text, br#"{"kind":"execution-log","key":"execlog:\"\n","value":{"id": 1}}"#);
        let Line::Record { kind, key, value } = Line::parse(&text).unwrap() else {
            panic!("it is a record");
        };
        let found = (kind, &*key, value.get());
        let expected = (RecordKind::ExecutionLog, "execlog:\"\n", r#"{"id": 1}"#);
        assert_eq!(found, expected);

        let sequences = IdSequences { code_chunks: 7, execution_log: 0 };
        let text = serde_json::to_vec(&Line::IdSequences(sequences)).unwrap();
        assert!(matches!(Line::parse(&text), Ok(Line::IdSequences(found)) if found == sequences));

        let mut end = ExportEnd::default();
        end.add_sequences(sequences);
        let text = serde_json::to_string(&Line::End(end)).unwrap();
        let expected = r#"{"kind":"end","key":"end","value":{"chunk":0,"execution-log":0,"#
            .to_owned()
            + r#""file-metrics":0,"symbol-metrics":0,"sequences":1,"digest":""#;
        assert!(text.starts_with(&expected), "{text}");
        assert!(matches!(Line::parse(text.as_bytes()), Ok(Line::End(found)) if found == end));
    }

    #[test]
    fn lines_of_tables_are_read_back_equal() {
        let table = "say \"hi\": 🦀";
        let (key, object) = (b"table:t:A7".as_slice(), br#"{"a": 1}"#.as_slice());
        let mut written = Vec::new();
        Line::write_row(&mut written, table, key, object).unwrap();
        let text = r#"{"kind":"table:say \"hi\": 🦀","key":"table:t:A7","value":{"a": 1}}"#;
        assert_eq!(written, text.as_bytes());
        let line = Line::of_row(table, key, object).unwrap();
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        for (text, expected) in [(text, table), (&text.replace(r#" \"hi\": 🦀"#, ""), "say")] {
            let Line::Row { table, key, value } = Line::parse(text.as_bytes()).unwrap() else {
                panic!("it is a row");
            };
            assert_eq!((&*table, &*key, value.get()), (expected, "table:t:A7", r#"{"a": 1}"#));
        }
        let text = r#"{"kind":"tables","key":"tables","value":[1]}"#;
        let line = Line::parse(text.as_bytes()).unwrap();
        assert!(matches!(line, Line::Tables(value) if value.get() == "[1]"));
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
    }

    #[test]
    fn only_whitespace_and_field_order_may_vary() {
        let loose = "\t{ \"value\": [1] , \"key\":\"k\", \"kind\":\"chunk\" }\r";
        assert!(Line::parse(loose.as_bytes()).is_ok());
        for (text, expected) in [
            ("", "not a JSON object"),
            ("[\"chunk\",\"k\",{}]", "not a JSON object"),
            ("null", "not a JSON object"),
            ("\u{feff}{}", "not a JSON object"),
            (
                "{\"kind\":\"chunk\",\"key\":\"k\"}",
                "not an object of kind, key and value: missing field `value` at column 26",
            ),
            (
                "{\"kind\":\"chunk\",\"key\":\"k\",\"value\":1,\"more\":1}",
                "not an object of kind, key and value: unknown field `more`, expected one of `kind`, `key`, `value` at column 42",
            ),
            (
                "{\"kind\":\"chunk\",\"key\":\"k\",\"key\":\"k\",\"value\":1}",
                "not an object of kind, key and value: duplicate field `key` at column 31",
            ),
            (
                "{\"kind\":\"chunk\",\"key\":7,\"value\":1}",
                "not an object of kind, key and value: invalid type: integer `7`, expected a string at column 23",
            ),
            (
                "{\"kind\":\"chunk\",\"key\":\"k\",\"value\":1} x",
                "not an object of kind, key and value: trailing characters at column 38",
            ),
            (
                "{\"kind\":\"chunk\",\"key\":\"k\",\"value\":{\"a\":1}",
                "not an object of kind, key and value: EOF while parsing an object at column 41",
            ),
            ("{\"kind\":\"chunks\",\"key\":\"k\",\"value\":1}", "unknown kind \"chunks\""),
            (
                "{\"kind\":\"sequences\",\"key\":\"sequences\",\"value\":{}}",
                "not an id sequence: missing field `code_chunks` at column 2",
            ),
            (
                "{\"kind\":\"sequences\",\"key\":\"other\",\"value\":{}}",
                "unknown kind \"sequences\"",
            ),
            ("{\"kind\":\"end\",\"key\":\"other\",\"value\":{}}", "unknown kind \"end\""),
            ("{\"kind\":\"tables\",\"key\":\"t\",\"value\":{}}", "unknown kind \"tables\""),
            ("{\"kind\":\"table\",\"key\":\"t\",\"value\":{}}", "unknown kind \"table\""),
            (
                "{\"kind\":\"end\",\"key\":\"end\",\"value\":{}}",
                "not an end line of an export: missing field `chunk` at column 2",
            ),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
    }
}
