//! Batches of records as values, to be inserted into a table.

use std::borrow::Cow;

use super::batch::with_margin;
use crate::record::{FieldValues, KindSchema, Value};

/// A longer text is moved into the batch instead of copied.
const LARGE_TEXT_BYTES: usize = 64 << 10;

/// Records of one kind as values. Their texts share one buffer.
#[derive(Debug, Default)]
pub(crate) struct RowBatch {
    schema: Option<&'static KindSchema>,
    text: String,
    large: Vec<String>,
    slots: Vec<Slot>,
    weight: usize,
}

/// A value, with its text elsewhere in the batch.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Null,
    Integer(i64),
    Offset(u64),
    Real(f64),
    Text { start: usize, end: usize },
    Large(usize),
}

impl RowBatch {
    /// An empty batch with memory for this many values and bytes of texts.
    pub(crate) fn with_capacity(values: usize, text_bytes: usize) -> Self {
        RowBatch {
            text: String::with_capacity(text_bytes),
            slots: Vec::with_capacity(values),
            ..RowBatch::default()
        }
    }

    /// Whether it is empty.
    pub(crate) const fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn empty_of_same_size(&self) -> Self {
        Self::with_capacity(with_margin(self.slots.len()), with_margin(self.text.len()))
    }

    /// Adds a record, which must be of the same kind as those before.
    pub(crate) fn push(&mut self, record: FieldValues<'_>) {
        self.push_values(record.schema, record.into_values());
    }

    /// As [`push`](RowBatch::push); returns the size of the record in bytes.
    pub(super) fn push_values<'v>(
        &mut self,
        schema: &'static KindSchema,
        values: impl Iterator<Item = Value<'v>>,
    ) -> usize {
        self.schema = Some(schema);
        let weight_before = self.weight;
        for value in values {
            let slot = match value {
                Value::Null => Slot::Null,
                Value::Integer(integer) => Slot::Integer(integer),
                Value::Offset(offset) => Slot::Offset(offset),
                Value::Real(real) => Slot::Real(real),
                Value::Text(Cow::Owned(text)) if text.len() > LARGE_TEXT_BYTES => {
                    self.weight += text.len();
                    self.large.push(text);
                    Slot::Large(self.large.len() - 1)
                }
                Value::Text(text) => {
                    self.weight += text.len();
                    let start = self.text.len();
                    self.text.push_str(&text);
                    let end = self.text.len();
                    Slot::Text { start, end }
                }
            };
            self.slots.push(slot);
        }
        self.weight += schema.fields.len() * size_of::<Slot>();
        self.weight - weight_before
    }

    /// The kind of the records; `None` if there are none.
    pub(crate) const fn schema(&self) -> Option<&'static KindSchema> {
        self.schema
    }

    /// The size of the records in bytes.
    pub(crate) const fn weight(&self) -> usize {
        self.weight
    }

    /// The records, each as the values of its fields in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let fields = self.schema.map_or(1, |schema| schema.fields.len().max(1));
        self.slots.chunks(fields).map(|slots| Row { batch: self, slots })
    }
}

/// A record of a [`RowBatch`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'b> {
    batch: &'b RowBatch,
    slots: &'b [Slot],
}

impl<'b> Row<'b> {
    /// The values in the order of the fields.
    pub(crate) fn values(self) -> impl Iterator<Item = Value<'b>> {
        (0..).zip(self.slots).map(move |(place, slot)| match *slot {
            Slot::Null => Value::Null,
            Slot::Integer(integer) => Value::Integer(integer),
            Slot::Offset(offset) => Value::Offset(offset),
            Slot::Real(real) => Value::Real(real),
            Slot::Text { .. } | Slot::Large(_) => Value::Text(Cow::Borrowed(self.text(place))),
        })
    }

    /// The record.
    pub(crate) fn record(self) -> Option<FieldValues<'b>> {
        let schema = self.batch.schema?;
        Some(FieldValues::new(schema, self.values().collect()))
    }

    /// The text at a place of the schema; empty if it is not a text.
    pub(crate) fn text(self, place: usize) -> &'b str {
        match self.slots.get(place) {
            Some(Slot::Text { start, end }) => self.batch.text.get(*start..*end),
            Some(Slot::Large(index)) => self.batch.large.get(*index).map(String::as_str),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// The row id that the table assigned; `None` for kinds without ids.
    pub(crate) fn id(self) -> Option<i64> {
        let has_ids = self.batch.schema.is_some_and(|schema| schema.has_ids);
        match self.slots.first() {
            Some(Slot::Integer(id)) if has_ids => Some(*id),
            _ => None,
        }
    }
}
