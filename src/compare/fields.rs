//! Compares two records field by field.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::finding::FieldDifference;
use crate::error::{Error, Result};

/// The fields in which two canonical values differ, in the order of the record's fields.
pub(super) fn differences(left: &[u8], right: &[u8]) -> Result<Vec<FieldDifference>> {
    let (left, right) = (parse(left)?, parse(right)?);
    let pairs = left.0.into_iter().zip(right.0);
    let differing = pairs.filter(|((_, left), (_, right))| left != right);
    Ok(differing
        .map(|((field, left), (_, right))| FieldDifference {
            field,
            first_difference: first_difference(&left, &right),
            left,
            right,
        })
        .collect())
}

fn parse(canonical: &[u8]) -> Result<Fields> {
    serde_json::from_slice(canonical).map_err(|error| Error::Internal(error.to_string()))
}

fn first_difference(left: &Value, right: &Value) -> Option<usize> {
    let (left, right) = (left.as_str()?.as_bytes(), right.as_str()?.as_bytes());
    let common = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    Some(common)
}

/// The fields of an object in order.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_fields_is_a_clear_error() {
        let error = differences(b"{}", b"[]").unwrap_err().to_string();
        assert!(error.contains("expected an object"), "{error}");
    }
}
