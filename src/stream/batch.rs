//! Batches of consecutive stream items, and how they are filled.

use std::borrow::Cow;
use std::ops::Range;

use super::row_batch::{Row, RowBatch};
use super::{InvalidRow, Item, Visited};
use crate::codec::{Entry, encode_values};
use crate::error::Result;
use crate::record::FieldValues;

/// A batch is sent once it contains this many bytes.
const BATCH_BYTES: usize = 512 << 10;
/// A batch is sent once it contains this many items.
const BATCH_ITEMS: usize = 16 << 10;

/// Consecutive items of a stream.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    keys: Vec<u8>,
    values: Vec<u8>,
    /// The rows that have no entry yet, in order.
    rows: RowBatch,
    items: Vec<Slot>,
    weight: usize,
}

#[derive(Debug)]
enum Slot {
    /// Ranges of the shared buffers.
    Entry {
        key: Range<usize>,
        value: Range<usize>,
    },
    /// The next of the rows, and its key.
    Row {
        key: Range<usize>,
    },
    /// An entry whose value is owned and not copied into the shared buffer.
    Large {
        key: Vec<u8>,
        value: Vec<u8>,
    },
    Invalid(Box<InvalidRow>),
}

/// How much to reserve for the next batch, which may be a little larger than the last one.
pub(super) const fn with_margin(length: usize) -> usize {
    length + length / 4
}

/// What an item of a batch is made of.
#[derive(Debug)]
pub(crate) enum Content<'b> {
    Entry(Entry<'b>),
    Row(Row<'b>),
    Invalid,
}

impl Batch {
    /// Takes the items out. Memory for as many is reserved, because the next batch is of about the
    /// same size.
    pub(super) fn take(&mut self) -> Self {
        let next = Batch {
            keys: Vec::with_capacity(with_margin(self.keys.len())),
            values: Vec::with_capacity(with_margin(self.values.len())),
            rows: self.rows.empty_of_same_size(),
            items: Vec::with_capacity(with_margin(self.items.len())),
            weight: 0,
        };
        std::mem::replace(self, next)
    }

    /// The items in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        (0..self.items.len()).filter_map(|index| self.get(index))
    }

    /// The item at an index, unless it is a row without an entry.
    pub(super) fn get(&self, index: usize) -> Option<Item<'_>> {
        Some(match self.items.get(index)? {
            Slot::Invalid(row) => Item::Invalid(row),
            Slot::Large { key, value } => Item::Entry(Entry { key, value }),
            Slot::Entry { key, value } => Item::Entry(Entry {
                key: self.keys.get(key.clone())?,
                value: self.values.get(value.clone())?,
            }),
            Slot::Row { .. } => return None,
        })
    }

    /// The entries in order, without invalid rows.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(entry),
            Item::Invalid(_) => None,
        })
    }

    /// What each item is made of, in order.
    pub(crate) fn contents(&self) -> impl Iterator<Item = Content<'_>> {
        let mut rows = self.rows.rows();
        (0..self.items.len()).filter_map(move |index| {
            Some(match self.get(index) {
                Some(Item::Entry(entry)) => Content::Entry(entry),
                Some(Item::Invalid(_)) => Content::Invalid,
                None => Content::Row(rows.next()?),
            })
        })
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Total bytes of all keys and values.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// Whether the batch is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an item.
    pub(crate) fn push(&mut self, visited: Visited<'_>) {
        let slot = match visited {
            Visited::Entry { key, value } => {
                self.weight += key.len() + value.len();
                match value {
                    Cow::Owned(value) => Slot::Large { key: key.to_vec(), value },
                    Cow::Borrowed(value) => {
                        let start = self.values.len();
                        self.values.extend_from_slice(value);
                        Slot::Entry { key: self.push_key(key), value: start..self.values.len() }
                    }
                }
            }
            Visited::Row { key, values } => {
                self.weight += key.len() + self.rows.push_values(values.schema, values.borrowed());
                Slot::Row { key: self.push_key(key) }
            }
            Visited::Invalid(row) => {
                self.weight += row.size();
                Slot::Invalid(row)
            }
        };
        self.items.push(slot);
    }

    fn push_key(&mut self, key: &[u8]) -> Range<usize> {
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        start..self.keys.len()
    }

    /// Whether the batch should be sent.
    pub(super) fn is_full(&self) -> bool {
        self.weight >= BATCH_BYTES || self.items.len() >= BATCH_ITEMS
    }

    /// Turns the rows into entries.
    pub(crate) fn encode_rows(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let Some(schema) = rows.schema() else {
            return Ok(());
        };
        self.values.reserve(with_margin(self.weight));
        let mut remaining = rows.rows();
        let mut values = FieldValues::new(schema, Vec::with_capacity(schema.fields.len()));
        for slot in &mut self.items {
            if let Slot::Row { key } = slot
                && let Some(row) = remaining.next()
            {
                values.replace(row.values());
                let start = self.values.len();
                encode_values(&values, &mut self.values)?;
                let value = start..self.values.len();
                self.weight += value.len();
                *slot = Slot::Entry { key: key.clone(), value };
            }
        }
        self.weight = self.weight.saturating_sub(rows.weight());
        Ok(())
    }
}
