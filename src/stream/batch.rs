//! Batches of consecutive stream items, and how they are filled.

use std::borrow::Cow;

use super::{InvalidRow, Item, Visited, VisitedEntry, VisitedValue};
use crate::codec::{Entry, encode_json_into};
use crate::error::Result;

/// A batch is sent once it contains this many bytes.
const BATCH_BYTES: usize = 1 << 20;
/// A batch is sent once it contains this many items.
const BATCH_ITEMS: usize = 16 << 10;

/// Consecutive items of a stream.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    items: Vec<Slot>,
    weight: usize,
}

#[derive(Debug)]
enum Slot {
    Entry {
        key_start: usize,
        value_start: usize,
        value_end: usize,
    },
    /// An entry whose value is owned and not copied into the shared buffer.
    Large {
        key: Vec<u8>,
        value: Vec<u8>,
    },
    Invalid(Box<InvalidRow>),
}

impl Batch {
    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        (0..self.items.len()).filter_map(|index| self.get(index))
    }

    pub(super) fn get(&self, index: usize) -> Option<Item<'_>> {
        Some(match self.items.get(index)? {
            Slot::Invalid(row) => Item::Invalid(row),
            Slot::Large { key, value } => Item::Entry(Entry { key, value }),
            &Slot::Entry {
                key_start,
                value_start,
                value_end,
            } => Item::Entry(Entry {
                key: self.bytes.get(key_start..value_start)?,
                value: self.bytes.get(value_start..value_end)?,
            }),
        })
    }

    /// The entries in order, without invalid rows.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(entry),
            Item::Invalid(_) => None,
        })
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Total bytes of all keys and values.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Whether the batch is empty.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn push_entry(&mut self, key: &[u8], value: VisitedValue<'_>) -> Result<()> {
        let slot = match value {
            VisitedValue::Bytes(Cow::Owned(value)) => {
                self.weight += key.len() + value.len();
                Slot::Large {
                    key: key.to_vec(),
                    value,
                }
            }
            VisitedValue::Bytes(Cow::Borrowed(value)) => self.write(key, |bytes| {
                bytes.extend_from_slice(value);
                Ok(())
            })?,
            VisitedValue::Record(record) => {
                self.write(key, |bytes| Ok(encode_json_into(&record, bytes)?))?
            }
        };
        self.items.push(slot);
        Ok(())
    }

    fn write(
        &mut self,
        key: &[u8],
        write_value: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<Slot> {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BATCH_BYTES + BATCH_BYTES / 8);
        }
        let key_start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let value_start = self.bytes.len();
        write_value(&mut self.bytes)?;
        self.weight += self.bytes.len() - key_start;
        Ok(Slot::Entry {
            key_start,
            value_start,
            value_end: self.bytes.len(),
        })
    }

    /// Adds an item. A record is encoded to its canonical value.
    pub(super) fn push(&mut self, visited: Visited<'_>) -> Result<()> {
        match visited {
            Ok(VisitedEntry { key, value }) => self.push_entry(key, value),
            Err(row) => {
                self.weight += row.size();
                self.items.push(Slot::Invalid(row));
                Ok(())
            }
        }
    }

    /// Whether the batch should be sent.
    pub(super) fn is_full(&self) -> bool {
        self.weight >= BATCH_BYTES || self.items.len() >= BATCH_ITEMS
    }
}
