//! A stream that one thread reads, a pool of threads converts and checks, and the current thread
//! consumes in batches.

use super::pipeline::{Results, pipeline};
use super::{Batch, Item, Jobs, SortedStream, Source, Visited};
use crate::error::Result;
use crate::progress::Progress;
use crate::record::RecordKind;
use crate::table::TableSchema;

/// The consuming end of a stream of batches, each with the result `C` of its check.
#[derive(Debug)]
pub(crate) struct RecordStream<'r, C> {
    results: &'r mut Results<(Batch, C)>,
    /// The batch of the current item, its check, and the index after that item.
    batch: Batch,
    check: Option<C>,
    position: usize,
}

impl<C> RecordStream<'_, C> {
    /// The next batch and the result of its check; `None` once the whole stream was read.
    ///
    /// # Errors
    /// The store could not be read to its end.
    pub(crate) fn next_checked(&mut self) -> Result<Option<(Batch, C)>> {
        self.results.next()
    }

    /// The next batch; `None` once the whole stream was read.
    ///
    /// # Errors
    /// The store could not be read to its end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>> {
        let next = self.next_checked()?;
        Ok(next.map(|(batch, _)| batch))
    }
}

/// The check says of each item whether it is sound; it may be empty.
impl SortedStream for RecordStream<'_, Vec<bool>> {
    fn advance(&mut self) -> Result<bool> {
        if self.position >= self.batch.len() {
            // Frees the previous batch before receiving the next.
            self.batch = Batch::default();
            self.check = None;
            self.position = 0;
            let Some((batch, check)) = self.next_checked()? else {
                return Ok(false);
            };
            self.batch = batch;
            self.check = Some(check);
        }
        self.position += 1;
        Ok(true)
    }

    fn current(&self) -> Option<Item<'_>> {
        self.batch.get(self.position.checked_sub(1)?)
    }

    fn is_known_sound(&self) -> bool {
        let sound = self.check.as_ref().zip(self.position.checked_sub(1));
        sound.is_some_and(|(sound, index)| sound.get(index) == Some(&true))
    }
}

/// Reads the entries of a kind in other threads, unchecked, while `take` consumes them in the current
/// one.
///
/// The bytes in between are bounded.
///
/// # Errors
/// The error of `take`; read errors are returned by [`RecordStream::next_batch`].
pub(crate) fn read_kind<T>(
    source: &mut dyn Source,
    kind: RecordKind,
    jobs: Jobs,
    progress: &Progress,
    take: impl FnOnce(&mut RecordStream<'_, Vec<bool>>) -> Result<T>,
) -> Result<T> {
    let no_check = None::<fn(&mut Batch) -> Result<_>>;
    check_kind(source, kind, jobs, progress, no_check, take)
}

/// As [`read_kind`], with a check, if there is one, of each batch in the pool of threads. Rows are
/// converted to entries after it, unless it does that itself.
///
/// # Errors
/// As [`read_kind`]; also the error of `check`.
pub(crate) fn check_kind<C: Default + Send, T>(
    source: &mut dyn Source,
    kind: RecordKind,
    jobs: Jobs,
    progress: &Progress,
    check: Option<impl Fn(&mut Batch) -> Result<C> + Sync>,
    take: impl FnOnce(&mut RecordStream<'_, C>) -> Result<T>,
) -> Result<T> {
    let jobs = match check {
        Some(_) => jobs,
        None => jobs.to_convert(source),
    };
    let visit = move |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| source.visit(kind, visit);
    check_stream(visit, jobs, progress, or_default(check), take)
}

/// As [`check_kind`], for a carried table, whose rows need no conversion.
///
/// # Errors
/// As [`check_kind`].
pub(crate) fn check_table<C: Default + Send, T>(
    source: &mut dyn Source,
    table: &TableSchema,
    jobs: Jobs,
    progress: &Progress,
    check: Option<impl Fn(&mut Batch) -> Result<C> + Sync>,
    take: impl FnOnce(&mut RecordStream<'_, C>) -> Result<T>,
) -> Result<T> {
    let jobs = match check {
        Some(_) => jobs,
        None => Jobs::IN_READER,
    };
    let visit =
        move |visit: &mut dyn FnMut(Visited<'_>) -> Result<()>| source.visit_table(table, visit);
    check_stream(visit, jobs, progress, or_default(check), take)
}

fn or_default<C: Default>(
    check: Option<impl Fn(&mut Batch) -> Result<C>>,
) -> impl Fn(&mut Batch) -> Result<C> {
    move |batch| match &check {
        Some(check) => check(batch),
        None => Ok(C::default()),
    }
}

/// As [`check_kind`], for any function that calls its argument for each item.
///
/// # Errors
/// As [`check_kind`].
pub(crate) fn check_stream<C: Send, T>(
    visit: impl FnOnce(&mut dyn FnMut(Visited<'_>) -> Result<()>) -> Result<()> + Send,
    jobs: Jobs,
    progress: &Progress,
    check: impl Fn(&mut Batch) -> Result<C> + Sync,
    take: impl FnOnce(&mut RecordStream<'_, C>) -> Result<T>,
) -> Result<T> {
    let read = |send: &mut dyn FnMut(Batch, usize) -> Result<()>| {
        let mut gathered = Batch::default();
        visit(&mut |visited| {
            gathered.push(visited);
            if !gathered.is_full() {
                return Ok(());
            }
            progress.check_cancelled()?;
            let batch = gathered.take();
            let weight = batch.weight();
            send(batch, weight)
        })?;
        let weight = gathered.weight();
        match gathered.is_empty() {
            true => Ok(()),
            false => send(gathered, weight),
        }
    };
    let work = |mut batch: Batch| {
        let check = check(&mut batch)?;
        batch.encode_rows()?;
        Ok((batch, check))
    };
    pipeline(jobs, read, work, |results| {
        take(&mut RecordStream { results, batch: Batch::default(), check: None, position: 0 })
    })
}
