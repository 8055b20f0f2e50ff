//! Explains in one sentence why JSON is not a valid record, naming the first invalid field.

use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::one_line;
use crate::record::RecordKind;

/// Longer texts are shortened to this many characters.
const SHOWN_CHARS: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Text,
    Integer,
    /// An integer, 0 or more.
    Offset,
    Float,
}

/// The name of a field, its type, and whether it may be null.
type Field = (&'static str, Class, bool);

use Class::{Float, Integer, Offset, Text};

const fn fields(kind: RecordKind) -> &'static [Field] {
    match kind {
        RecordKind::Chunk => &[
            ("id", Integer, false),
            ("file_path", Text, false),
            ("byte_start", Offset, false),
            ("byte_end", Offset, false),
            ("content", Text, false),
            ("content_hash", Text, false),
            ("symbol_name", Text, true),
            ("symbol_kind", Text, true),
            ("created_at", Integer, false),
        ],
        RecordKind::ExecutionLog => &[
            ("id", Integer, false),
            ("execution_id", Text, false),
            ("tool_version", Text, false),
            ("args", Text, false),
            ("root", Text, true),
            ("db_path", Text, false),
            ("started_at", Integer, false),
            ("finished_at", Integer, true),
            ("duration_ms", Integer, true),
            ("outcome", Text, false),
            ("error_message", Text, true),
            ("files_indexed", Integer, true),
            ("symbols_indexed", Integer, true),
            ("references_indexed", Integer, true),
        ],
        RecordKind::FileMetrics => &[
            ("file_path", Text, false),
            ("symbol_count", Integer, true),
            ("loc", Integer, true),
            ("estimated_loc", Float, true),
            ("fan_in", Integer, true),
            ("fan_out", Integer, true),
            ("complexity_score", Float, true),
            ("last_updated", Integer, false),
        ],
        RecordKind::SymbolMetrics => &[
            ("symbol_id", Integer, false),
            ("symbol_name", Text, false),
            ("kind", Text, false),
            ("file_path", Text, false),
            ("loc", Integer, true),
            ("estimated_loc", Float, true),
            ("fan_in", Integer, true),
            ("fan_out", Integer, true),
            ("cyclomatic_complexity", Integer, true),
            ("last_updated", Integer, false),
        ],
    }
}

/// What is wrong with a value.
#[derive(Debug)]
pub(super) struct Explanation {
    /// A sentence without a full stop, such as `loc is 10.0, must be an integer or null`.
    pub(super) message: String,
    /// The same without any text from the value.
    pub(super) without_values: String,
}

impl Explanation {
    fn plain(message: String) -> Self {
        Explanation {
            without_values: message.clone(),
            message,
        }
    }
}

/// Explains why `value`, for which serde reported `error`, is not a valid record.
pub(super) fn explain(kind: RecordKind, value: &[u8], error: &serde_json::Error) -> Explanation {
    let mut walk = Walk {
        fields: fields(kind),
        seen: Vec::new(),
        found: None,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(value);
    let walked = deserializer.deserialize_map(&mut walk);
    if let Some(found) = walk.found {
        return found;
    }
    match error.is_data() && walked.is_ok() {
        // serde's message may quote the value.
        true => Explanation {
            message: one_line(error),
            without_values: "its fields are not those of a record".to_owned(),
        },
        false => Explanation::plain(format!("not valid JSON: {}", one_line(error))),
    }
}

/// Checks the fields of an object in turn, up to the first invalid one, without storing any.
struct Walk {
    fields: &'static [Field],
    seen: Vec<&'static str>,
    found: Option<Explanation>,
}

impl<'de> Visitor<'de> for &mut Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let value: &RawValue = map.next_value()?;
            let known = self.fields.iter().find(|(field, ..)| *field == name);
            self.found = match known {
                None => Some(Explanation {
                    message: format!("unknown field {}", quoted_short(&name)),
                    without_values: "unknown field".to_owned(),
                }),
                Some((field, ..)) if self.seen.contains(field) => {
                    Some(Explanation::plain(format!("{field} appears twice")))
                }
                Some(field) => wrong(*field, value.get()),
            };
            if self.found.is_some() {
                return Err(A::Error::custom("a field is invalid"));
            }
            self.seen.extend(known.map(|(field, ..)| *field));
        }
        let missing = |(field, ..): &&Field| !self.seen.contains(field);
        self.found = self
            .fields
            .iter()
            .find(missing)
            .map(|(field, ..)| Explanation::plain(format!("{field} is missing")));
        Ok(())
    }
}

/// What is wrong with a field's JSON; `None` if it is valid.
fn wrong((field, class, nullable): Field, json: &str) -> Option<Explanation> {
    let plain = |message| Some(Explanation::plain(message));
    let other = |found: &str, anonymous: &str| {
        let required = required(class, nullable);
        Some(Explanation {
            message: format!("{field} is {found}, must be {required}"),
            without_values: format!("{field} is {anonymous}, must be {required}"),
        })
    };
    match (json.as_bytes().first(), class) {
        (Some(b'n'), _) if nullable => None,
        (Some(b'n'), _) => other("null", "null"),
        (Some(b't' | b'f'), _) => other(json, json),
        (Some(b'['), _) => other("an array", "an array"),
        (Some(b'{'), _) => other("an object", "an object"),
        (Some(b'"'), Text) => {
            let error = serde_json::from_str::<String>(json).err()?;
            plain(format!("{field} is not valid text: {}", one_line(&error)))
        }
        (Some(b'"'), _) => {
            let text = serde_json::from_str::<String>(json);
            let text = text.map(|text| quoted_short(&text));
            other(text.as_deref().unwrap_or("a string"), "a string")
        }
        (_, Text) => other(&number(json), "a number"),
        (_, Float) => {
            let is_finite = json.parse::<f64>().is_ok_and(f64::is_finite);
            match is_finite {
                true => None,
                false => plain(format!(
                    "{field} is {}, must be a finite number",
                    number(json)
                )),
            }
        }
        (_, Integer) if json.parse::<i64>().is_ok() => None,
        (_, Offset)
            if json
                .parse::<u64>()
                .is_ok_and(|offset| i64::try_from(offset).is_ok()) =>
        {
            None
        }
        (_, Offset) if json.parse::<i64>().is_ok() => {
            plain(format!("{field} is {}, must be 0 or more", number(json)))
        }
        _ if json
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-') =>
        {
            let (min, max) = (i64::MIN, i64::MAX);
            let range = match class {
                Offset => format!("at most {max}"),
                _ => format!("between {min} and {max}"),
            };
            plain(format!("{field} is {}, must be {range}", number(json)))
        }
        _ => other(&number(json), &number(json)),
    }
}

fn required(class: Class, nullable: bool) -> String {
    let class = match class {
        Text => "a string",
        Integer | Offset => "an integer",
        Float => "a number",
    };
    match nullable {
        true => format!("{class} or null"),
        false => class.to_owned(),
    }
}

/// A number as written in the JSON, shortened.
fn number(json: &str) -> String {
    match json.get(..SHOWN_CHARS) {
        Some(start) if start.len() < json.len() => format!("{start}…"),
        _ => json.to_owned(),
    }
}

/// A text in quotes, shortened, with control characters escaped.
pub(crate) fn quoted_short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests;
