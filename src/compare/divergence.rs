//! What a comparison finds.

use serde_json::Value;

use super::class::{DivergenceClass, Side};
use crate::record::RecordKind;
use crate::sqlite::{InvalidRow, Reason};

/// A field that two records do not share.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// Its value on the left.
    pub left: Value,
    /// Its value on the right.
    pub right: Value,
    /// For two strings: offset of the first byte that differs, which is the length of the shorter
    /// one where that is a prefix of the other.
    pub first_difference: Option<usize>,
}

/// A row that is no record, or a record that a table refuses, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowFacts {
    /// Its table.
    pub table: &'static str,
    /// Its row id; `None` for a record that would have been given one.
    pub rowid: Option<i64>,
    /// The column that is to blame; empty where a constraint of a table does not tell.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// One divergence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Divergence {
    /// What class of divergence it is.
    pub class: DivergenceClass,
    /// The kind of record, where it is about one.
    pub kind: Option<RecordKind>,
    /// The key, where there is one.
    pub key: Option<Vec<u8>>,
    /// The side that it is about, where it is about one.
    pub side: Option<Side>,
    /// The fields that differ; only for [`DivergenceClass::Field`].
    pub fields: Vec<FieldDifference>,
    /// The row; only for [`DivergenceClass::InvalidRow`].
    pub row: Option<RowFacts>,
    /// One sentence without a full stop.
    pub message: String,
}

impl Divergence {
    /// A divergence without key, side, fields and row.
    pub(crate) fn new(class: DivergenceClass, kind: Option<RecordKind>, message: String) -> Self {
        Divergence {
            class,
            kind,
            key: None,
            side: None,
            fields: Vec::new(),
            row: None,
            message,
        }
    }

    pub(crate) fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    pub(crate) fn of_key(mut self, key: &[u8]) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The record is on one side only; `instead` is a row of its key on the other side.
    pub(super) fn only(
        kind: RecordKind,
        side: Side,
        key: &[u8],
        instead: Option<&InvalidRow>,
    ) -> Self {
        let (class, other) = match side {
            Side::Left => (DivergenceClass::OnlyLeft, Side::Right),
            Side::Right => (DivergenceClass::OnlyRight, Side::Left),
        };
        let mut message = format!("the record is on the {} side only", side.name());
        if let Some(row) = instead {
            message.push_str(&format!(
                ": on the {} side {}",
                other.name(),
                describe_row(&RowFacts::of(row))
            ));
        }
        Divergence::new(class, Some(kind), message)
            .on(side)
            .of_key(key)
    }

    pub(super) fn fields(kind: RecordKind, key: &[u8], fields: Vec<FieldDifference>) -> Self {
        let names: Vec<&str> = fields.iter().map(|f| f.field.as_str()).collect();
        let message = format!("the records differ in {}", names.join(", "));
        Divergence {
            fields,
            ..Divergence::new(DivergenceClass::Field, Some(kind), message).of_key(key)
        }
    }

    /// A row that is no record.
    pub(crate) fn invalid_row(side: Side, row: &InvalidRow) -> Self {
        let facts = RowFacts::of(row);
        let message = describe_row(&facts);
        Divergence {
            key: row.key.clone(),
            row: Some(facts),
            ..Divergence::new(DivergenceClass::InvalidRow, Some(row.kind), message).on(side)
        }
    }

    /// A record that a table can't hold, of the left side.
    #[cfg(feature = "native-v2")]
    pub(crate) fn refused(kind: RecordKind, key: &[u8], row: RowFacts) -> Self {
        let RowFacts {
            table,
            column,
            reason,
            ..
        } = row;
        let place = match column {
            "" => String::new(),
            _ => format!(" in {column}"),
        };
        let message = format!("the table {table} can't hold the record: {reason}{place}");
        Divergence {
            row: Some(row),
            ..Divergence::new(DivergenceClass::InvalidRow, Some(kind), message)
                .on(Side::Left)
                .of_key(key)
        }
    }
}

impl RowFacts {
    fn of(row: &InvalidRow) -> Self {
        RowFacts {
            table: row.table,
            rowid: Some(row.rowid),
            column: row.column,
            reason: row.reason,
        }
    }
}

fn describe_row(row: &RowFacts) -> String {
    let rowid = row.rowid.unwrap_or_default();
    format!(
        "row {rowid} of {} is no record: {} in {}",
        row.table, row.reason, row.column
    )
}
