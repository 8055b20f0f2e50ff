//! The reader thread and its queue: no item gets lost, and neither end waits for a dropped one.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{Visited, read_stream};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Yields entries whose values have these lengths, then optionally fails.
struct TestEntries {
    lengths: Vec<usize>,
    fails_at_end: bool,
}

impl TestEntries {
    fn new(lengths: impl Into<Vec<usize>>) -> Self {
        TestEntries {
            lengths: lengths.into(),
            fails_at_end: false,
        }
    }

    fn entry(&self, index: usize) -> (Vec<u8>, Vec<u8>) {
        let key = format!("{index:08}").into_bytes();
        (key, vec![b'0' + (index % 10) as u8; self.lengths[index]])
    }
}

impl TestEntries {
    fn visit(&self, visit: &mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> {
        for index in 0..self.lengths.len() {
            let (key, value) = self.entry(index);
            let value = match index % 2 {
                0 => Cow::Borrowed(value.as_slice()),
                _ => Cow::Owned(value),
            };
            visit(Visited::Entry { key: &key, value })?;
        }
        match self.fails_at_end {
            true => Err(Error::Internal("the disk is gone".to_owned())),
            false => Ok(()),
        }
    }
}

/// More bytes than the queue holds, so that the reader has to wait for the consumer.
fn more_than_the_queue_holds() -> TestEntries {
    TestEntries::new([1 << 20; 40])
}

/// Returns the result of `work`; fails if it doesn't finish.
fn returns<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(60)).unwrap()
}

/// Collects every entry from the pipe.
fn take_all(
    visit: impl FnOnce(&mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> + Send,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    read_stream(false, visit, &Progress::none(), |stream| {
        let mut taken = Vec::new();
        while let Some(batch) = stream.next_batch()? {
            taken.extend(batch.entries().map(|e| (e.key.to_vec(), e.value.to_vec())));
        }
        Ok(taken)
    })
    .unwrap()
}

#[test]
fn every_entry_is_returned_once_and_in_order_copied_or_moved() {
    let lengths = [0, 0, 1, 3, 5 << 20, 6 << 20, 7, 1 << 20, 2 << 20, 9];
    let entries = TestEntries::new(lengths.repeat(3));
    let taken = take_all(|visit| entries.visit(visit));
    let expected: Vec<_> = (0..entries.lengths.len())
        .map(|i| entries.entry(i))
        .collect();
    assert!(taken == expected);
}

#[test]
fn a_failing_reader_is_never_the_end_of_the_data() {
    let mut entries = TestEntries::new([1, 2, 3]);
    entries.fails_at_end = true;
    let error = read_stream(
        false,
        |visit| entries.visit(visit),
        &Progress::none(),
        |stream| {
            while stream.next_batch()?.is_some() {}
            Ok(())
        },
    )
    .unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
}

#[test]
fn a_failing_consumer_stops_the_reader() {
    let error = returns(move || {
        let entries = more_than_the_queue_holds();
        read_stream(
            false,
            |visit| entries.visit(visit),
            &Progress::none(),
            |stream| {
                stream.next_batch()?;
                Err::<(), _>(Error::Internal("no room".to_owned()))
            },
        )
        .unwrap_err()
    });
    assert!(error.to_string().contains("no room"), "{error}");
}

#[test]
fn a_panicking_consumer_stops_the_reader() {
    let outcome = returns(move || {
        let entries = more_than_the_queue_holds();
        catch_unwind(AssertUnwindSafe(|| {
            read_stream(
                false,
                |visit| entries.visit(visit),
                &Progress::none(),
                |stream| {
                    stream.next_batch()?;
                    panic!("as a library may on damage");
                    #[expect(unreachable_code)]
                    Ok(())
                },
            )
        }))
        .is_err()
    });
    assert!(outcome);
}
