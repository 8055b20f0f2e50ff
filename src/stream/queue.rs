//! A queue between two threads, bounded in bytes rather than items.

use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A usual limit.
pub(crate) const WAITING_BYTES: usize = 4 << 20;

/// Creates an empty queue for at most `limit` bytes. A single larger item is allowed on its own.
pub(crate) fn queue<T>(limit: usize) -> (QueueSender<T>, QueueReceiver<T>) {
    let gate = Arc::new(Gate { limit, state: Mutex::default(), changed: Condvar::new() });
    let (sender, receiver) = channel();
    let feeding = QueueSender { sender, gate: Arc::clone(&gate) };
    let taking = QueueReceiver { receiver, gate, held: 0 };
    (feeding, taking)
}

/// The sending end of a [`queue`].
#[derive(Debug)]
pub(crate) struct QueueSender<T> {
    sender: Sender<(T, usize)>,
    gate: Arc<Gate>,
}

/// The receiving end of a queue was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueClosed;

impl<T> QueueSender<T> {
    /// Adds an item of `bytes` bytes, waiting until it fits. For an item above the limit, also
    /// waits until the receiver has finished with it, so that the caller doesn't create a second
    /// large item meanwhile.
    pub(crate) fn send(&self, item: T, bytes: usize) -> Result<(), QueueClosed> {
        self.gate.acquire(bytes);
        self.sender.send((item, bytes)).map_err(|_| QueueClosed)?;
        if bytes > self.gate.limit {
            self.gate.wait_until_empty();
        }
        Ok(())
    }
}

/// The receiving end of a [`queue`].
#[derive(Debug)]
pub(crate) struct QueueReceiver<T> {
    receiver: Receiver<(T, usize)>,
    gate: Arc<Gate>,
    /// Bytes of the item received last.
    held: usize,
}

impl<T> QueueReceiver<T> {
    /// The next item; `None` once the sender is dropped and the queue is empty. Also releases the
    /// bytes of the previous item.
    pub(crate) fn next(&mut self) -> Option<T> {
        self.gate.release(std::mem::take(&mut self.held));
        let (item, bytes) = self.receiver.recv().ok()?;
        self.held = bytes;
        Some(item)
    }

    /// As [`next`](QueueReceiver::next) with a timeout: the outer `Option` is `None` if no item
    /// arrived in time.
    pub(crate) fn next_within(&mut self, timeout: Duration) -> Option<Option<T>> {
        self.gate.release(std::mem::take(&mut self.held));
        match self.receiver.recv_timeout(timeout) {
            Ok((item, bytes)) => {
                self.held = bytes;
                Some(Some(item))
            }
            Err(RecvTimeoutError::Disconnected) => Some(None),
            Err(RecvTimeoutError::Timeout) => None,
        }
    }
}

impl<T> Drop for QueueReceiver<T> {
    /// Unblocks the sender, even if the receiver panicked.
    fn drop(&mut self) {
        self.gate.close();
    }
}

/// Limits the bytes in flight between two threads.
#[derive(Debug)]
struct Gate {
    limit: usize,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    waiting: usize,
    closed: bool,
}

impl Gate {
    /// Waits until `bytes` more bytes fit, or nothing is in flight.
    fn acquire(&self, bytes: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .changed
            .wait_while(state, |state| {
                !state.closed && state.waiting > 0 && state.waiting + bytes > self.limit
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting += bytes;
    }

    /// Waits until the receiver has finished with every item.
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

    /// Unblocks the sender once there is no receiver.
    fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_one();
    }
}
