//! Progress reporting and cancellation.

use std::fmt;

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
/// use chunkmigrate::{Progress, Stage};
///
/// /// Counts the records, and cancels after a maximum.
/// #[derive(Default)]
/// struct AtMost(AtomicU64);
///
/// impl Progress for AtMost {
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
/// # let progress = AtMost::default();
/// # progress.start(Stage::CheckSource, None);
/// # progress.inc(7);
/// # assert!(!progress.is_cancelled());
/// ```
pub trait Progress: Send + Sync {
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

/// Ignores progress and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}

/// Fails if the work was cancelled.
pub(crate) fn check_cancelled(progress: &dyn Progress) -> Result<()> {
    if progress.is_cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(())
}
