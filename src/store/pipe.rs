//! A stream that one thread reads and another takes, batch by batch.

use std::borrow::Cow;
use std::thread;

use super::queue::{QueueReceiver, QueueSender, queue};
use super::{Item, SortedItems, Visit};
use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::progress::{Progress, check_cancelled};
use crate::record::RecordKind;
use crate::sqlite::{InvalidRow, Visited, VisitedEntry};

/// A batch is handed on when it has so many bytes.
const BATCH_BYTES: usize = 2 << 20;
/// A batch is handed on when it has so many items.
const BATCH_ITEMS: usize = 16 << 10;

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

    fn get(&self, index: usize) -> Option<Item<'_>> {
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

    fn push(&mut self, visited: Visited<'_>) {
        match visited {
            Ok(VisitedEntry { key, value }) => {
                self.weight += key.len() + value.len();
                let slot = match value {
                    Cow::Borrowed(value) => self.copy(key, value),
                    Cow::Owned(value) => Slot::Large {
                        key: key.to_vec(),
                        value,
                    },
                };
                self.items.push(slot);
            }
            Err(row) => {
                self.weight += row.size();
                self.items.push(Slot::Invalid(row));
            }
        }
    }

    fn copy(&mut self, key: &[u8], value: &[u8]) -> Slot {
        self.bytes.reserve(key.len() + value.len());
        let key_start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let value_start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        Slot::Entry {
            key_start,
            value_start,
            value_end: self.bytes.len(),
        }
    }

    fn is_full(&self) -> bool {
        self.weight >= BATCH_BYTES || self.items.len() >= BATCH_ITEMS
    }
}

#[derive(Debug)]
enum Message {
    Batch(Batch),
    /// The stream was read to its end. Without this, a stream that stops has failed.
    End,
    Failed(Error),
}

/// The taking end of a [`pipe`].
#[derive(Debug)]
pub struct RecordStream {
    receiver: QueueReceiver<Message>,
    makes_entries: bool,
    ended: bool,
    /// The batch of the current item, and the position behind that item.
    batch: Batch,
    position: usize,
}

impl RecordStream {
    /// The next batch; `None` once the store was read to its end.
    ///
    /// # Errors
    /// The store could not be read to its end.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        if self.ended {
            return Ok(None);
        }
        match self.receiver.next() {
            Some(Message::Batch(batch)) => Ok(Some(batch)),
            Some(Message::End) => {
                self.ended = true;
                Ok(None)
            }
            Some(Message::Failed(error)) => Err(error),
            None => Err(Error::Internal("a reading thread stopped".to_owned())),
        }
    }
}

impl SortedItems for RecordStream {
    fn advance(&mut self) -> Result<bool> {
        if self.position >= self.batch.len() {
            // Freed before the next one is taken.
            self.batch = Batch::default();
            self.position = 0;
            match self.next_batch()? {
                Some(batch) => self.batch = batch,
                None => return Ok(false),
            }
        }
        self.position += 1;
        Ok(true)
    }

    fn current(&self) -> Option<Item<'_>> {
        self.batch.get(self.position.checked_sub(1)?)
    }

    fn makes_entries(&self) -> bool {
        self.makes_entries
    }
}

/// Reads the entries of a kind in a thread of its own while `take` works on them in this one.
///
/// What waits in between is bounded in bytes, not in records.
///
/// # Errors
/// Those of `take`; reading errors reach it through [`RecordStream::next_batch`].
pub fn pipe<T>(
    source: &mut dyn Visit,
    kind: RecordKind,
    progress: &dyn Progress,
    take: impl FnOnce(&mut RecordStream) -> Result<T>,
) -> Result<T> {
    let (sender, receiver) = queue();
    let makes_entries = source.makes_entries();
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .name("reader".to_owned())
            .spawn_scoped(scope, move || read(source, kind, progress, &sender))
            .map_err(Error::Thread)?;
        let mut stream = RecordStream {
            receiver,
            makes_entries,
            ended: false,
            batch: Batch::default(),
            position: 0,
        };
        let taken = take(&mut stream);
        drop(stream);
        match reader.join() {
            Ok(()) => taken,
            Err(_) => Err(Error::Internal("a reading thread panicked".to_owned())),
        }
    })
}

fn read(
    source: &mut dyn Visit,
    kind: RecordKind,
    progress: &dyn Progress,
    sender: &QueueSender<Message>,
) {
    let mut batch = Batch::default();
    let result = source.visit(kind, &mut |visited| {
        batch.push(visited);
        if !batch.is_full() {
            return Ok(());
        }
        check_cancelled(progress)?;
        send(std::mem::take(&mut batch), sender)
    });
    let result = result.and_then(|()| send(batch, sender));
    let last = match result {
        Ok(()) => Message::End,
        Err(error) => Message::Failed(error),
    };
    // Nobody listens any more if the taker has failed; then its error is the one that counts.
    let _ = sender.send(last, 0);
}

fn send(batch: Batch, sender: &QueueSender<Message>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let weight = batch.weight;
    sender
        .send(Message::Batch(batch), weight)
        .map_err(|_| Error::Cancelled)
}
