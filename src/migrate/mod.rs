//! Copying all records of one store into another: read once, verified from the finished file, and
//! published whole or not at all.

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
pub use export::{ExportFlow, ExportItem, ExportOptions, export};
pub use import::{EndLine, ImportSource, import_to_kv, import_to_sqlite};
pub use merge::MergeCounts;
pub(crate) use new_database::create_database;
pub use summary::CopySummary;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::fsio::remove_all_private_folders;
use crate::open::OpenOptions;
use crate::record::RecordKind;

/// 9999-12-31T23:59:59Z, since 1970.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// What becomes of a copy when a row of the source has no exact record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInvalid {
    /// The source is read to its end, every such row is told, and no target is made.
    #[default]
    Fail,
    /// The other rows are copied, and every such row goes to the rejects file.
    Skip,
}

/// How records are copied.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// The kinds to copy; empty means all.
    pub only: Vec<RecordKind>,
    /// Whether an existing target may be replaced.
    pub replace: bool,
    /// Whether the records go into an existing target, by their keys, in one transaction.
    pub merge: bool,
    /// What to do with rows that are no records.
    pub on_invalid: OnInvalid,
    /// Where rejected rows are written, one JSON object a line. Without it, [`OnInvalid::Skip`]
    /// takes the target's name with `.rejects.jsonl`, and [`OnInvalid::Fail`] writes none.
    pub rejects: Option<PathBuf>,
    /// Columns, each as `TABLE.COLUMN`, to leave out although they hold values.
    pub without_columns: Vec<String>,
    /// Whether SQLite checks the integrity of the source first.
    pub check_source: bool,
    /// Whether a text must have an end line to be imported.
    pub require_end: bool,
    /// Whether a text without any line is imported.
    pub allow_empty: bool,
    /// Whether to read and check everything and write nothing.
    pub dry_run: bool,
    /// Whether the finished target is read back and compared before it is published.
    pub verify: bool,
    /// Where SQLite sorts what does not fit into memory.
    pub temp_dir: Option<PathBuf>,
    /// How many rejections and divergences the summary keeps; all are counted.
    pub limit: usize,
    /// The time that the manifest has; now, if there is none. The manifest has only times from 1970 to
    /// 9999, and takes the nearest for others.
    pub created_at: Option<SystemTime>,
}

impl Default for CopyOptions {
    /// All kinds, into a new target, with read-back; the first invalid row fails the copy.
    fn default() -> Self {
        CopyOptions {
            only: Vec::new(),
            replace: false,
            merge: false,
            on_invalid: OnInvalid::default(),
            rejects: None,
            without_columns: Vec::new(),
            check_source: false,
            require_end: false,
            allow_empty: false,
            dry_run: false,
            verify: true,
            temp_dir: None,
            limit: 20,
            created_at: None,
        }
    }
}

impl CopyOptions {
    fn asks_for(&self, kind: RecordKind) -> bool {
        kind.is_asked_for(&self.only)
    }

    /// The kinds that are asked for, in key order.
    fn kinds(&self) -> Vec<RecordKind> {
        let mut kinds = RecordKind::ALL.to_vec();
        kinds.retain(|kind| self.asks_for(*kind));
        kinds
    }

    fn open_options(&self) -> OpenOptions {
        OpenOptions {
            only: self.only.clone(),
            without_columns: self.without_columns.clone(),
            temp_dir: self.temp_dir.clone(),
            check_integrity: self.check_source,
            ..OpenOptions::default()
        }
    }

    /// The time for the manifest, in UTC: one that is written in four digits for the year. A clock that
    /// stands before 1970 or after 9999 is wrong in any case.
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

/// Removes what copies, merges and verifications of this process that are under way have not
/// published, without waiting for them. For a process that is about to end and can't let them fail,
/// as one without memory.
pub fn remove_private_folders() {
    remove_all_private_folders();
}
