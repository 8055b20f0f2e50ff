//! A stream that one thread reads and another takes, batch by batch.

use std::borrow::Cow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

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
/// So many bytes may wait to be taken. One larger batch may wait alone.
const WAITING_BYTES: usize = 4 << 20;

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

enum Message {
    Batch(Batch),
    /// The stream was read to its end. Without this, a stream that stops has failed.
    End,
    Failed(Error),
}

/// The taking end of a [`pipe`].
#[derive(Debug)]
pub struct RecordStream<'p> {
    receiver: Receiver<Message>,
    gate: &'p Gate,
    ended: bool,
    held: usize,
    /// The batch of the current item, and the position behind that item.
    batch: Batch,
    position: usize,
}

impl RecordStream<'_> {
    /// The next batch; `None` once the store was read to its end.
    ///
    /// # Errors
    /// The store could not be read to its end.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.gate.release(std::mem::take(&mut self.held));
        if self.ended {
            return Ok(None);
        }
        match self.receiver.recv() {
            Ok(Message::Batch(batch)) => {
                self.held = batch.weight;
                Ok(Some(batch))
            }
            Ok(Message::End) => {
                self.ended = true;
                Ok(None)
            }
            Ok(Message::Failed(error)) => Err(error),
            Err(_) => Err(Error::Internal("a reading thread stopped".to_owned())),
        }
    }
}

impl Drop for RecordStream<'_> {
    /// Lets the reader go on and end, also when the taker has panicked.
    fn drop(&mut self) {
        self.gate.close();
    }
}

impl SortedItems for RecordStream<'_> {
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
    take: impl FnOnce(&mut RecordStream<'_>) -> Result<T>,
) -> Result<T> {
    let gate = Gate::default();
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        let gate = &gate;
        let reader = thread::Builder::new()
            .name("reader".to_owned())
            .spawn_scoped(scope, move || read(source, kind, progress, gate, &sender))
            .map_err(Error::Thread)?;
        let mut stream = RecordStream {
            receiver,
            gate,
            ended: false,
            held: 0,
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
    gate: &Gate,
    sender: &Sender<Message>,
) {
    let mut batch = Batch::default();
    let result = source.visit(kind, &mut |visited| {
        batch.push(visited);
        if !batch.is_full() {
            return Ok(());
        }
        check_cancelled(progress)?;
        send(std::mem::take(&mut batch), gate, sender)
    });
    let result = result.and_then(|()| send(batch, gate, sender));
    // Nobody listens any more if the taker has failed; then its error is the one that counts.
    let _ = sender.send(match result {
        Ok(()) => Message::End,
        Err(error) => Message::Failed(error),
    });
}

fn send(batch: Batch, gate: &Gate, sender: &Sender<Message>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let weight = batch.weight;
    gate.acquire(weight);
    sender
        .send(Message::Batch(batch))
        .map_err(|_| Error::Cancelled)?;
    if weight > WAITING_BYTES {
        // The next record may be as large: it is not read before this one is done with.
        gate.wait_until_empty();
    }
    Ok(())
}

/// Bounds the bytes between two threads.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    waiting: usize,
    closed: bool,
}

impl Gate {
    /// Waits until there is room for so many bytes, or nothing else waits.
    fn acquire(&self, bytes: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .changed
            .wait_while(state, |state| {
                !state.closed && state.waiting > 0 && state.waiting + bytes > WAITING_BYTES
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting += bytes;
    }

    /// Waits until all that waits was taken and done with.
    fn wait_until_empty(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.changed
                .wait_while(state, |state| !state.closed && state.waiting > 0)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn release(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting = state.waiting.saturating_sub(bytes);
        drop(state);
        self.changed.notify_one();
    }

    /// Lets a reader go on that nobody takes from any more.
    fn close(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.changed.notify_one();
    }
}
