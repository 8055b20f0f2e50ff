//! Copying all records of one store into another: read once, verified from the finished file, and
//! published whole or not at all.

mod kv_target;
mod read_back;
mod rejects;
mod room;
mod sqlite_to_kv;
mod staged;
mod target;

pub use sqlite_to_kv::sqlite_to_kv;
pub use target::TargetError;

use std::path::PathBuf;
use std::time::SystemTime;

use crate::codec::{Digest, KindTotals};
use crate::compare::Divergence;
use crate::record::{PerKind, RecordKind, Sequences};
use crate::sqlite::{OtherTable, Reason};

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
    /// What to do with rows that are no records.
    pub on_invalid: OnInvalid,
    /// Where rejected rows are written, one JSON object a line. Without it, [`OnInvalid::Skip`]
    /// takes the target's name with `.rejects.jsonl`, and [`OnInvalid::Fail`] writes none.
    pub rejects: Option<PathBuf>,
    /// Columns, each as `TABLE.COLUMN`, to leave out although they hold values.
    pub without_columns: Vec<String>,
    /// Whether SQLite checks the integrity of the source first.
    pub check_source: bool,
    /// Whether to read and check everything and write nothing.
    pub dry_run: bool,
    /// Whether the finished target is read back and compared before it is published.
    pub verify: bool,
    /// Where SQLite sorts what does not fit into memory.
    pub temp_dir: Option<PathBuf>,
    /// How many invalid rows and divergences the summary keeps; all are counted.
    pub limit: usize,
    /// The time that the manifest tells; now, if there is none.
    pub created_at: Option<SystemTime>,
}

impl Default for CopyOptions {
    /// All kinds, into a new target, with read-back; the first invalid row fails the copy.
    fn default() -> Self {
        CopyOptions {
            only: Vec::new(),
            replace: false,
            on_invalid: OnInvalid::default(),
            rejects: None,
            without_columns: Vec::new(),
            check_source: false,
            dry_run: false,
            verify: true,
            temp_dir: None,
            limit: 20,
            created_at: None,
        }
    }
}

/// A row that has no exact record, without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its table.
    pub table: &'static str,
    /// Its row id.
    pub rowid: i64,
    /// The column that is to blame.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
}

/// What a copy did.
#[derive(Debug, Clone)]
pub struct CopySummary {
    /// The source, as it was given.
    pub source: PathBuf,
    /// Magellan's schema version of the source, if it tells one.
    pub schema_version: Option<i64>,
    /// The kinds that were asked for; empty means all.
    pub only: Vec<RecordKind>,
    /// The kinds that were asked for and whose table the source lacks.
    pub missing: Vec<RecordKind>,
    /// The columns that were left out, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// The target, as it was given.
    pub target: PathBuf,
    /// Size of the target in bytes; `None` if none was made.
    pub target_bytes: Option<u64>,
    /// Whether every record was read back from the finished target and compared.
    pub verified: bool,
    /// Counts and digest of what was copied, or would have been.
    pub totals: PerKind<KindTotals>,
    /// Number of rows that are no records.
    pub rejected: PerKind<u64>,
    /// The combined digest of what was copied; `None` if no target was made because of such rows.
    pub sha256: Option<Digest>,
    /// The id high-water marks.
    pub sequences: Sequences,
    /// What the source holds beside the tables that were asked for.
    pub not_copied: Vec<OtherTable>,
    /// The first rows that are no records.
    pub rejected_rows: Vec<RejectedRow>,
    /// The rejects file, if one was written.
    pub rejects: Option<PathBuf>,
    /// A rejects file of an earlier run that lies where this run would have put its own.
    pub old_rejects: Option<PathBuf>,
    /// What the read-back found, at most `limit`; if anything, no target was made.
    pub divergences: Vec<Divergence>,
    /// Number of all that the read-back found.
    pub divergences_total: u64,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Private folders of earlier runs that were killed.
    pub left_behind: Vec<PathBuf>,
}

impl CopySummary {
    /// The kinds that were asked for, with their totals, in key order.
    pub fn asked_for(&self) -> impl Iterator<Item = (RecordKind, &KindTotals)> {
        let all = self.only.is_empty();
        self.totals
            .iter()
            .filter(move |(kind, _)| all || self.only.contains(kind))
    }

    /// Whether every row was carried over exactly, or would have been.
    pub fn is_complete(&self) -> bool {
        self.rejected.iter().all(|(_, rows)| *rows == 0) && self.divergences_total == 0
    }
}
