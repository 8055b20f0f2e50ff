//! Reads rows from the objects that [`RowObject`](super::RowObject) writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{cell_from_json, rowid_name};
use super::{Cell, Row, RowError, TableSchema};
use crate::codec::{one_line, quoted_short};

/// Reads a row from a JSON object with a member for each column, in any order, and one for the rowid
/// if rows are stored with it.
///
/// # Errors
/// Says what is wrong with it; the name of a member may be part of the message, its value is not.
pub(crate) fn read_row_object(table: &TableSchema, json: &str) -> Result<Row<'static>, RowError> {
    let rowid_name = match table.rowid {
        true => rowid_name(table)
            .map(Some)
            .ok_or_else(|| RowError::new("the columns of the table have all names of the rowid"))?,
        false => None,
    };
    let names: Vec<&str> =
        rowid_name.into_iter().chain(table.columns.iter().map(String::as_str)).collect();
    let mut values: Vec<Option<Cell<'static>>> = vec![None; names.len()];
    let mut places = None;
    for (index, (name, json)) in members(json, names.len())?.into_iter().enumerate() {
        // An export has the columns in order.
        let place = match names.get(index) {
            Some(expected) if *expected == name => Some(index),
            _ => places.get_or_insert_with(|| places_of(&names)).get(&*name).copied(),
        };
        let of_member = |problem: &str| RowError(format!("{} {problem}", quoted_short(&name)));
        match place.and_then(|place| values.get_mut(place)) {
            None => return Err(of_member("is not a column of the table")),
            Some(Some(_)) => return Err(of_member("occurs twice")),
            Some(value) => {
                let read = cell_from_json(json);
                *value = Some(read.map_err(|error| of_member(&format!("is invalid: {error}")))?);
            }
        }
    }
    let mut values = names.iter().zip(values).map(|(name, value)| {
        value.ok_or_else(|| RowError(format!("{} is missing", quoted_short(name))))
    });
    let rowid = match rowid_name.and_then(|_| values.next()).transpose()? {
        None => None,
        Some(Cell::Integer(rowid)) => Some(rowid),
        Some(_) => return Err(RowError::new("the rowid is not an integer")),
    };
    Ok(Row { rowid, cells: values.collect::<Result<_, _>>()? })
}

fn places_of<'n>(names: &[&'n str]) -> BTreeMap<&'n str, usize> {
    names.iter().enumerate().map(|(place, name)| (*name, place)).collect()
}

/// The members of an object: all of them, or at least one more than `expected`.
fn members(json: &str, expected: usize) -> Result<Vec<(Cow<'_, str>, &RawValue)>, RowError> {
    if json.trim_ascii_start().as_bytes().first() != Some(&b'{') {
        return Err(RowError::new("it is not a JSON object"));
    }
    let mut members = Members { limit: expected + 1, found: Vec::with_capacity(expected) };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer
        .deserialize_map(&mut members)
        .and_then(|()| deserializer.end())
        .map_err(|error| RowError(format!("not valid JSON: {}", one_line(&error))))?;
    Ok(members.found)
}

/// The members of an object, of which only a limited number is kept.
struct Members<'v> {
    limit: usize,
    found: Vec<(Cow<'v, str>, &'v RawValue)>,
}

#[derive(Deserialize)]
struct Name<'v>(#[serde(borrow)] Cow<'v, str>);

impl<'v> Visitor<'v> for &mut Members<'v> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'v>>(self, mut object: A) -> Result<(), A::Error> {
        while self.found.len() < self.limit {
            let Some((Name(name), value)) = object.next_entry()? else {
                return Ok(());
            };
            self.found.push((name, value));
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::test_rows::{any_table_and_row, table};
    use crate::table::{RowObject, write_row};

    fn named(columns: &[&str]) -> TableSchema {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        TableSchema { rowid: true, columns, ..table("t", 0, &[]) }
    }

    #[test]
    fn members_may_be_in_any_order_and_notation() {
        let table = named(&["a", "rowid"]);
        let expected =
            Row { rowid: Some(7), cells: vec![Cell::Real(-0.0), Cell::Text("é".into())] };
        for json in [
            r#"{"_rowid_":7,"a":-0.0,"rowid":"é"}"#,
            r#" { "rowid" : "\u00e9" , "\u0061" : -0e0 , "_rowid_" : 7 } "#,
        ] {
            let row = read_row_object(&table, json).unwrap();
            assert!(row.cells[0].is_same(&expected.cells[0]));
            assert_eq!(row, expected, "{json}");
        }
    }

    #[test]
    fn what_is_not_a_row_is_explained_in_a_sentence() {
        let table = named(&["a", "b"]);
        for (json, expected) in [
            ("[7,1,2]", "it is not a JSON object"),
            ("", "it is not a JSON object"),
            ("{", "not valid JSON: EOF while parsing an object at column 1"),
            (r#"{"a":1}x"#, "not valid JSON: trailing characters at column 8"),
            ("{}", "\"rowid\" is missing"),
            (r#"{"rowid":7,"a":1}"#, "\"b\" is missing"),
            (r#"{"rowid":7,"a":1,"B":2}"#, "\"B\" is not a column of the table"),
            (r#"{"rowid":7,"a":1,"b":2,"c":3,"d":4}"#, "\"c\" is not a column of the table"),
            (r#"{"rowid":7,"a":1,"a":1}"#, "\"a\" occurs twice"),
            (r#"{"rowid":7,"a":1,"b":2,"b":2}"#, "\"b\" occurs twice"),
            (r#"{"rowid":7,"a":true,"b":2}"#, "\"a\" is invalid: it is a boolean"),
            (r#"{"rowid":7,"a":-0,"b":2}"#, "\"a\" is invalid: it is -0, must be 0 or -0.0"),
            (r#"{"rowid":7.0,"a":1,"b":2}"#, "the rowid is not an integer"),
            (r#"{"rowid":null,"a":1,"b":2}"#, "the rowid is not an integer"),
        ] {
            assert_eq!(read_row_object(&table, json).unwrap_err().to_string(), expected, "{json}");
        }
        let all_names = named(&["rowid", "_rowid_", "OID"]);
        let json = r#"{"rowid":1,"_rowid_":2,"OID":3}"#;
        let error = read_row_object(&all_names, json).unwrap_err();
        assert_eq!(error.to_string(), "the columns of the table have all names of the rowid");
    }

    fn bytes_of(row: &Row<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_row(row, &mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn rows_make_a_round_trip_through_objects((table, row) in any_table_and_row()) {
            let object = RowObject { table: &table, row: &row };
            let in_order = serde_json::to_string(&object).unwrap();
            // By name, which may be another order than that of the columns.
            let by_name = serde_json::to_value(object).unwrap().to_string();
            for json in [in_order, by_name] {
                let read = read_row_object(&table, &json).unwrap();
                prop_assert_eq!(bytes_of(&read), bytes_of(&row), "{}", json);
            }
        }

        #[test]
        fn any_text_can_be_read(json in "[{}:,\"c01e\\[\\] .-]{0,24}") {
            let table = table("t", 2, &[0]);
            if let Ok(row) = read_row_object(&table, &json) {
                let json = serde_json::to_string(&RowObject { table: &table, row: &row }).unwrap();
                let again = read_row_object(&table, &json).unwrap();
                prop_assert_eq!(bytes_of(&again), bytes_of(&row));
            }
        }
    }
}
