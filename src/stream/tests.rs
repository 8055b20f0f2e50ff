//! The stages of a stream: no item gets lost, and none waits for one that has failed.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{Batch, Jobs, RecordStream, Visited, check_stream};
use crate::codec::Entry;
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

/// Reads the entries with two threads in the pool and no check.
fn read<T>(
    visit: impl FnOnce(&mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> + Send,
    take: impl FnOnce(&mut RecordStream<'_, ()>) -> Result<T>,
) -> Result<T> {
    check_stream(visit, jobs(2), &Progress::none(), |_| Ok(()), take)
}

fn jobs(number: usize) -> Jobs {
    Jobs::new(NonZeroUsize::new(number))
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
    read(visit, |stream| {
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
    let error = read(
        |visit| entries.visit(visit),
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
        read(
            |visit| entries.visit(visit),
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
            read(
                |visit| entries.visit(visit),
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

/// With an error in each place where a stage may fail; `None` for no error.
fn sum_of_lengths(jobs: Jobs, fails_at: Option<usize>) -> Result<usize> {
    let lengths: Vec<usize> = (0..4_000).map(|i| i % 977).collect();
    let entries = TestEntries::new(lengths);
    let check = |batch: &mut Batch| {
        let lengths: Vec<_> = batch.entries().map(|entry| entry.value.len()).collect();
        let fails =
            |entry: Entry<'_>| fails_at.is_some_and(|index| entry.key == entries.entry(index).0);
        match batch.entries().any(fails) {
            true => Err(Error::Internal("no check".to_owned())),
            false => Ok(lengths),
        }
    };
    let visit = |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| entries.visit(visit);
    check_stream(visit, jobs, &Progress::none(), check, |stream| {
        let mut sum = 0;
        while let Some((batch, checked)) = stream.next_checked()? {
            assert!(
                batch
                    .entries()
                    .map(|e| e.value.len())
                    .eq(checked.iter().copied())
            );
            sum += checked.iter().sum::<usize>();
        }
        Ok(sum)
    })
}

#[test]
fn each_batch_comes_with_its_own_check_whatever_the_number_of_threads() {
    let expected: usize = (0..4_000).map(|i| i % 977).sum();
    for threads in [Jobs::IN_READER, jobs(1), jobs(3), jobs(64)] {
        assert_eq!(sum_of_lengths(threads, None).unwrap(), expected);
    }
}

#[test]
fn a_failing_check_ends_the_stream_with_its_error() {
    for threads in [Jobs::IN_READER, jobs(1), jobs(3)] {
        for place in [0, 2_000, 3_999] {
            let error = sum_of_lengths(threads, Some(place)).unwrap_err();
            assert!(error.to_string().contains("no check"), "{error}");
        }
    }
}

#[test]
fn a_panicking_check_is_an_error() {
    let error = returns(move || {
        let entries = more_than_the_queue_holds();
        check_stream(
            |visit| entries.visit(visit),
            jobs(2),
            &Progress::none(),
            |_: &mut Batch| -> Result<()> { panic!("this is the panic of a test") },
            |stream| {
                while stream.next_batch()?.is_some() {}
                Ok(())
            },
        )
        .unwrap_err()
    });
    assert!(error.to_string().contains("panicked"), "{error}");
}
