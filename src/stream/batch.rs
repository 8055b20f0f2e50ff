//! Batches of consecutive stream items, and how they are filled.

use std::borrow::Cow;

use super::{InvalidRow, Item, Visited};
use crate::codec::Entry;

/// A batch is sent once it contains this many bytes.
pub(super) const BATCH_BYTES: usize = 1 << 20;
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

    /// Adds an item.
    pub(super) fn push(&mut self, visited: Visited<'_>) {
        let slot = match visited {
            Visited::Entry { key, value } => {
                self.weight += key.len() + value.len();
                match value {
                    Cow::Owned(value) => Slot::Large {
                        key: key.to_vec(),
                        value,
                    },
                    Cow::Borrowed(value) => self.write(Entry { key, value }),
                }
            }
            Visited::Invalid(row) => {
                self.weight += row.size();
                Slot::Invalid(row)
            }
        };
        self.items.push(slot);
    }

    fn write(&mut self, entry: Entry<'_>) -> Slot {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BATCH_BYTES + BATCH_BYTES / 8);
        }
        let key_start = self.bytes.len();
        self.bytes.extend_from_slice(entry.key);
        let value_start = self.bytes.len();
        self.bytes.extend_from_slice(entry.value);
        Slot::Entry {
            key_start,
            value_start,
            value_end: self.bytes.len(),
        }
    }

    /// Whether the batch should be sent.
    pub(super) fn is_full(&self) -> bool {
        self.weight >= BATCH_BYTES || self.items.len() >= BATCH_ITEMS
    }
}
