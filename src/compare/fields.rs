//! Compares two records field by field.

use serde_json::Value as Json;

use super::finding::FieldDifference;
use crate::record::{FieldValues, Value};

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

fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(integer) => Json::from(*integer),
        Value::Offset(offset) => Json::from(*offset),
        Value::Real(real) => Json::from(*real),
        Value::Text(text) => Json::from(text.as_ref()),
    }
}

fn first_difference(left: &Value<'_>, right: &Value<'_>) -> Option<usize> {
    let (Value::Text(left), Value::Text(right)) = (left, right) else {
        return None;
    };
    let mut pairs = left.bytes().zip(right.bytes());
    let shorter = left.len().min(right.len());
    Some(pairs.position(|(l, r)| l != r).unwrap_or(shorter))
}
