//! Compares two records field by field.

use serde_json::Value as Json;

use super::finding::FieldDifference;
use crate::record::{FieldValues, Value};
use crate::table::{Cell, Row, TableSchema, cell_json, rowid_name};

/// The fields in which two records of a kind differ, in the order of the fields.
pub(super) fn differences(left: &FieldValues<'_>, right: &FieldValues<'_>) -> Vec<FieldDifference> {
    let pairs = left.iter().zip(right.values());
    let differing = pairs.filter(|((_, left), right)| left != right);
    differing
        .map(|((field, left), right)| FieldDifference {
            field: field.name.to_owned(),
            first_difference: first_difference(left, right),
            left: json(left),
            right: json(right),
        })
        .collect()
}

/// All fields of a record in order.
pub(super) fn record_fields(record: &FieldValues<'_>) -> Vec<(String, Json)> {
    record.iter().map(|(field, value)| (field.name.to_owned(), json(value))).collect()
}

/// The rowid, if it is part of a row, and all columns in order.
pub(super) fn row_fields(table: &TableSchema, row: &Row<'_>) -> Vec<(String, Json)> {
    let rowid = rowid_name(table).zip(row.rowid);
    let rowid = rowid.map(|(name, rowid)| (name.to_owned(), Json::from(rowid)));
    let columns = table.columns.iter().zip(&row.cells);
    let columns = columns.map(|(column, cell)| (column.clone(), cell_json(cell)));
    rowid.into_iter().chain(columns).collect()
}

fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(integer) => Json::from(*integer),
        Value::Offset(offset) => Json::from(*offset),
        Value::Real(real) => Json::from(*real),
        Value::Text(text) => Json::from(text.as_ref()),
    }
}

/// The columns of both tables in which two rows differ, in the order of the left table.
pub(super) fn row_differences(
    (left_table, left): (&TableSchema, &Row<'_>),
    (right_table, right): (&TableSchema, &Row<'_>),
) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    let names = (rowid_name(left_table), left.rowid, right.rowid);
    if let (Some(name), Some(left), Some(right)) = names
        && left != right
    {
        found.push(FieldDifference {
            field: name.to_owned(),
            left: Json::from(left),
            right: Json::from(right),
            first_difference: None,
        });
    }
    for (column, left) in left_table.columns.iter().zip(&left.cells) {
        let mut others = right_table.columns.iter().zip(&right.cells);
        let other = others.find(|(other, _)| other.eq_ignore_ascii_case(column));
        let Some((_, right)) = other.filter(|(_, right)| !left.is_same(right)) else {
            continue;
        };
        found.push(FieldDifference {
            field: column.clone(),
            first_difference: match (left, right) {
                (Cell::Text(left), Cell::Text(right)) => Some(first_differing_byte(left, right)),
                _ => None,
            },
            left: cell_json(left),
            right: cell_json(right),
        });
    }
    found
}

fn first_difference(left: &Value<'_>, right: &Value<'_>) -> Option<usize> {
    let (Value::Text(left), Value::Text(right)) = (left, right) else {
        return None;
    };
    Some(first_differing_byte(left, right))
}

fn first_differing_byte(left: &str, right: &str) -> usize {
    let mut pairs = left.bytes().zip(right.bytes());
    let shorter = left.len().min(right.len());
    pairs.position(|(l, r)| l != r).unwrap_or(shorter)
}
