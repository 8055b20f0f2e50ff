//! Rows as JSON objects with the names of columns, for reports and for JSON Lines.

use std::borrow::Cow;
use std::fmt::Display;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::value::{read_infinity, read_number};
use super::{Cell, Row, RowError, TableSchema, free_rowid_name};
use crate::codec::one_line;

/// A row that is serialized as an object, with its members in the order of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowObject<'r> {
    pub(crate) table: &'r TableSchema,
    pub(crate) row: &'r Row<'r>,
}

impl Serialize for RowObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if let Some((name, rowid)) = rowid_name(self.table).zip(self.row.rowid) {
            object.serialize_entry(name, &rowid)?;
        }
        for (column, cell) in self.table.columns.iter().zip(&self.row.cells) {
            object.serialize_entry(column, &CellJson(cell))?;
        }
        object.end()
    }
}

/// A value that is serialized as [`cell_json`] represents it.
struct CellJson<'c>(&'c Cell<'c>);

impl Serialize for CellJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let base64 = |bytes| Base64Display::new(bytes, &STANDARD);
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Integer(integer) => serializer.serialize_i64(*integer),
            Cell::Real(f64::INFINITY) => serializer.collect_map([("real", "inf")]),
            Cell::Real(f64::NEG_INFINITY) => serializer.collect_map([("real", "-inf")]),
            Cell::Real(real) => serializer.serialize_f64(*real),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::IllFormedText(bytes) => serializer.collect_map([("text", Shown(base64(bytes)))]),
            Cell::Blob(bytes) => serializer.collect_map([("blob", Shown(base64(bytes)))]),
        }
    }
}

/// Something that is serialized as it is displayed.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The name of the rowid in an object; `None` if columns have all of its names.
pub(crate) fn rowid_name(table: &TableSchema) -> Option<&'static str> {
    free_rowid_name(&table.columns)
}

/// An object in place of a value.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Object<'j> {
    /// The bytes of a blob in Base64.
    #[serde(borrow)]
    Blob(Cow<'j, str>),
    /// The bytes of ill-formed text in Base64.
    Text(Cow<'j, str>),
    /// The name of an infinity.
    Real(Cow<'j, str>),
}

const NOT_A_VALUE: &str =
    r#"it is an object, but not {"blob":"…"}, {"text":"…"}, {"real":"inf"} or {"real":"-inf"}"#;

/// A value as JSON: infinities, blobs and ill-formed text are objects.
pub fn cell_json(cell: &Cell<'_>) -> Value {
    let object = |name: &str, text: String| {
        Value::Object(Map::from_iter([(name.to_owned(), Value::String(text))]))
    };
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(integer) => Value::from(*integer),
        Cell::Real(f64::INFINITY) => object("real", "inf".to_owned()),
        Cell::Real(f64::NEG_INFINITY) => object("real", "-inf".to_owned()),
        Cell::Real(real) => Value::from(*real),
        Cell::Text(text) => Value::from(text.as_ref()),
        Cell::IllFormedText(bytes) => object("text", STANDARD.encode(bytes)),
        Cell::Blob(bytes) => object("blob", STANDARD.encode(bytes)),
    }
}

/// The value that [`cell_json`] represents so. An integer differs from a real by its notation.
///
/// # Errors
/// Says what is wrong with it.
pub fn cell_from_json(json: &RawValue) -> Result<Cell<'static>, RowError> {
    let json = json.get();
    match json.as_bytes().first() {
        Some(b'n') => Ok(Cell::Null),
        Some(b't' | b'f') => Err(RowError::new("it is a boolean")),
        Some(b'[') => Err(RowError::new("it is an array")),
        Some(b'"') => match serde_json::from_str(json) {
            Ok(text) => Ok(Cell::Text(Cow::Owned(text))),
            Err(error) => Err(RowError(format!("it is not valid text: {}", one_line(&error)))),
        },
        Some(b'{') => from_object(serde_json::from_str(json)),
        _ => read_number(json).map_err(|problem| RowError(format!("it is {problem}"))),
    }
}

fn from_object(object: serde_json::Result<Object<'_>>) -> Result<Cell<'static>, RowError> {
    let bytes = |base64: &str| {
        let bytes = STANDARD.decode(base64).map(Cow::Owned);
        bytes.map_err(|_| RowError::new("its bytes are not valid Base64 with padding"))
    };
    let infinity = match object {
        Ok(Object::Blob(base64)) => return Ok(Cell::Blob(bytes(&base64)?)),
        Ok(Object::Text(base64)) => return Ok(Cell::IllFormedText(bytes(&base64)?)),
        Ok(Object::Real(name)) => read_infinity(&name),
        Err(_) => None,
    };
    infinity.ok_or_else(|| RowError::new(NOT_A_VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::test_rows::{any_cell, table};
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Cell<'static>, RowError> {
        cell_from_json(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn rows_are_objects_in_the_order_of_the_table() {
        let names = |columns: &[&str]| columns.iter().map(|&column| column.to_owned()).collect();
        let named =
            |columns| TableSchema { rowid: true, columns: names(columns), ..table("t", 0, &[]) };
        let cells = vec![
            Cell::Null,
            Cell::Real(1.0),
            Cell::Blob(b"\x00\xffab".into()),
            Cell::IllFormedText(b"\xff".into()),
            Cell::Real(f64::NEG_INFINITY),
            Cell::Text("\"é\n".into()),
        ];
        let row = Row { rowid: Some(-7), cells };
        let table = named(&["z", "RowId", "b", "a", "x", "y"]);
        assert_eq!(
            serde_json::to_string(&RowObject { table: &table, row: &row }).unwrap(),
            r#"{"_rowid_":-7,"z":null,"RowId":1.0,"b":{"blob":"AP9hYg=="},"a":{"text":"/w=="},"x":{"real":"-inf"},"y":"\"é\n"}"#
        );
        assert_eq!(rowid_name(&named(&["a"])), Some("rowid"));
        assert_eq!(rowid_name(&named(&["_ROWID_", "rowid"])), Some("oid"));
        assert_eq!(rowid_name(&named(&["OID", "_ROWID_", "rowid"])), None);
        let without = TableSchema { rowid: false, ..named(&["a"]) };
        let row = Row { rowid: None, cells: vec![Cell::Integer(1)] };
        let object = RowObject { table: &without, row: &row };
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"a":1}"#);
    }

    #[test]
    fn what_is_not_a_value_is_explained_in_a_sentence() {
        for (json, expected) in [
            ("true", "it is a boolean"),
            ("[1]", "it is an array"),
            ("{}", NOT_A_VALUE),
            (r#"{"blob":1}"#, NOT_A_VALUE),
            (r#"{"blob":"AA==","text":"AA=="}"#, NOT_A_VALUE),
            (r#"{"blob":"A"}"#, "its bytes are not valid Base64 with padding"),
            (r#"{"blob":"AA"}"#, "its bytes are not valid Base64 with padding"),
            (r#"{"blob":"AB=="}"#, "its bytes are not valid Base64 with padding"),
            (r#"{"blob":"A A="}"#, "its bytes are not valid Base64 with padding"),
            (r#"{"blob":"_-=="}"#, "its bytes are not valid Base64 with padding"),
            (r#"{"real":"nan"}"#, NOT_A_VALUE),
            (r#"{"real":{"inf":null}}"#, NOT_A_VALUE),
            (r#"{"secret":"AA=="}"#, NOT_A_VALUE),
            ("9223372036854775808", "it is a number out of range"),
            (r#"{"blob":"","blob":""}"#, NOT_A_VALUE),
            ("18446744073709551616", "it is a number out of range"),
            ("-0", "it is -0, must be 0 or -0.0"),
            ("1e999", "it is a number out of range"),
            (r#""\ud800""#, "it is not valid text: unexpected end of hex escape at column 8"),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn values_make_a_round_trip_through_json(cell in any_cell()) {
            let json = cell_json(&cell);
            let text = json.to_string();
            let found = read(&text).unwrap();
            prop_assert_eq!(&found, &cell);
            prop_assert_eq!(cell_json(&found).to_string(), &text[..]);
            prop_assert_eq!(serde_json::to_string(&CellJson(&cell)).unwrap(), text);
        }
    }
}
