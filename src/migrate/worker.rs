//! A thread that processes items produced by another thread.

use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::stream::{QueueClosed, QueueSender, WAITING_BYTES, queue};

/// A thread that processes items `P` with its state `S`.
#[derive(Debug)]
pub(super) struct Worker<P, S> {
    // Dropped before the thread is joined, so that the thread ends.
    portions: QueueSender<P>,
    thread: Thread<S>,
}

/// A thread that is joined even on failure: until it ends, it may have a file open.
#[derive(Debug)]
struct Thread<S>(Option<JoinHandle<Result<S>>>);

impl<P: Send + 'static, S: Send + 'static> Worker<P, S> {
    /// Starts a thread that calls `take` for each item.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub(super) fn start(mut state: S, take: fn(&mut S, P) -> Result<()>) -> Result<Self> {
        let (portions, mut waiting) = queue(WAITING_BYTES);
        let thread = thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                while let Some(portion) = waiting.next() {
                    take(&mut state, portion)?;
                }
                Ok(state)
            })
            .map_err(Error::Thread)?;
        Ok(Worker { portions, thread: Thread(Some(thread)) })
    }

    /// Sends an item of `bytes` bytes, waiting until it fits.
    ///
    /// # Errors
    /// The worker has failed, with this item or an earlier one.
    pub(super) fn send(&mut self, portion: P, bytes: usize) -> Result<()> {
        let sent = self.portions.send(portion, bytes);
        sent.map_err(|QueueClosed| self.why_it_stopped())
    }

    fn why_it_stopped(&mut self) -> Error {
        match self.thread.end() {
            Some(Err(error)) => error,
            _ => Error::Internal("a worker thread stopped".to_owned()),
        }
    }

    /// Waits until every item has been processed.
    ///
    /// # Errors
    /// The worker has failed.
    pub(super) fn finish(self) -> Result<S> {
        let Worker { portions, mut thread } = self;
        drop(portions);
        thread.end().unwrap_or_else(|| Err(Error::Internal("a worker thread had ended".to_owned())))
    }
}

impl<S> Thread<S> {
    /// Waits for the thread to end; `None` if it was joined before.
    fn end(&mut self) -> Option<Result<S>> {
        let thread = self.0.take()?;
        Some(match thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(Error::Internal("a worker thread panicked".to_owned())),
        })
    }
}

impl<S> Drop for Thread<S> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(sum: &mut u64, portion: u64) -> Result<()> {
        match portion {
            0 => Err(Error::Cancelled),
            portion => {
                *sum += portion;
                Ok(())
            }
        }
    }

    #[test]
    fn every_item_is_processed_before_the_state_is_returned() {
        let mut worker = Worker::start(0, add).unwrap();
        for portion in 1..=1000 {
            worker.send(portion, 1 << 20).unwrap();
        }
        assert_eq!(worker.finish().unwrap(), 500_500);
    }

    #[test]
    fn a_workers_error_is_returned_however_late() {
        let mut worker = Worker::start(0, add).unwrap();
        // An item this large can't be sent before the worker has processed the previous one.
        let mut sent = || -> Result<()> {
            loop {
                worker.send(0, 8 << 20)?;
            }
        };
        assert!(matches!(sent(), Err(Error::Cancelled)));

        let mut worker = Worker::start(0, add).unwrap();
        worker.send(0, 1).unwrap();
        assert!(matches!(worker.finish(), Err(Error::Cancelled)));
    }

    #[test]
    fn a_worker_that_panics_is_an_error() {
        let mut worker = Worker::start((), |(), portion: u8| {
            assert_eq!(portion, 1, "this is the panic of a test");
            Ok(())
        })
        .unwrap();
        worker.send(2, 1).unwrap();
        assert!(matches!(worker.finish(), Err(Error::Internal(_))));
    }
}
