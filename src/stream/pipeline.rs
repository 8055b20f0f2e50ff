//! Work on a sequence of items by several threads, in order.
//!
//! One thread reads, a pool of threads works, and the current thread takes the results in the order
//! in which the items were read. The bytes in flight are bounded, however many threads there are.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use super::Jobs;
use super::queue::{QueueReceiver, QueueSender, queue};
use crate::error::{Error, Result};

/// Maximum number of bytes between the reader and the consumer.
const BYTES_IN_FLIGHT: usize = 8 << 20;

#[derive(Debug)]
enum Message<O> {
    /// An item, once its work is done.
    Item(Receiver<Result<O>>),
    /// Everything was read. Results that end without it have failed.
    End,
    Failed(Error),
}

/// Calls `read` in a new thread with a function that takes an item and its size in bytes, passes
/// each item through `work` in a pool of threads, and calls `take` with the results.
///
/// If a stage fails, the others stop.
///
/// # Errors
/// The error of `take`. Errors of `read` and `work` are returned by [`Results::next`].
pub(crate) fn pipeline<I: Send, O: Send, T>(
    jobs: Jobs,
    read: impl FnOnce(&mut dyn FnMut(I, usize) -> Result<()>) -> Result<()> + Send,
    work: impl Fn(I) -> Result<O> + Sync,
    take: impl FnOnce(&mut Results<O>) -> Result<T>,
) -> Result<T> {
    let (sender, receiver) = queue(BYTES_IN_FLIGHT);
    let (items, waiting) = channel();
    let (work, waiting) = (&work, &Mutex::new(waiting));
    thread::scope(|scope| {
        let reader = move || {
            let mut pool = Pool { scope, jobs, items, waiting, work, threads: Vec::new() };
            let result = read(&mut |item, bytes| {
                let (done, result) = sync_channel(1);
                pool.work(item, done)?;
                let sent = sender.send(Message::Item(result), bytes);
                sent.map_err(|_| Error::Cancelled)
            });
            end(&sender, result);
            pool.finish();
        };
        let reader = thread::Builder::new()
            .name("reader".to_owned())
            .spawn_scoped(scope, reader)
            .map_err(Error::Thread)?;
        let mut results = Results { receiver, ended: false };
        let taken = take(&mut results);
        drop(results);
        // Joined explicitly: a scope panics if a thread that nobody joined has panicked.
        match reader.join() {
            Ok(()) => taken,
            Err(_) => Err(Error::Internal("a reader thread panicked".to_owned())),
        }
    })
}

fn end<O>(sender: &QueueSender<Message<O>>, result: Result<()>) {
    let last = result.map_or_else(Message::Failed, |()| Message::End);
    // If the consumer has failed, nobody receives this; its own error is reported instead.
    let _ = sender.send(last, 0);
}

/// The results of a [`pipeline`] in the order of its items.
#[derive(Debug)]
pub(crate) struct Results<O> {
    receiver: QueueReceiver<Message<O>>,
    ended: bool,
}

impl<O> Results<O> {
    /// The next result; `None` after the last. Also frees the space of the previous item.
    ///
    /// # Errors
    /// Not everything could be read, or the work on an item has failed.
    pub(crate) fn next(&mut self) -> Result<Option<O>> {
        if self.ended {
            return Ok(None);
        }
        match self.receiver.next() {
            Some(Message::Item(result)) => match result.recv() {
                Ok(result) => result.map(Some),
                Err(_) => Err(Error::Internal("a pool thread panicked".to_owned())),
            },
            Some(Message::End) => {
                self.ended = true;
                Ok(None)
            }
            Some(Message::Failed(error)) => Err(error),
            None => Err(Error::Internal("a reader thread stopped".to_owned())),
        }
    }
}

type Job<I, O> = (I, SyncSender<Result<O>>);

/// The threads that work. Each is started when there is an item for it.
struct Pool<'scope, 'env, I, O, W> {
    scope: &'scope Scope<'scope, 'env>,
    jobs: Jobs,
    items: Sender<Job<I, O>>,
    waiting: &'scope Mutex<Receiver<Job<I, O>>>,
    work: &'scope W,
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
}

impl<I, O, W> Pool<'_, '_, I, O, W>
where
    I: Send,
    O: Send,
    W: Fn(I) -> Result<O> + Sync,
{
    fn work(&mut self, item: I, done: SyncSender<Result<O>>) -> Result<()> {
        if self.threads.len() < self.jobs.threads() {
            self.start_thread();
        }
        if self.threads.is_empty() {
            let _ = done.send((self.work)(item));
            return Ok(());
        }
        let sent = self.items.send((item, done));
        sent.map_err(|_| Error::Internal("no pool thread is left".to_owned()))
    }

    /// Starts one more thread. If the system allows no more, those that there are do the work.
    fn start_thread(&mut self) {
        let (waiting, work) = (self.waiting, self.work);
        let next = move || {
            let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.recv().ok()
        };
        let thread = thread::Builder::new()
            .name(format!("pool-{}", self.threads.len() + 1))
            .spawn_scoped(self.scope, move || {
                while let Some((item, done)) = next() {
                    // Without a receiver, the consumer has failed.
                    let _ = done.send(work(item));
                }
            });
        match thread {
            Ok(thread) => self.threads.push(thread),
            Err(_) => self.jobs = Jobs::of(self.threads.len()),
        }
    }

    fn finish(self) {
        drop(self.items);
        for thread in self.threads {
            // The consumer notices a panic by the missing result.
            let _ = thread.join();
        }
    }
}
