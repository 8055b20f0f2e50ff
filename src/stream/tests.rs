//! The stages of a stream: no item gets lost, and none waits for one that has failed.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::test_batch::{Form, batch_of, forms, invalid_row, visit_as};
use super::{Batch, Item, Jobs, RecordStream, Visited, check_stream};
use crate::codec::test_entries::{TestEntry, valid_entries_of_a_kind};
use crate::codec::{Entry, record_key};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{CodeChunk, Record, RecordKind};

/// Yields entries whose values have these lengths, then optionally fails.
struct TestEntries {
    lengths: Vec<usize>,
    fails_at_end: bool,
}

impl TestEntries {
    fn new(lengths: impl Into<Vec<usize>>) -> Self {
        TestEntries { lengths: lengths.into(), fails_at_end: false }
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
    let expected: Vec<_> = (0..entries.lengths.len()).map(|i| entries.entry(i)).collect();
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
            assert!(batch.entries().map(|e| e.value.len()).eq(checked.iter().copied()));
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

#[test]
fn without_a_pool_the_reader_does_the_work() {
    for (threads, expected) in [(Jobs::IN_READER, "reader"), (jobs(1), "pool-1")] {
        let entries = TestEntries::new([1 << 20; 3]);
        let visit = |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| entries.visit(visit);
        let name = |_: &mut Batch| Ok(thread::current().name().map(str::to_owned));
        check_stream(visit, threads, &Progress::none(), name, |stream| {
            let mut batches = 0;
            while let Some((_, name)) = stream.next_checked()? {
                assert_eq!(name.as_deref(), Some(expected));
                batches += 1;
            }
            assert_eq!(batches, 3);
            Ok(())
        })
        .unwrap();
    }
}

/// Whether the items are these entries, or for [`Form::Invalid`] their invalid rows.
fn are_items<'b>(
    mut items: impl Iterator<Item = Item<'b>>,
    expected: &[(TestEntry, Form)],
) -> bool {
    let mut expected = expected.iter();
    let all_equal = expected.by_ref().all(|(entry, form)| match items.next() {
        Some(Item::Entry(found)) => *form != Form::Invalid && found == entry.entry(),
        Some(Item::Invalid(row)) => *form == Form::Invalid && *row == invalid_row(entry),
        None => false,
    });
    all_equal && items.next().is_none()
}

proptest! {
    #[test]
    fn rows_become_the_entries_that_serde_writes_among_any_other_items(
        entries in valid_entries_of_a_kind(),
        forms in forms(),
    ) {
        let items: Vec<_> = entries.into_iter().zip(forms).collect();
        let mut batch = batch_of(items.iter().map(|(entry, form)| (entry, form)));
        prop_assert_eq!(batch.len(), items.len());
        batch.encode_rows().unwrap();
        prop_assert!(are_items(batch.iter(), &items), "{:?}", batch);
        let weights = items.iter().map(|(entry, form)| match form {
            Form::Invalid => invalid_row(entry).size(),
            _ => entry.key.len() + entry.value.len(),
        });
        prop_assert_eq!(batch.weight(), weights.sum::<usize>());
    }
}

#[test]
fn rows_of_any_size_become_entries_across_batches_and_in_order() {
    let forms = [Form::Row, Form::Borrowed, Form::Row, Form::Invalid, Form::Owned];
    let sizes = [0, 1, 15, 16, 17, 33, 1000, 65_535, 65_536, 65_537, 9, 200_000, 2];
    let items = (0..).zip(sizes.into_iter().cycle().zip(forms.into_iter().cycle()));
    let items: Vec<(TestEntry, Form)> = items
        .take(sizes.len() * forms.len())
        .map(|(id, (size, form))| {
            let content = format!("{}\n", "x".repeat(size));
            let chunk = CodeChunk::new("a.rs", id, id + 1, &content);
            let value = serde_json::to_vec(&chunk).unwrap();
            let key = record_key(&Record::Chunk(chunk));
            let kind = RecordKind::Chunk;
            (TestEntry { kind, key, value }, form)
        })
        .collect();
    let visit = |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| {
        items.iter().try_for_each(|(entry, form)| visit_as(entry, *form, visit))
    };
    let mut rest = items.as_slice();
    let batches = read(visit, |stream| {
        let mut batches = 0;
        while let Some(batch) = stream.next_batch()? {
            let (expected, after) = rest.split_at(batch.len());
            assert!(are_items(batch.iter(), expected));
            (rest, batches) = (after, batches + 1);
        }
        Ok(batches)
    })
    .unwrap();
    assert!(rest.is_empty() && batches >= 4, "{batches} batches");
}
