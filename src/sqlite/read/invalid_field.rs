//! Messages for invalid rows.

use crate::codec::MAX_VALUE_BYTES;
use crate::record::{Field, FieldClass, KindSchema};
use crate::sqlite::read::text_encoding::TextEncoding;

use crate::stream::{InvalidReason, RawValue};

/// The message for a column's invalid value, such as `byte_start is -5, must be 0 or more`. It
/// contains no text from the row.
pub(crate) fn value_message(
    schema: &KindSchema,
    column: &str,
    reason: InvalidReason,
    values: &[(&'static str, RawValue)],
    encoding: TextEncoding,
) -> String {
    let of_column = |(name, _): &&(&str, RawValue)| *name == column;
    let value = values.iter().find(of_column).map(|(_, value)| value);
    let field = schema.named(column);
    let (Some(value), Some(field)) = (value, field) else {
        return format!("{column} is not valid ({reason})");
    };
    match (reason, value) {
        (InvalidReason::NotUtf8, RawValue::MalformedText(bytes)) => {
            format!("{column} is not valid {}", encoding.fault_of(bytes))
        }
        (InvalidReason::NotFinite, _) => {
            format!("{column} is {}, must be a finite number", found(value))
        }
        (InvalidReason::Range, _) => format!("{column} is {}, must be 0 or more", found(value)),
        _ => {
            let required = required(field);
            format!("{column} is {}, must be {required}", stored(value))
        }
    }
}

/// The message for a row whose key other rows have too.
pub(crate) fn same_key_message(others: &[i64]) -> String {
    match others {
        [other] => format!("row {other} has the same key"),
        [one, other, ..] => format!("rows {one} and {other} have the same key"),
        [] => "another row has the same key".to_owned(),
    }
}

/// The message for a row whose id another row has too.
pub(crate) fn same_id_message(id: i64, other: i64) -> String {
    format!("row {other} has the same id {id}")
}

/// The message for a record that is too large for a KV file.
pub(crate) fn too_large_message(column: &str, bytes: usize) -> String {
    format!("{column} makes the record {bytes} bytes of JSON, must be at most {MAX_VALUE_BYTES}")
}

fn required(field: &Field) -> String {
    let class = match field.class {
        FieldClass::Text => "TEXT",
        FieldClass::Integer | FieldClass::Offset => "an INTEGER",
        FieldClass::Real => "a REAL",
    };
    match field.nullable {
        true => format!("{class} or NULL"),
        false => class.to_owned(),
    }
}

/// A value with its storage class.
fn stored(value: &RawValue) -> String {
    match value {
        RawValue::Null => "NULL".to_owned(),
        RawValue::Integer(_) => format!("the INTEGER {}", found(value)),
        RawValue::Real(_) => format!("the REAL {}", found(value)),
        RawValue::Text(_) | RawValue::MalformedText(_) => "TEXT".to_owned(),
        RawValue::Blob(_) => "a BLOB".to_owned(),
    }
}

fn found(value: &RawValue) -> String {
    match value {
        RawValue::Integer(integer) => integer.to_string(),
        RawValue::Real(real) if *real == f64::INFINITY => "infinite".to_owned(),
        RawValue::Real(real) if *real == f64::NEG_INFINITY => "minus infinity".to_owned(),
        RawValue::Real(real) => format!("{real:?}"),
        other => other.storage_class().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_too_large_for_a_kv_file_is_reported_with_its_size() {
        assert_eq!(
            too_large_message("content", 5_000_000_000),
            "content makes the record 5000000000 bytes of JSON, must be at most 3221225472"
        );
    }
}
