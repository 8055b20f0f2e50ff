//! A queue between two threads, bounded in bytes and not in items.

use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// So many bytes may wait to be taken. One larger item may wait alone.
const WAITING_BYTES: usize = 4 << 20;

/// A queue that is empty.
pub(crate) fn queue<T>() -> (QueueSender<T>, QueueReceiver<T>) {
    let gate = Arc::new(Gate::default());
    let (sender, receiver) = channel();
    let feeding = QueueSender {
        sender,
        gate: Arc::clone(&gate),
    };
    let taking = QueueReceiver {
        receiver,
        gate,
        held: 0,
    };
    (feeding, taking)
}

/// The end of a [`queue`] that items go into.
#[derive(Debug)]
pub(crate) struct QueueSender<T> {
    sender: Sender<(T, usize)>,
    gate: Arc<Gate>,
}

/// Nobody takes items out of a queue any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueClosed;

impl<T> QueueSender<T> {
    /// Adds an item of so many bytes once there is room for it. An item that is larger than all
    /// that may wait is also waited for: when this returns it was taken and done with, so that the
    /// next one, which may be as large, is not made before.
    pub(crate) fn send(&self, item: T, bytes: usize) -> Result<(), QueueClosed> {
        self.gate.acquire(bytes);
        self.pass(item, bytes)
    }

    /// As [`send`](QueueSender::send), if there is room for the item at once; gives it back if not.
    pub(crate) fn offer(&self, item: T, bytes: usize) -> Result<Option<T>, QueueClosed> {
        match self.gate.try_acquire(bytes) {
            true => self.pass(item, bytes).map(|()| None),
            false => Ok(Some(item)),
        }
    }

    fn pass(&self, item: T, bytes: usize) -> Result<(), QueueClosed> {
        self.sender.send((item, bytes)).map_err(|_| QueueClosed)?;
        if bytes > WAITING_BYTES {
            self.gate.wait_until_empty();
        }
        Ok(())
    }
}

/// The end of a [`queue`] that items come out of.
#[derive(Debug)]
pub(crate) struct QueueReceiver<T> {
    receiver: Receiver<(T, usize)>,
    gate: Arc<Gate>,
    /// Bytes of the item that was taken last.
    held: usize,
}

impl<T> QueueReceiver<T> {
    /// The next item; `None` once the sender is gone and all was taken. The one before counts as
    /// done with.
    pub(crate) fn next(&mut self) -> Option<T> {
        self.gate.release(std::mem::take(&mut self.held));
        let (item, bytes) = self.receiver.recv().ok()?;
        self.held = bytes;
        Some(item)
    }

    /// As [`next`](QueueReceiver::next), for whoever can't wait for ever: `None` if nothing came in
    /// time.
    pub(crate) fn next_within(&mut self, patience: Duration) -> Option<Option<T>> {
        self.gate.release(std::mem::take(&mut self.held));
        match self.receiver.recv_timeout(patience) {
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
    /// Lets the sender go on and end, also when the taker has panicked.
    fn drop(&mut self) {
        self.gate.close();
    }
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

impl GateState {
    fn has_room(&self, bytes: usize) -> bool {
        self.closed || self.waiting == 0 || self.waiting + bytes <= WAITING_BYTES
    }
}

impl Gate {
    /// Waits until there is room for so many bytes, or nothing else waits.
    fn acquire(&self, bytes: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .changed
            .wait_while(state, |state| !state.has_room(bytes))
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting += bytes;
    }

    /// As [`acquire`](Gate::acquire), but `false` instead of waiting.
    fn try_acquire(&self, bytes: usize) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = state.has_room(bytes);
        if has_room {
            state.waiting += bytes;
        }
        has_room
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

    /// Lets a sender go on that nobody takes from any more.
    fn close(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.changed.notify_one();
    }
}
