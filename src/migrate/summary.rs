use std::path::PathBuf;

use super::import::EndLine;
use super::merge::MergeCounts;
use crate::codec::{Digest, KindTotals};
use crate::compare::{Finding, FindingCounts, FindingLog};
use crate::fsio::StoreKind;
use crate::record::{IdSequences, PerKind, RecordKind};
use crate::sqlite::StaleIndex;
use crate::stream::UncopiedTable;

/// What a copy did.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether everything was copied: see `is_complete`"]
pub struct CopySummary {
    /// The source, as it was given.
    pub source: PathBuf,
    /// Which store the source is.
    pub source_store: StoreKind,
    /// Magellan's schema version of the source, if it tells one.
    pub schema_version: Option<i64>,
    /// The kinds that were asked for; empty means all.
    pub only: Vec<RecordKind>,
    /// Whether the last writer of the source closed it, if it is a KV file; if not, what was copied is
    /// its last complete state.
    pub source_closed_cleanly: bool,
    /// The same of a KV file that was merged into.
    pub target_closed_cleanly: bool,
    /// What the end line says about a source of text; `None` for others.
    pub end_line: Option<EndLine>,
    /// The kinds that were asked for and whose table the source lacks.
    pub missing: Vec<RecordKind>,
    /// The columns that were left out, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// The target, as it was given.
    pub target: PathBuf,
    /// Which store the target is.
    pub target_store: StoreKind,
    /// Whether the target was written; a merge that changes nothing writes nothing.
    pub written: bool,
    /// Size of the target in bytes; `None` if none was made.
    pub target_bytes: Option<u64>,
    /// Whether every record was read back from the finished target and compared.
    pub verified: bool,
    /// Counts and digest of what was copied, or would have been.
    pub totals: PerKind<KindTotals>,
    /// Number of rows or entries that are no records and were not copied.
    pub rejected: PerKind<u64>,
    /// Number of keys of the source of no known form, or of lines of no known kind.
    pub unknown_keys: u64,
    /// The combined digest of what was copied; `None` if no target was made because of such rows.
    pub sha256: Option<Digest>,
    /// The id high-water marks.
    pub sequences: IdSequences,
    /// What the source holds beside what was asked for.
    pub uncopied_tables: Vec<UncopiedTable>,
    /// The first of what is not as it should be in the source, and of what the target refused. The
    /// side is the left one.
    pub rejections: Vec<Finding>,
    /// Number of all of these.
    pub rejections_total: u64,
    /// The rejects file, if one was written.
    pub rejects: Option<PathBuf>,
    /// A rejects file of an earlier run that lies where this run would have put its own.
    pub stale_rejects_file: Option<PathBuf>,
    /// What the read-back found, at most `limit`; if anything, no target was made.
    pub divergences: Vec<Finding>,
    /// Number of all that the read-back found.
    pub divergences_total: u64,
    /// Number of all rejections and divergences, by class and kind.
    pub counts: FindingCounts,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Whether the records were to go into an existing target.
    pub merge: bool,
    /// What a merge changed, or would have; `None` if nothing was merged.
    pub merged: Option<PerKind<MergeCounts>>,
    /// Whether a merge changed, or would have, something beside records: the id high-water marks,
    /// or a manifest that told of other content.
    pub changes_beside: bool,
    /// Full-text tables of the target whose content a merge changed, and which were rebuilt.
    pub rebuilt: Vec<String>,
    /// Full-text tables of the target whose content a merge changed, and which could not be rebuilt.
    pub stale: Vec<StaleIndex>,
    /// Triggers of the target that a merge would have run, and did not.
    pub skipped_triggers: Vec<String>,
    /// What of the access rights of the file that was replaced the target could not be given: `owner`,
    /// `group`, `access control list`. It gives nobody more than the old file did.
    pub lost_access: Vec<&'static str>,
    /// Private folders of earlier runs that were killed.
    pub leftover_dirs: Vec<PathBuf>,
}

impl CopySummary {
    /// The kinds that were asked for, with their totals, in key order.
    pub fn asked_for(&self) -> impl Iterator<Item = (RecordKind, &KindTotals)> {
        let totals = self.totals.iter();
        totals.filter(|(kind, _)| kind.is_asked_for(&self.only))
    }

    /// Number of records that were copied, or would have been.
    pub fn records(&self) -> u64 {
        let totals = self.totals.iter();
        totals.map(|(_, totals)| totals.records).sum()
    }

    /// Number of records that a merge wrote, or would have; `None` if nothing was merged.
    pub fn changed(&self) -> Option<u64> {
        let counts = self.merged.as_ref()?.iter();
        Some(counts.map(|(_, counts)| counts.changed()).sum())
    }

    /// Takes in what the read-back found.
    pub(super) fn take_divergences(&mut self, found: FindingLog) {
        self.counts.add(found.counts());
        self.divergences_total = found.counts().divergences();
        self.divergences = found.into_first();
        self.sha256 = None;
    }

    /// Number of rows and entries that were not copied.
    pub fn rejected_total(&self) -> u64 {
        let rejected: u64 = self.rejected.iter().map(|(_, rows)| rows).sum();
        rejected + self.unknown_keys
    }

    /// Whether everything was carried over exactly, or would have been.
    pub fn is_complete(&self) -> bool {
        self.rejections_total == 0 && self.divergences_total == 0
    }
}
