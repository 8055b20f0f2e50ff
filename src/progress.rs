//! Progress reporting and cancellation.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::record::RecordKind;

/// A stage of the work that has its own progress bar.
///
/// ```
/// use chunkmigrate::{Stage, record::RecordKind};
///
/// assert_eq!(Stage::ReadBack(RecordKind::Chunk).to_string(), "read back chunk");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// SQLite checks the integrity of the source.
    CheckSource,
    /// SQLite scans a table: its rows are counted and its columns checked.
    Survey(RecordKind),
    /// Records are copied from the source into the target.
    Copy(RecordKind),
    /// Records of the finished target are read and checked.
    ReadBack(RecordKind),
    /// Records of two stores are compared.
    Compare(RecordKind),
    /// Records of a store are counted and hashed.
    Digest(RecordKind),
    /// Lines of text are read; their number is not known in advance.
    ReadLines,
    /// Records are exported as text.
    Export(RecordKind),
    /// Records are written into an existing store.
    Merge(RecordKind),
    /// Rows of a carried table are copied.
    CopyTables,
    /// Rows of a carried table are read from the finished target and checked.
    ReadBackTables,
    /// Rows of a carried table are compared.
    CompareTables,
    /// Rows of a carried table are counted and hashed.
    DigestTables,
    /// Rows are written into the tables of an existing database.
    MergeTables,
    /// Rows of a carried table are exported as text.
    ExportTables,
    /// The indexes of a new database are built.
    Index,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::CheckSource => f.write_str("check source"),
            Stage::Survey(kind) => write!(f, "scan {kind}"),
            Stage::Copy(kind) => write!(f, "copy {kind}"),
            Stage::ReadBack(kind) => write!(f, "read back {kind}"),
            Stage::Compare(kind) => write!(f, "compare {kind}"),
            Stage::Digest(kind) => write!(f, "digest {kind}"),
            Stage::ReadLines => f.write_str("read input"),
            Stage::Export(kind) => write!(f, "export {kind}"),
            Stage::Merge(kind) => write!(f, "merge {kind}"),
            Stage::CopyTables => f.write_str("copy tables"),
            Stage::ReadBackTables => f.write_str("read back tables"),
            Stage::CompareTables => f.write_str("compare tables"),
            Stage::DigestTables => f.write_str("digest tables"),
            Stage::MergeTables => f.write_str("merge tables"),
            Stage::ExportTables => f.write_str("export tables"),
            Stage::Index => f.write_str("build indexes"),
        }
    }
}

/// Receives the progress of long-running work. Stages run one after another and never overlap.
///
/// The methods are called from worker threads, usually once per several hundred records.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use chunkmigrate::{Progress, ProgressSink, Stage};
///
/// /// Counts the records, and cancels after a maximum.
/// #[derive(Default)]
/// struct AtMost(AtomicU64);
///
/// impl ProgressSink for AtMost {
///     fn start(&self, stage: Stage, total: Option<u64>) {
///         eprintln!("{stage}: {total:?} records");
///     }
///
///     fn inc(&self, records: u64) {
///         self.0.fetch_add(records, Ordering::Relaxed);
///     }
///
///     fn is_cancelled(&self) -> bool {
///         self.0.load(Ordering::Relaxed) > 1_000_000
///     }
/// }
///
/// let progress = Progress::new(AtMost::default());
/// # let _ = progress;
/// ```
pub trait ProgressSink: Send + Sync {
    /// The work has as many records in all stages together, each counted once for each stage. Not
    /// called if that is not known; called again by work that is part of other work.
    fn plan(&self, records: u64) {
        let _ = records;
    }

    /// A stage begins; `total` is its number of records, if known.
    fn start(&self, stage: Stage, total: Option<u64>) {
        let _ = (stage, total);
    }

    /// `records` more records of the stage are done.
    fn inc(&self, records: u64) {
        let _ = records;
    }

    /// The stage ended.
    fn finish(&self) {}

    /// Whether to cancel the work, which then fails with [`Error::Cancelled`] and leaves no files.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// A handle to the receiver of progress, if there is one. Cheap to clone.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn ProgressSink>>);

impl Progress {
    /// Ignores progress and never cancels.
    pub const fn none() -> Self {
        Progress(None)
    }

    /// Reports to `sink`.
    pub fn new(sink: impl ProgressSink + 'static) -> Self {
        Progress::from(Arc::new(sink))
    }

    /// `records` is the number in all stages together, if it is known.
    pub(crate) fn plan(&self, records: Option<u64>) {
        if let Some((sink, records)) = self.0.as_ref().zip(records) {
            sink.plan(records);
        }
    }

    pub(crate) fn start(&self, stage: Stage, total: Option<u64>) {
        match total {
            Some(1) => log::debug!("{stage}: 1 record"),
            Some(total) => log::debug!("{stage}: {total} records"),
            None => log::debug!("{stage}"),
        }
        if let Some(sink) = &self.0 {
            sink.start(stage, total);
        }
    }

    pub(crate) fn inc(&self, records: u64) {
        if let Some(sink) = &self.0 {
            sink.inc(records);
        }
    }

    pub(crate) fn finish(&self) {
        log::debug!("done");
        if let Some(sink) = &self.0 {
            sink.finish();
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|sink| sink.is_cancelled())
    }

    /// Fails if the work was cancelled.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        match self.is_cancelled() {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

impl<S: ProgressSink + 'static> From<Arc<S>> for Progress {
    fn from(sink: Arc<S>) -> Self {
        Progress(Some(sink))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}
