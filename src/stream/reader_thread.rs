//! A stream that one thread reads and another consumes in batches.

use std::thread;

use super::queue::{QueueReceiver, QueueSender, queue};
use super::{Batch, Item, SortedStream, Source, Visited};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::RecordKind;

#[derive(Debug)]
enum Message {
    Batch(Batch),
    /// The stream was read to its end. A stream that ends without it has failed.
    End,
    Failed(Error),
}

/// The consuming end of a [`read_kind`].
#[derive(Debug)]
pub struct RecordStream {
    receiver: QueueReceiver<Message>,
    entries_are_canonical: bool,
    ended: bool,
    /// The batch of the current item, and the index after that item.
    batch: Batch,
    position: usize,
}

impl RecordStream {
    /// The next batch; `None` once the whole stream was read.
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
            None => Err(Error::Internal("a reader thread stopped".to_owned())),
        }
    }
}

impl SortedStream for RecordStream {
    fn advance(&mut self) -> Result<bool> {
        if self.position >= self.batch.len() {
            // Frees the previous batch before receiving the next.
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

    fn entries_are_canonical(&self) -> bool {
        self.entries_are_canonical
    }
}

/// Reads the entries of a kind in a new thread while `take` consumes them in the current one.
///
/// The queue in between is bounded in bytes, not in records.
///
/// # Errors
/// The error of `take`; read errors are returned by [`RecordStream::next_batch`].
pub fn read_kind<T>(
    source: &mut dyn Source,
    kind: RecordKind,
    progress: &Progress,
    take: impl FnOnce(&mut RecordStream) -> Result<T>,
) -> Result<T> {
    let entries_are_canonical = source.entries_are_canonical();
    let visit = move |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| source.visit(kind, visit);
    read_stream(entries_are_canonical, visit, progress, take)
}

/// As [`read_kind`], for any function that calls its argument for each item. For
/// `entries_are_canonical`, see [`Source::entries_are_canonical`].
///
/// # Errors
/// As [`read_kind`].
pub fn read_stream<T>(
    entries_are_canonical: bool,
    visit: impl FnOnce(&mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> + Send,
    progress: &Progress,
    take: impl FnOnce(&mut RecordStream) -> Result<T>,
) -> Result<T> {
    let (sender, receiver) = queue();
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .name("reader".to_owned())
            .spawn_scoped(scope, move || {
                let mut feed = BatchSender::to(&sender, progress);
                let result = visit(&mut |visited| feed.push(visited));
                feed.end(result);
            })
            .map_err(Error::Thread)?;
        let mut stream = RecordStream {
            receiver,
            entries_are_canonical,
            ended: false,
            batch: Batch::default(),
            position: 0,
        };
        let taken = take(&mut stream);
        drop(stream);
        // Joined explicitly: a scope panics if a thread that nobody joined has panicked.
        match reader.join() {
            Ok(()) => taken,
            Err(_) => Err(Error::Internal("a reader thread panicked".to_owned())),
        }
    })
}

/// Collects items into batches and sends them.
struct BatchSender<'q> {
    gathered: Batch,
    sender: &'q QueueSender<Message>,
    progress: &'q Progress,
}

impl<'q> BatchSender<'q> {
    fn to(sender: &'q QueueSender<Message>, progress: &'q Progress) -> Self {
        BatchSender {
            gathered: Batch::default(),
            sender,
            progress,
        }
    }

    fn push(&mut self, visited: Visited<'_>) -> Result<()> {
        self.gathered.push(visited);
        if !self.gathered.is_full() {
            return Ok(());
        }
        self.progress.check_cancelled()?;
        self.send()
    }

    fn send(&mut self) -> Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        let weight = gathered.weight();
        if weight == 0 {
            return Ok(());
        }
        let sent = self.sender.send(Message::Batch(gathered), weight);
        sent.map_err(|_| Error::Cancelled)
    }

    /// Sends the last batch and the result of the stream.
    fn end(mut self, result: Result<()>) {
        let last = match result.and_then(|()| self.send()) {
            Ok(()) => Message::End,
            Err(error) => Message::Failed(error),
        };
        // If the consumer has failed, nobody receives this; its own error is reported instead.
        let _ = self.sender.send(last, 0);
    }
}
