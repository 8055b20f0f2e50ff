use std::path::PathBuf;

use super::import::EndLine;
use super::merge::MergeCounts;
use crate::codec::{Digest, KindTotals};
use crate::compare::{Finding, FindingCounts, FindingLog};
use crate::fsio::StoreKind;
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::sqlite::StaleIndex;
use crate::stream::UncopiedTable;

/// The result of a copy.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether everything was copied: see `is_complete`"]
pub struct CopySummary {
    /// The source, as specified by the caller.
    pub source: PathBuf,
    /// The kind of store of the source.
    pub source_store: StoreKind,
    /// Magellan's schema version of the source, if it has one.
    pub schema_version: Option<i64>,
    /// The selected kinds.
    pub only: KindSet,
    /// Whether the last writer of a source KV file closed it; if not, its last complete state was
    /// copied.
    pub source_closed_cleanly: bool,
    /// The same for a KV file that was merged into.
    pub target_closed_cleanly: bool,
    /// The result of checking the end line of an imported text; `None` for other sources.
    pub end_line: Option<EndLine>,
    /// The selected kinds whose table is missing in the source.
    pub missing: Vec<RecordKind>,
    /// The ignored columns, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// The target, as specified by the caller.
    pub target: PathBuf,
    /// The kind of store of the target.
    pub target_store: StoreKind,
    /// Whether the target was written. A merge without changes writes nothing.
    pub written: bool,
    /// Size of the target in bytes; `None` if none was created.
    pub target_bytes: Option<u64>,
    /// Whether every record was read back from the finished target and compared.
    pub verified: bool,
    /// Counts and digest of the records that were copied, or would be.
    pub totals: PerKind<KindTotals>,
    /// Number of invalid rows, entries or lines, which were not copied.
    pub rejected: PerKind<u64>,
    /// Number of keys with an unknown form in the source, or of lines of an unknown kind.
    pub unknown_keys: u64,
    /// The combined digest of the copied records; `None` if no target was created because of
    /// invalid items.
    pub sha256: Option<Digest>,
    /// The id sequences.
    pub sequences: IdSequences,
    /// Tables of the source that contain other data.
    pub uncopied_tables: Vec<UncopiedTable>,
    /// The first findings about the source, and about records that the target rejected. Their side
    /// is the left one.
    pub rejections: Vec<Finding>,
    /// Total number of these findings.
    pub rejections_total: u64,
    /// The rejects file, if one was written.
    pub rejects: Option<PathBuf>,
    /// A rejects file of an earlier run at the path where this run would have written its own.
    pub stale_rejects_file: Option<PathBuf>,
    /// The findings of the read-back, at most `limit`; if there are any, no target was created.
    pub divergences: Vec<Finding>,
    /// Total number of findings of the read-back.
    pub divergences_total: u64,
    /// Number of all rejections and divergences by class and kind.
    pub counts: FindingCounts,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Whether this was a merge into an existing target.
    pub merge: bool,
    /// The changes that a merge made, or would make; `None` if nothing was merged.
    pub merged: Option<PerKind<MergeCounts>>,
    /// Whether a merge changed, or would change, metadata: the id sequences, or a manifest that no
    /// longer matched.
    pub changes_beside: bool,
    /// Full-text tables of the target that were rebuilt because a merge changed their content.
    pub rebuilt: Vec<String>,
    /// Full-text tables of the target that are stale after a merge and could not be rebuilt.
    pub stale: Vec<StaleIndex>,
    /// Triggers of the target that would have run on the changes of a merge, but were disabled.
    pub skipped_triggers: Vec<String>,
    /// Access rights of the replaced file that could not be applied to the target: `owner`,
    /// `group`, `access control list`. The target never grants more access than the old file did.
    pub lost_access: Vec<&'static str>,
    /// Private directories left by killed runs.
    pub leftover_dirs: Vec<PathBuf>,
}

impl CopySummary {
    /// The selected kinds with their totals, in key order.
    pub fn asked_for(&self) -> impl Iterator<Item = (RecordKind, &KindTotals)> {
        let totals = self.totals.iter();
        totals.filter(|(kind, _)| self.only.contains(*kind))
    }

    /// Number of records that were copied, or would be.
    pub fn records(&self) -> u64 {
        let totals = self.totals.iter();
        totals.map(|(_, totals)| totals.records).sum()
    }

    /// Number of records that a merge wrote, or would write; `None` if nothing was merged.
    pub fn changed(&self) -> Option<u64> {
        let counts = self.merged.as_ref()?.iter();
        Some(counts.map(|(_, counts)| counts.changed()).sum())
    }

    /// Adds the findings of the read-back.
    pub(super) fn take_divergences(&mut self, found: FindingLog) {
        self.counts.add(found.counts());
        self.divergences_total = found.counts().divergences();
        self.divergences = found.into_first();
        self.sha256 = None;
    }

    /// Number of items that were not copied.
    pub fn rejected_total(&self) -> u64 {
        let rejected: u64 = self.rejected.iter().map(|(_, rows)| rows).sum();
        rejected + self.unknown_keys
    }

    /// Whether everything was copied exactly, or would be.
    pub fn is_complete(&self) -> bool {
        self.rejections_total == 0 && self.divergences_total == 0
    }
}
