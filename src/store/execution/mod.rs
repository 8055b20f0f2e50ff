mod events;

pub use events::{ExecutionEnd, ExecutionStart};

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::backend::{RecordFilter, RecordStore, RecordTransaction};
use super::clock::{Clock, SystemClock};
use super::constructors::constructors;
use crate::error::{Error, Result};
use crate::record::{ExecutionRecord, Record, RecordKey, RecordKind};

/// The log of a tool's runs, in a key-value backend or in SQLite. It can be disabled.
///
/// Both return the same results for the same calls and fail for the same reasons, as with
/// [`ChunkStore`](super::ChunkStore). Clones are handles on the same log.
///
/// ```
/// # fn main() -> chunkmigrate::Result<()> {
/// use chunkmigrate::store::{ExecutionEnd, ExecutionLog, ExecutionStart};
///
/// let log = ExecutionLog::in_memory(None)?;
/// log.start_execution(&ExecutionStart {
///     execution_id: "6b03891c-1431",
///     tool_version: "4.17.0",
///     args: &["index".to_owned(), "--root".to_owned(), ".".to_owned()],
///     root: Some("."),
///     db_path: "code.db",
/// })?;
/// log.finish_execution("6b03891c-1431", &ExecutionEnd {
///     outcome: "success",
///     files_indexed: 12,
///     ..Default::default()
/// })?;
/// let run = log.get_by_execution_id("6b03891c-1431")?.expect("it was started");
/// assert_eq!((run.outcome.as_str(), run.files_indexed), ("success", Some(12)));
/// assert_eq!(run.args, r#"["index","--root","."]"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ExecutionLog {
    /// `None` if the log is disabled.
    records: Option<Arc<dyn RecordStore>>,
    clock: Arc<dyn Clock>,
    /// For each run started by this log: the value of [`Clock::elapsed`] at its start.
    started: Arc<Mutex<HashMap<String, Duration>>>,
}

impl ExecutionLog {
    constructors!();

    fn of(records: Arc<dyn RecordStore>) -> Self {
        ExecutionLog { records: Some(records), ..Self::disabled() }
    }

    /// A disabled log: reads return nothing, and writes succeed without effect.
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use chunkmigrate::store::{ExecutionEnd, ExecutionLog};
    ///
    /// let log = ExecutionLog::disabled();
    /// log.finish_execution("never started", &ExecutionEnd::default())?;
    /// assert!(log.list_all(None)?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn disabled() -> Self {
        ExecutionLog {
            records: None,
            clock: Arc::new(SystemClock(Instant::now())),
            started: Arc::default(),
        }
    }

    /// Replaces the clock, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Whether the log is in a key-value backend.
    pub fn has_kv_backend(&self) -> bool {
        let records = self.records.as_ref();
        records.is_some_and(|records| records.has_kv_backend())
    }

    /// Whether ids are never reused, as with
    /// [`ChunkStore::keeps_ids`](super::ChunkStore::keeps_ids).
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    pub fn keeps_ids(&self) -> Result<bool> {
        let records = self.records.as_ref();
        records.map_or(Ok(true), |records| records.keeps_ids(RecordKind::ExecutionLog))
    }

    /// Records that a run starts now, with the outcome `running` and counts of 0. Returns its id in
    /// the log, one above the highest ever assigned. A disabled log returns 0.
    ///
    /// # Errors
    /// - [`Error::ExecutionExists`]: a run of this execution id was started before.
    /// - [`Error::NoIdLeft`].
    /// - Otherwise see [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use chunkmigrate::store::{ExecutionLog, ExecutionStart};
    ///
    /// let log = ExecutionLog::in_memory(None)?;
    /// let start = ExecutionStart {
    ///     execution_id: "1-a", tool_version: "1.0", args: &[], root: None, db_path: "code.db",
    /// };
    /// assert_eq!(log.start_execution(&start)?, 1);
    /// assert!(log.start_execution(&start).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_execution(&self, start: &ExecutionStart<'_>) -> Result<i64> {
        let Some(records) = &self.records else {
            return Ok(0);
        };
        let began = self.clock.elapsed();
        let record = Record::ExecutionLog(start.record(self.clock.unix_seconds())?);
        let mut id = 0;
        write(records, &mut |transaction| {
            if transaction.get(&record.key())?.is_some() {
                let execution_id = start.execution_id.to_owned();
                return Err(Error::ExecutionExists { execution_id });
            }
            id = transaction.replace(record.clone())?;
            Ok(())
        })?;
        self.started().insert(start.execution_id.to_owned(), began);
        Ok(id)
    }

    /// Records that a run ends now. Overwrites the end of a run that has already ended.
    ///
    /// `duration_ms` is measured if this log or a clone of it started the run. Otherwise it is the
    /// difference between start and end in whole seconds, or 0 if the clock was set back in
    /// between.
    ///
    /// # Errors
    /// - [`Error::ExecutionNotFound`]: no run of this execution id was ever started.
    /// - Else see [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use chunkmigrate::store::{ExecutionEnd, ExecutionLog};
    ///
    /// let log = ExecutionLog::in_memory(None)?;
    /// let failed = ExecutionEnd { outcome: "error", ..Default::default() };
    /// assert!(log.finish_execution("never started", &failed).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn finish_execution(&self, execution_id: &str, end: &ExecutionEnd<'_>) -> Result<()> {
        let Some(records) = &self.records else {
            return Ok(());
        };
        let now = self.clock.unix_seconds();
        let began = self.started().get(execution_id).copied();
        let measured = began.map(|began| self.clock.elapsed().saturating_sub(began));
        let key = RecordKey::ExecutionLog { execution_id: execution_id.to_owned() };
        write(records, &mut |transaction| {
            let found = transaction.get(&key)?.and_then(Record::into_execution);
            let mut execution = found.ok_or_else(|| Error::ExecutionNotFound {
                execution_id: execution_id.to_owned(),
            })?;
            end.note_in(&mut execution, now, measured);
            transaction.upsert(&Record::ExecutionLog(execution))
        })?;
        self.started().remove(execution_id);
        Ok(())
    }

    /// The run with an execution id; `None` if there is none.
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let log = chunkmigrate::store::ExecutionLog::in_memory(None)?;
    /// assert_eq!(log.get_by_execution_id("1-a")?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_by_execution_id(&self, execution_id: &str) -> Result<Option<ExecutionRecord>> {
        let Some(records) = &self.records else {
            return Ok(None);
        };
        let record =
            records.get(&RecordKey::ExecutionLog { execution_id: execution_id.to_owned() })?;
        Ok(record.and_then(Record::into_execution))
    }

    /// The runs ordered by `started_at`, then `id`, newest first; at most `limit`, or all.
    ///
    /// Reads the whole log, O(n) in its length, but keeps only `limit` runs in memory.
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let log = chunkmigrate::store::ExecutionLog::in_memory(None)?;
    /// assert!(log.list_all(Some(20))?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(&self, limit: Option<usize>) -> Result<Vec<ExecutionRecord>> {
        let Some(records) = &self.records else {
            return Ok(Vec::new());
        };
        let all = RecordFilter::all(RecordKind::ExecutionLog);
        let mut newest = BTreeMap::new();
        records.visit(&all, &mut |record| {
            if let Some(run) = record.into_execution() {
                let place = (run.started_at, run.id, run.execution_id.clone());
                newest.insert(Reverse(place), run);
                if limit.is_some_and(|limit| newest.len() > limit) {
                    newest.pop_last();
                }
            }
            Ok(())
        })?;
        Ok(newest.into_values().collect())
    }

    fn started(&self) -> MutexGuard<'_, HashMap<String, Duration>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(
    records: &Arc<dyn RecordStore>,
    write: &mut dyn FnMut(&mut dyn RecordTransaction) -> Result<()>,
) -> Result<()> {
    records.transaction(&[RecordKind::ExecutionLog], write)
}
