//! The findings of a comparison.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::finding_class::FindingClass::{InvalidRow, KeyMismatch, Undecodable};
use super::finding_class::{FindingClass, Side};
use super::values::Values;
use crate::record::FieldValues;
use crate::stream;
use crate::stream::{InvalidReason, UncopiedTable};
use crate::table::{Kind, TableSchema, shown_key};

/// A field that differs between two records.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// Its value on the left.
    pub left: Value,
    /// Its value on the right.
    pub right: Value,
    /// For two strings: offset of the first differing byte, or the length of the shorter one if it
    /// is a prefix of the other.
    pub first_difference: Option<usize>,
}

/// Location of an invalid row, or of a record that a table rejects, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowLocation {
    /// Its table.
    pub table: &'static str,
    /// Its row id; `None` for a record that would be assigned one.
    pub rowid: Option<i64>,
    /// The invalid column; empty if a constraint violation doesn't name one.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: InvalidReason,
}

/// A divergence or a warning.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The class of the finding.
    pub class: FindingClass,
    /// The kind of record, if it concerns one.
    pub kind: Option<Kind>,
    /// The key, if there is one. As JSON, `key`, and `key_hex` if it is not UTF-8.
    #[serde(flatten, serialize_with = "serialize_key")]
    pub key: Option<Vec<u8>>,
    /// The key of a row of a carried table with the names of its columns, as `ast_nodes id=17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_key: Option<String>,
    /// The source file of a record whose key doesn't contain its path.
    #[doc(hidden)]
    #[serde(skip)]
    pub file_path: Option<String>,
    /// The side, if it concerns only one.
    pub side: Option<Side>,
    /// The fields that differ; only for [`FindingClass::Field`].
    pub fields: Vec<FieldDifference>,
    /// The fields of the record in order; only for [`FindingClass::OnlyLeft`] and
    /// [`FindingClass::OnlyRight`]. As JSON, an object.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "serialize_record")]
    pub record: Vec<(String, Value)>,
    /// The row; only for [`FindingClass::InvalidRow`].
    pub row: Option<RowLocation>,
    /// One sentence without a full stop.
    pub message: String,
    /// The message without any text from a value, if it contains some.
    #[serde(skip)]
    pub(crate) without_values: Option<String>,
    /// Whether the other side has a valid record with the key, which then doesn't count as existing
    /// only there.
    #[serde(skip)]
    pub(crate) other_has_record: bool,
}

/// What the other side has under the key of an invalid item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// A valid record.
    Record,
    /// An invalid item too.
    Invalid,
    Nothing,
}

impl Finding {
    /// Creates a finding without key, side, fields and row.
    pub(crate) fn new(class: FindingClass, kind: Option<impl Into<Kind>>, message: String) -> Self {
        Finding {
            class,
            kind: kind.map(Into::into),
            key: None,
            row_key: None,
            file_path: None,
            side: None,
            fields: Vec::new(),
            record: Vec::new(),
            row: None,
            message,
            without_values: None,
            other_has_record: false,
        }
    }

    /// A table or another object of a database that can't be carried.
    pub(crate) fn left_out(table: &UncopiedTable) -> Self {
        let kind = Kind::table(&table.name);
        let reason = table.reason.as_deref().unwrap_or_default();
        let message = format!("it cannot be carried or compared: {reason}");
        Finding::new(FindingClass::Schema, Some(kind), message)
    }

    pub(crate) fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    pub(crate) fn of_key(mut self, key: &[u8]) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// As [`of_key`](Self::of_key), for a row of a carried table.
    pub(crate) fn of_row(mut self, table: &TableSchema, key: &[u8]) -> Self {
        self.row_key = shown_key(table, key);
        self.of_key(key)
    }

    /// Adds the source file of the record, unless its key contains the path.
    pub(super) fn in_file_of(&mut self, record: &FieldValues<'_>) {
        let (schema, name) = (record.schema, "file_path");
        let place = schema.fields.iter().position(|field| field.name == name);
        let place = place.filter(|place| !schema.key.contains(place));
        self.file_path = place.map(|place| record.text(place).to_owned());
    }

    /// For a finding about an invalid item: adds what the other side has under its key.
    pub(super) fn beside(mut self, other: Other) -> Self {
        let (InvalidRow | Undecodable | KeyMismatch) = self.class else {
            return self;
        };
        let (Some(side), Some(_)) = (self.side, &self.key) else {
            return self;
        };
        let has = match other {
            Other::Record => "has a valid record with this key",
            Other::Invalid => "has no valid record with this key either",
            Other::Nothing => "has no record with this key",
        };
        let rest = format!("; the {} side {has}", side.other().name());
        self.message.push_str(&rest);
        if let Some(message) = &mut self.without_values {
            message.push_str(&rest);
        }
        self.other_has_record = other == Other::Record;
        self
    }

    /// The finding with its values in displayed form; if redacted, it contains no text from a
    /// value except for its key.
    pub(crate) fn shown(&self, values: Values) -> Cow<'_, Finding> {
        if values == Values::Full {
            return Cow::Borrowed(self);
        }
        let mut shown = self.clone();
        shown.show_as(values);
        Cow::Owned(shown)
    }

    /// Replaces the values by their displayed form.
    pub(super) fn show_as(&mut self, values: Values) {
        for field in &mut self.fields {
            for value in [&mut field.left, &mut field.right] {
                *value = values.shown(value, field.first_difference);
            }
        }
        for (_, value) in &mut self.record {
            *value = values.shown(value, None);
        }
        if values == Values::Redacted {
            self.file_path = None;
            if let Some(message) = self.without_values.take() {
                self.message = message;
            }
        }
    }

    /// Whether it concerns only this side, and the other side has no record with the key.
    pub(crate) fn is_only_of(&self, side: Side) -> bool {
        self.side == Some(side) && !self.other_has_record
    }

    /// A record that exists on one side only.
    pub(super) fn only(kind: impl Into<Kind>, side: Side, record: Vec<(String, Value)>) -> Self {
        let class = match side {
            Side::Left => FindingClass::OnlyLeft,
            Side::Right => FindingClass::OnlyRight,
        };
        let message = format!("the record is on the {} side only", side.name());
        Finding { record, ..Finding::new(class, Some(kind), message).on(side) }
    }

    /// The total length of its values that are texts.
    pub(super) fn values_len(&self) -> usize {
        let fields = self.fields.iter().flat_map(|field| [&field.left, &field.right]);
        let values = fields.chain(self.record.iter().map(|(_, value)| value));
        values.filter_map(Value::as_str).map(str::len).sum()
    }

    pub(super) fn fields(kind: impl Into<Kind>, fields: Vec<FieldDifference>) -> Self {
        let names: Vec<&str> = fields.iter().map(|f| f.field.as_str()).collect();
        let message = format!("the records differ in {}", names.join(", "));
        Finding { fields, ..Finding::new(FindingClass::Field, Some(kind), message) }
    }

    /// An invalid row.
    pub(crate) fn invalid_row(side: Side, row: &stream::InvalidRow) -> Self {
        Finding {
            key: row.key.clone(),
            row: Some(RowLocation {
                table: row.table,
                rowid: Some(row.rowid),
                column: row.column,
                reason: row.reason,
            }),
            without_values: Some(row.without_values()),
            ..Finding::new(InvalidRow, Some(row.kind), row.to_string()).on(side)
        }
    }

    /// A record of the left side that the target of a merge rejects.
    pub(crate) fn rejected(
        kind: impl Into<Kind>,
        key: &[u8],
        row: RowLocation,
        message: String,
    ) -> Self {
        let class = match row.reason {
            InvalidReason::WrongSymbol => FindingClass::WrongSymbol,
            _ => FindingClass::InvalidRow,
        };
        Finding {
            row: Some(row),
            ..Finding::new(class, Some(kind), message).on(Side::Left).of_key(key)
        }
    }

    /// A row of the left side that its table refuses.
    pub(crate) fn refused_row(table: &TableSchema, key: &[u8], why: &str) -> Self {
        let kind = Kind::table(&table.name);
        let message = format!("the table refuses it: {why}");
        Finding::new(InvalidRow, Some(kind), message).on(Side::Left).of_row(table, key)
    }

    /// A record of the left side that a table rejects.
    pub(crate) fn refused(kind: impl Into<Kind>, key: &[u8], row: RowLocation) -> Self {
        let (table, why) = (row.table, row.why_refused());
        let message = format!("table {table} rejects the record: {why}");
        Finding {
            row: Some(row),
            ..Finding::new(InvalidRow, Some(kind), message).on(Side::Left).of_key(key)
        }
    }
}

fn serialize_record<S: Serializer>(
    record: &[(String, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(record.iter().map(|(name, value)| (name, value)))
}

fn serialize_key<S: Serializer>(key: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Key<'k> {
        key: Option<&'k str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key_hex: Option<String>,
    }
    let text = key.as_deref().map(str::from_utf8).transpose();
    let key_hex = match (&text, key) {
        (Err(_), Some(key)) => Some(key.iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => None,
    };
    let key = text.unwrap_or_default();
    Key { key, key_hex }.serialize(serializer)
}

impl RowLocation {
    /// Why a table rejects the record.
    fn why_refused(&self) -> String {
        let column = self.column;
        match (self.reason, self.rowid) {
            (InvalidReason::Null, _) => format!("{column} is NULL, must not be NULL"),
            (InvalidReason::StorageClass, _) => {
                format!("{column} has the wrong type for its column")
            }
            (InvalidReason::DuplicateId, Some(id)) => {
                format!("another record has the same id {id}")
            }
            (reason, _) if column.is_empty() => format!("violates a {reason}"),
            (reason, _) => format!("{column} violates a {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacted_text_does_not_reach_json() {
        let field = FieldDifference {
            field: "content".to_owned(),
            left: Value::String("secret".to_owned()),
            right: Value::Null,
            first_difference: None,
        };
        let finding = Finding {
            fields: vec![field],
            record: vec![("content".to_owned(), Value::String("secret".to_owned()))],
            without_values: Some("row 7".to_owned()),
            ..Finding::new(InvalidRow, None::<Kind>, "row 7 (name \"secret\")".to_owned())
        };
        for (values, has_text) in [(Values::Full, true), (Values::Redacted, false)] {
            let json = serde_json::to_string(&finding.shown(values)).unwrap();
            assert_eq!(json.contains("secret"), has_text, "{json}");
            assert!(json.contains("row 7") && !json.contains("without_values"));
        }
    }

    #[test]
    fn a_key_that_is_not_text_is_in_hex() {
        let finding =
            Finding::new(FindingClass::UnknownKey, None::<Kind>, String::new()).of_key(b"\xff7");
        let json = serde_json::to_value(&finding).unwrap();
        assert_eq!(json["key"], Value::Null);
        assert_eq!(json["key_hex"], "ff37");
    }
}
