//! Converts rows to the values of records.

use std::borrow::Cow;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::record::{Field, FieldClass, FieldValues, KindSchema, Value};
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::stream::{InvalidReason, RawValue};

/// What is wrong with one field of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvalidField {
    pub(crate) column: &'static str,
    pub(crate) reason: InvalidReason,
}

/// Reads a row selected with [`TableColumns::select_list`].
///
/// The outer error is SQLite's; the inner one says why the row is invalid.
///
/// [`TableColumns::select_list`]: crate::sqlite::read::table_columns::TableColumns::select_list
pub(crate) fn read_values<'r>(
    schema: &'static KindSchema,
    row: &'r Row<'_>,
    encoding: TextEncoding,
) -> rusqlite::Result<Result<FieldValues<'r>, InvalidField>> {
    let mut values = Vec::with_capacity(schema.fields.len());
    for (index, field) in schema.fields.iter().enumerate() {
        let stored = stored(schema, row, index, encoding)?;
        match field_value(field, stored, encoding) {
            Ok(value) => values.push(value),
            Err(reason) => {
                let column = field.name;
                return Ok(Err(InvalidField { column, reason }));
            }
        }
    }
    Ok(Ok(FieldValues::new(schema, values)))
}

/// All values of such a row, as stored.
pub(crate) fn read_raw(
    schema: &'static KindSchema,
    row: &Row<'_>,
    encoding: TextEncoding,
) -> rusqlite::Result<Vec<(&'static str, RawValue)>> {
    let fields = schema.fields.iter().enumerate();
    let raw = fields.map(|(index, field)| {
        let value = match stored(schema, row, index, encoding)? {
            ValueRef::Null => RawValue::Null,
            ValueRef::Integer(integer) => RawValue::Integer(integer),
            ValueRef::Real(real) => RawValue::Real(real),
            ValueRef::Blob(blob) => RawValue::Blob(blob.to_vec()),
            ValueRef::Text(bytes) => match encoding.decode(bytes) {
                Some(text) => RawValue::Text(text.into_owned()),
                None => RawValue::MalformedText(bytes.to_vec()),
            },
        };
        Ok((field.name, value))
    });
    raw.collect()
}

/// The stored value of a column. In a UTF-16 database the bytes of a text are selected as a
/// separate column.
fn stored<'r>(
    schema: &KindSchema,
    row: &'r Row<'_>,
    index: usize,
    encoding: TextEncoding,
) -> rusqlite::Result<ValueRef<'r>> {
    let value = row.get_ref(index)?;
    if !encoding.is_utf16() || !matches!(value, ValueRef::Text(_)) {
        return Ok(value);
    }
    let index = schema.fields.len() + index;
    match row.get_ref(index)? {
        ValueRef::Blob(bytes) => Ok(ValueRef::Text(bytes)),
        other => Err(rusqlite::Error::InvalidColumnType(
            index,
            "stored bytes of a text".to_owned(),
            other.data_type(),
        )),
    }
}

/// The value of a field, or what is wrong with it.
pub(crate) fn field_value<'r>(
    field: &Field,
    stored: ValueRef<'r>,
    encoding: TextEncoding,
) -> Result<Value<'r>, InvalidReason> {
    match (field.class, stored) {
        (_, ValueRef::Null) if field.nullable => Ok(Value::Null),
        (_, ValueRef::Null) => Err(InvalidReason::Null),
        (FieldClass::Text, ValueRef::Text(bytes)) => {
            let text: Option<Cow<'r, str>> = encoding.decode(bytes);
            text.map(Value::Text).ok_or(InvalidReason::NotUtf8)
        }
        (FieldClass::Integer, ValueRef::Integer(integer)) => Ok(Value::Integer(integer)),
        (FieldClass::Offset, ValueRef::Integer(integer)) => {
            let offset = u64::try_from(integer);
            offset.map(Value::Offset).map_err(|_| InvalidReason::Range)
        }
        (FieldClass::Real, ValueRef::Real(real)) if real.is_finite() => Ok(Value::Real(real + 0.0)),
        (FieldClass::Real, ValueRef::Real(_)) => Err(InvalidReason::NotFinite),
        _ => Err(InvalidReason::StorageClass),
    }
}
