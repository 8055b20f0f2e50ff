//! Decodes records from JSON in any notation, and explains in one sentence why JSON is not a valid
//! record, naming the first invalid field.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::json::canonical_values;
use crate::record::{Field, FieldClass, FieldValues, KindSchema, Value};

/// Longer texts are shortened to this many characters.
const SHOWN_CHARS: usize = 60;

/// Why bytes are not a valid record: a sentence without a full stop, such as `loc is 10.0, must be
/// an integer or null`.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct DecodeError {
    message: String,
    /// The same without any text from the value.
    pub(crate) without_values: String,
}

impl DecodeError {
    fn plain(message: impl Into<String>) -> Self {
        let message = message.into();
        DecodeError { without_values: message.clone(), message }
    }

    pub(super) fn not_an_object() -> Self {
        DecodeError::plain("the value is not a JSON object")
    }

    fn syntax(error: &serde_json::Error) -> Self {
        DecodeError::plain(format!("not valid JSON: {}", one_line(error)))
    }
}

/// serde_json's message for a single line of text, with the column but without the useless "line
/// 1".
pub(crate) fn one_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line 1 column {}", error.column());
    match text.strip_suffix(&place) {
        Some(what) if error.column() > 0 => format!("{what} at column {}", error.column()),
        Some(what) => what.to_owned(),
        None => text,
    }
}

/// Decodes the values of a record, as [`decode_json`](super::decode_json) does.
pub(crate) fn decode_values<'v>(
    schema: &'static KindSchema,
    value: &'v [u8],
) -> Result<FieldValues<'v>, DecodeError> {
    if let Some(values) = canonical_values(schema, value) {
        return Ok(values);
    }
    if value.trim_ascii_start().first() != Some(&b'{') {
        return Err(DecodeError::not_an_object());
    }
    let mut found =
        Found { schema, values: schema.fields.iter().map(|_| None).collect(), error: None };
    let mut deserializer = serde_json::Deserializer::from_slice(value);
    let read = deserializer.deserialize_map(&mut found);
    if let Some(error) = found.error {
        return Err(error);
    }
    read.and_then(|()| deserializer.end()).map_err(|error| DecodeError::syntax(&error))?;
    let fields = schema.fields.iter().zip(found.values);
    let values = fields.map(|(field, value)| {
        value.ok_or_else(|| DecodeError::plain(format!("{} is missing", field.name)))
    });
    Ok(FieldValues::new(schema, values.collect::<Result<_, _>>()?))
}

/// The values of an object's fields, up to the first invalid one.
struct Found<'v> {
    schema: &'static KindSchema,
    values: Vec<Option<Value<'v>>>,
    error: Option<DecodeError>,
}

impl<'v> Found<'v> {
    fn add(&mut self, name: &str, json: &'v str) -> Result<(), DecodeError> {
        let mut fields = self.schema.fields.iter().zip(&mut self.values);
        match fields.find(|(field, _)| field.name == name) {
            None => Err(DecodeError {
                message: format!("unknown field {}", quoted_short(name)),
                without_values: "unknown field".to_owned(),
            }),
            Some((_, Some(_))) => Err(DecodeError::plain(format!("{name} appears twice"))),
            Some((field, value)) => {
                *value = Some(decode_value(field, json)?);
                Ok(())
            }
        }
    }
}

impl<'v> Visitor<'v> for &mut Found<'v> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'v>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            let value: &RawValue = map.next_value()?;
            if let Err(error) = self.add(&name, value.get()) {
                self.error = Some(error);
                return Err(A::Error::custom("a field is invalid"));
            }
        }
        Ok(())
    }
}

/// The value of a field from valid JSON.
fn decode_value<'v>(field: &Field, json: &str) -> Result<Value<'v>, DecodeError> {
    use FieldClass::{Integer, Offset, Real, Text};
    let name = field.name;
    let plain = |message| Err(DecodeError::plain(message));
    let other = |found: &str, anonymous: &str| {
        let required = required(field);
        Err(DecodeError {
            message: format!("{name} is {found}, must be {required}"),
            without_values: format!("{name} is {anonymous}, must be {required}"),
        })
    };
    match (json.as_bytes().first(), field.class) {
        (Some(b'n'), _) if field.nullable => Ok(Value::Null),
        (Some(b'n'), _) => other("null", "null"),
        (Some(b't' | b'f'), _) => other(json, json),
        (Some(b'['), _) => other("an array", "an array"),
        (Some(b'{'), _) => other("an object", "an object"),
        (Some(b'"'), Text) => match serde_json::from_str::<String>(json) {
            Ok(text) => Ok(Value::Text(Cow::Owned(text))),
            Err(error) => plain(format!("{name} is not valid text: {}", one_line(&error))),
        },
        (Some(b'"'), _) => {
            let text = serde_json::from_str::<String>(json);
            let text = text.map(|text| quoted_short(&text));
            other(text.as_deref().unwrap_or("a string"), "a string")
        }
        (_, Text) => other(&number(json), "a number"),
        (_, Real) => match json.parse::<f64>() {
            Ok(real) if real.is_finite() => Ok(Value::Real(real + 0.0)),
            _ => plain(format!("{name} is {}, must be a finite number", number(json))),
        },
        // serde_json, too, takes -0 for a float.
        (_, Integer | Offset) if json == "-0" => other(json, json),
        (_, Integer | Offset) => match (json.parse::<i64>(), field.class) {
            (Ok(integer), Integer) => Ok(Value::Integer(integer)),
            (Ok(integer), _) => match u64::try_from(integer) {
                Ok(offset) => Ok(Value::Offset(offset)),
                Err(_) => plain(format!("{name} is {json}, must be 0 or more")),
            },
            (Err(_), class) if is_integer(json) => {
                let (min, max) = (i64::MIN, i64::MAX);
                let range = match class {
                    Offset => format!("at most {max}"),
                    _ => format!("between {min} and {max}"),
                };
                plain(format!("{name} is {}, must be {range}", number(json)))
            }
            _ => other(&number(json), &number(json)),
        },
    }
}

fn is_integer(json: &str) -> bool {
    let mut bytes = json.bytes();
    bytes.all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn required(field: &Field) -> String {
    let class = match field.class {
        FieldClass::Text => "a string",
        FieldClass::Integer | FieldClass::Offset => "an integer",
        FieldClass::Real => "a number",
    };
    match field.nullable {
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
