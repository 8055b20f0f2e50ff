//! Copies all records of one store into another: read once, verified from the finished file, and
//! published atomically.

mod copy;
mod copy_job;
mod copy_sink;
mod dual_digest;
mod export;
mod import;
mod merge;
mod new_database;
mod read_back;
mod reject_log;
mod rejects;
mod summary;
mod target_check;
mod target_writer;
mod worker;

pub use crate::sqlite::merge::full_text::StaleIndex;
pub use crate::stream::UncopiedTable;
pub(crate) use copy::copy_snapshot;
pub use copy::{kv_to_sqlite, sqlite_to_kv};
pub use export::{ExportItem, ExportOptions, export};
pub use import::{EndLine, ImportSource, import_to_kv, import_to_sqlite};
pub use merge::MergeCounts;
pub(crate) use new_database::create_database;
pub use summary::{CarriedTable, CopyOutcome, CopySummary, MergeSummary};

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::compare::FindingCounts;
use crate::error::{Error, Result};
use crate::record::KindSet;
use crate::setters::setters;
use crate::sqlite::SourceOptions;
use crate::stream::Jobs;
use crate::table::TableSelection;

/// 9999-12-31T23:59:59Z in Unix seconds.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// Options of a copy.
///
/// ```
/// use chunkmigrate::migrate::CopyOptions;
/// use chunkmigrate::record::RecordKind;
///
/// let options = CopyOptions::default().merge(true).skip_invalid(true);
/// let chunks = options.clone().only(RecordKind::Chunk);
/// assert!(chunks.merge && chunks.only != options.only);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CopyOptions {
    /// The kinds to copy.
    pub only: KindSet,
    /// The tables to copy in addition, from a database or a text; with [`TableSelection::None`], of a
    /// text all that it describes. A KV file is copied with all tables that it carries.
    pub tables: TableSelection,
    /// Whether an existing target may be replaced.
    pub replace: bool,
    /// Whether to merge the records into an existing target by key, in one transaction.
    pub merge: bool,
    /// Whether to copy the valid records if some rows, entries or lines are invalid, and to write
    /// these to the rejects file. Otherwise the source is read to its end, every invalid item is
    /// reported, and no target is created.
    pub skip_invalid: bool,
    /// The file for rejected items, as JSON Lines. If `None`, [`skip_invalid`](Self::skip_invalid)
    /// uses the target's name with `.rejects.jsonl`; otherwise none is written.
    pub rejects: Option<PathBuf>,
    /// Columns to ignore although they contain values, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// Whether to run SQLite's integrity check on the source first.
    pub check_source: bool,
    /// Whether the import of a text without an end line is an error.
    pub require_end: bool,
    /// Whether the import of a text without any lines is allowed.
    pub allow_empty: bool,
    /// Whether to read and check everything, but write nothing.
    pub dry_run: bool,
    /// Whether to read back and compare the finished target before publishing it.
    pub verify: bool,
    /// Directory in which SQLite sorts what does not fit into memory.
    pub temp_dir: Option<PathBuf>,
    /// Number of threads that convert and check records, besides those that read, write and hash;
    /// `None` for as many as the process may use cores.
    pub jobs: Option<NonZeroUsize>,
    /// Maximum number of rejections and divergences of each class in the summary; all are counted.
    pub limit: usize,
    /// The time for the manifest; `None` for the current time. Times outside of the years 1970 to
    /// 9999 are clamped.
    pub created_at: Option<SystemTime>,
}

impl Default for CopyOptions {
    /// All kinds, into a new target, with read-back; any invalid item fails the copy.
    fn default() -> Self {
        CopyOptions {
            only: KindSet::ALL,
            tables: TableSelection::None,
            replace: false,
            merge: false,
            skip_invalid: false,
            rejects: None,
            without_columns: Vec::new(),
            check_source: false,
            require_end: false,
            allow_empty: false,
            dry_run: false,
            verify: true,
            temp_dir: None,
            jobs: None,
            limit: 10,
            created_at: None,
        }
    }
}

impl CopyOptions {
    setters! {
        only: impl Into<KindSet>,
        tables: TableSelection,
        replace: bool,
        merge: bool,
        skip_invalid: bool,
        rejects: impl Into<Option<PathBuf>>,
        without_columns: impl Into<Vec<String>>,
        check_source: bool,
        require_end: bool,
        allow_empty: bool,
        dry_run: bool,
        verify: bool,
        temp_dir: impl Into<Option<PathBuf>>,
        jobs: impl Into<Option<NonZeroUsize>>,
        limit: usize,
        created_at: impl Into<Option<SystemTime>>,
    }

    fn threads(&self) -> Jobs {
        Jobs::new(self.jobs)
    }

    /// Whether findings about the source, or about what the target rejects, fail the copy.
    fn fails_for(&self, findings: &FindingCounts) -> bool {
        !self.skip_invalid && findings.total() > 0
    }

    fn open_options(&self) -> SourceOptions {
        SourceOptions {
            only: self.only,
            tables: self.tables.clone(),
            without_columns: self.without_columns.clone(),
            temp_dir: self.temp_dir.clone(),
            check_integrity: self.check_source,
            ..SourceOptions::default()
        }
    }

    /// The time for the manifest, in UTC with a four-digit year. A clock before 1970 or after 9999
    /// is wrong anyway.
    fn created_at_text(&self) -> Result<String> {
        let created_at = self.created_at.unwrap_or_else(SystemTime::now);
        let last = UNIX_EPOCH + LAST_SECOND;
        let created_at = created_at.clamp(UNIX_EPOCH, last);
        let mut text = String::new();
        write!(text, "{}", humantime::format_rfc3339_seconds(created_at))
            .map_err(|_| Error::Internal("cannot format the time of creation".to_owned()))?;
        Ok(text)
    }
}
