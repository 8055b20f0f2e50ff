mod events;

pub use events::{ExecutionEnd, ExecutionStart};

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::backend::{self, RecordFilter, RecordStore, RecordTransaction};
use super::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::fsio::IfMissing;
use crate::kv::KvBackend;
use crate::record::{ExecutionRecord, Record, RecordKey, RecordKind};
use crate::sqlite::SharedConnection;

/// The log of a tool's runs, in a key-value backend or in SQLite, or nowhere.
///
/// Both give the same answers to the same calls, as with [`ChunkStore`](super::ChunkStore), and fail
/// for the same reasons. Clones are handles on the same log.
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
    /// When the executions that this log has started began, by the clock's [`Clock::elapsed`].
    started: Arc<Mutex<HashMap<String, Duration>>>,
}

impl ExecutionLog {
    /// A log in a SQLite file, which is made if there is none. Its table is made by the first write;
    /// until then the log is empty.
    ///
    /// # Errors
    /// The file can't be opened, or is no database.
    pub fn new(path: &Path) -> Result<Self> {
        let records = backend::in_sqlite_file(path, IfMissing::Create)?;
        Ok(Self::of(Some(records)))
    }

    /// A log in a SQLite file that is there.
    ///
    /// # Errors
    /// There is no file, it can't be opened, or is no database.
    pub fn open(path: &Path) -> Result<Self> {
        let records = backend::in_sqlite_file(path, IfMissing::Fail)?;
        Ok(Self::of(Some(records)))
    }

    /// A log in a SQLite database that is open already: a `rusqlite::Connection`, or a
    /// [`SharedConnection`] that others use too, as in the example there.
    pub fn with_connection(connection: impl Into<SharedConnection>) -> Self {
        Self::of(Some(backend::over_connection(connection.into())))
    }

    /// A log in a key-value backend.
    pub fn with_kv_backend(backend: Arc<dyn KvBackend>) -> Self {
        Self::of(Some(backend::over_kv_backend(backend)))
    }

    /// A log in a key-value backend if one is given, else in a new SQLite database in memory, which
    /// goes with the log.
    ///
    /// # Errors
    /// SQLite can't make the database.
    pub fn in_memory(backend: Option<Arc<dyn KvBackend>>) -> Result<Self> {
        Ok(Self::of(Some(backend::in_memory(backend)?)))
    }

    /// A log that keeps nothing: it reads as empty and takes writes as done.
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
        Self::of(None)
    }

    fn of(records: Option<Arc<dyn RecordStore>>) -> Self {
        ExecutionLog {
            records,
            clock: Arc::new(SystemClock::new()),
            started: Arc::default(),
        }
    }

    /// The same log with another clock.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use chunkmigrate::store::{Clock, ExecutionLog};
    ///
    /// #[derive(Debug)]
    /// struct Stopped;
    ///
    /// impl Clock for Stopped {
    ///     fn unix_seconds(&self) -> i64 {
    ///         1_700_000_000
    ///     }
    ///
    ///     fn elapsed(&self) -> Duration {
    ///         Duration::ZERO
    ///     }
    /// }
    ///
    /// let log = ExecutionLog::disabled().with_clock(Arc::new(Stopped));
    /// assert!(!log.has_kv_backend());
    /// ```
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

    /// Whether no id is ever given twice, as with [`ChunkStore::keeps_ids`](super::ChunkStore::keeps_ids).
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    pub fn keeps_ids(&self) -> Result<bool> {
        let records = self.records.as_ref();
        records.map_or(Ok(true), |records| {
            records.keeps_ids(RecordKind::ExecutionLog)
        })
    }

    /// Notes that a run begins now, with the outcome `running` and counts of 0, and returns its id
    /// in the log: one above the highest that was ever given. A disabled log returns 0.
    ///
    /// # Errors
    /// - [`Error::ExecutionExists`]: a run of this execution id was started before.
    /// - [`RecordError::NoIdLeft`](crate::record::RecordError::NoIdLeft).
    /// - Else see [`ChunkStore`](super::ChunkStore#errors).
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

    /// Notes that a run has ended now. One that has ended before gets the new end.
    ///
    /// `duration_ms` is measured if this log, or a clone of it, has started the run; else it is the
    /// difference of the seconds of start and end, and 0 if the clock was set back between them.
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
        let key = RecordKey::ExecutionLog {
            execution_id: execution_id.to_owned(),
        };
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

    /// The run of an execution id; `None` if there is none.
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
        let record = records.get(&RecordKey::ExecutionLog {
            execution_id: execution_id.to_owned(),
        })?;
        Ok(record.and_then(Record::into_execution))
    }

    /// Runs by `started_at`, then `id`, newest first; as many as `limit` says, or all.
    ///
    /// The whole log is read, O(n) in its length, and as many runs kept as are asked for.
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
        let all = RecordFilter::Kind(RecordKind::ExecutionLog);
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
