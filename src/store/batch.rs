//! Consecutive items of a stream, and how they are gathered.

use std::borrow::Cow;
use std::ops::Range;

use super::Item;
use crate::codec::{Entry, encode_json_into};
use crate::error::{Error, Result};
use crate::sqlite::{InvalidRow, Visited, VisitedEntry, VisitedValue};

/// A batch is handed on when it has so many bytes.
const BATCH_BYTES: usize = 1 << 20;
/// A batch is handed on when it has so many items.
const BATCH_ITEMS: usize = 16 << 10;
/// Records that are still to be written are handed on when they have so many bytes: few enough to
/// stay in a processor's cache on their way.
const RECORDS_BYTES: usize = 256 << 10;
/// What a record takes beside its text, in bytes.
const RECORD_BYTES: usize = 256;

/// What items of a stream are gathered in.
pub(super) trait Gather: Default {
    fn push(&mut self, visited: Visited<'_>) -> Result<()>;

    fn is_full(&self) -> bool;

    /// About how many bytes it takes; 0 only if there is nothing in it.
    fn weight(&self) -> usize;
}

/// Some consecutive items of a stream.
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
    /// An entry whose value was handed over.
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

    /// Bytes of all keys and values.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Whether there are no items.
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
            VisitedValue::Record(record) => self.write(key, |bytes| {
                encode_json_into(&record, bytes).map_err(|error| Error::Internal(error.to_string()))
            })?,
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
}

impl Gather for Batch {
    fn push(&mut self, visited: Visited<'_>) -> Result<()> {
        match visited {
            Ok(VisitedEntry { key, value }) => self.push_entry(key, value),
            Err(row) => {
                self.weight += row.size();
                self.items.push(Slot::Invalid(row));
                Ok(())
            }
        }
    }

    fn is_full(&self) -> bool {
        self.weight >= BATCH_BYTES || self.items.len() >= BATCH_ITEMS
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

/// Items whose values another thread is to write.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    keys: Vec<u8>,
    items: Vec<UnwrittenItem>,
    weight: usize,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are entries, and a box for each costs more than to move it"
)]
enum UnwrittenItem {
    Entry {
        key: Range<usize>,
        value: VisitedValue<'static>,
    },
    Invalid(Box<InvalidRow>),
}

impl Unwritten {
    /// Hands each item to `visit`, in order.
    pub(super) fn visit(self, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> {
        let keys = self.keys;
        self.items.into_iter().try_for_each(|item| match item {
            UnwrittenItem::Invalid(row) => visit(Err(row)),
            UnwrittenItem::Entry { key, value } => {
                let key = keys.get(key).unwrap_or_default();
                visit(Ok(VisitedEntry { key, value }))
            }
        })
    }
}

impl Gather for Unwritten {
    fn push(&mut self, visited: Visited<'_>) -> Result<()> {
        let item = match visited {
            Err(row) => {
                self.weight += row.size();
                UnwrittenItem::Invalid(row)
            }
            Ok(VisitedEntry { key, value }) => {
                let value = match value {
                    VisitedValue::Record(record) => VisitedValue::Record(record),
                    VisitedValue::Bytes(bytes) => {
                        VisitedValue::Bytes(Cow::Owned(bytes.into_owned()))
                    }
                };
                self.weight += key.len() + bytes_of(&value);
                let start = self.keys.len();
                self.keys.extend_from_slice(key);
                let key = start..self.keys.len();
                UnwrittenItem::Entry { key, value }
            }
        };
        self.items.push(item);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.weight >= RECORDS_BYTES
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

fn bytes_of(value: &VisitedValue<'_>) -> usize {
    match value {
        VisitedValue::Bytes(bytes) => bytes.len(),
        VisitedValue::Record(record) => record.text_len() + RECORD_BYTES,
    }
}
