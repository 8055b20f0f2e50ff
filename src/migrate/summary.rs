use std::path::PathBuf;

use super::import::EndLine;
use super::merge::MergeCounts;
use crate::codec::{Digest, KindTotals, combined_digest};
use crate::compare::{Finding, FindingCounts, FindingLog};
use crate::fsio::StoreKind;
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::sqlite::{Derived, StaleIndex};
use crate::stream::UncopiedTable;

/// How a copy ended.
#[derive(Debug, Clone)]
pub enum CopyOutcome {
    /// A new target was published, in place of an old one if there was one.
    Created {
        /// Size of the target in bytes.
        file_bytes: u64,
        /// Whether every record was read back from it and compared.
        verified: bool,
        /// Access rights of the replaced file that could not be applied to the target: `owner`,
        /// `group`, `access control list`. The target never grants more access than the old file
        /// did.
        lost_access: Vec<&'static str>,
    },
    /// Records or metadata were merged into an existing target, which was read back before the
    /// commit.
    Merged {
        /// Size of the target in bytes.
        file_bytes: u64,
        /// The changes.
        merge: MergeSummary,
    },
    /// The target of a merge already contains everything; nothing was written.
    Unchanged {
        /// Size of the target in bytes.
        file_bytes: u64,
        /// What was found.
        merge: MergeSummary,
    },
    /// A dry run: the copy or merge would succeed.
    DryRun {
        /// The changes that a merge would make; `None` for a copy.
        merge: Option<MergeSummary>,
    },
    /// Nothing was written, or would be, because of the [rejections](CopySummary::rejections).
    Rejected,
    /// Nothing was published because the read-back differs from the source.
    ReadBackDiffers {
        /// The first divergences; `left` is the source.
        divergences: Vec<Finding>,
        /// Number of all divergences by class and kind.
        counts: Box<FindingCounts>,
    },
}

impl CopyOutcome {
    pub(super) fn read_back_differs(found: FindingLog) -> Self {
        CopyOutcome::ReadBackDiffers {
            counts: Box::new(*found.counts()),
            divergences: found.into_first(),
        }
    }
}

/// What a merge did, or would do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MergeSummary {
    /// Number of records of each kind by what the merge does with them.
    pub counts: PerKind<MergeCounts>,
    /// Whether metadata changes: the id sequences, or a manifest that no longer matched.
    pub changes_metadata: bool,
    /// Full-text tables of the target that were rebuilt because their content changed.
    pub rebuilt: Vec<String>,
    /// Full-text tables of the target that are stale and could not be rebuilt.
    pub stale: Vec<StaleIndex>,
    /// Triggers of the target that would have run on the changes, but were disabled.
    pub skipped_triggers: Vec<String>,
}

impl MergeSummary {
    pub(super) fn new(
        counts: PerKind<MergeCounts>,
        changes_metadata: bool,
        derived: Derived,
    ) -> Self {
        MergeSummary {
            counts,
            changes_metadata,
            rebuilt: derived.rebuilt,
            stale: derived.stale,
            skipped_triggers: derived.skipped_triggers,
        }
    }

    /// Number of records that are written.
    pub fn changed(&self) -> u64 {
        let counts = self.counts.iter();
        counts.map(|(_, counts)| counts.changed()).sum()
    }
}

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
    /// How it ended.
    pub outcome: CopyOutcome,
    /// Counts and digest of the records that were copied, or would be.
    pub totals: PerKind<KindTotals>,
    /// Number of invalid rows, entries or lines, which were not copied.
    pub rejected: PerKind<u64>,
    /// Number of keys with an unknown form in the source, or of lines of an unknown kind.
    pub unknown_keys: u64,
    /// The id sequences.
    pub sequences: IdSequences,
    /// Tables of the source that contain other data.
    pub uncopied_tables: Vec<UncopiedTable>,
    /// The first findings about the source, and about records that the target rejected. Their side
    /// is the left one.
    pub rejections: Vec<Finding>,
    /// Number of all these findings by class and kind.
    pub rejection_counts: FindingCounts,
    /// The rejects file, if one was written.
    pub rejects: Option<PathBuf>,
    /// A rejects file of an earlier run at the path where this run would have written its own.
    pub stale_rejects_file: Option<PathBuf>,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Whether this was a merge into an existing target.
    pub merge: bool,
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

    /// The combined digest of the copied records; `None` if nothing was copied because of findings.
    pub fn sha256(&self) -> Option<Digest> {
        match self.outcome {
            CopyOutcome::Rejected | CopyOutcome::ReadBackDiffers { .. } => None,
            _ => Some(combined_digest(&self.totals)),
        }
    }

    /// Size of the target in bytes; `None` if it was not written or merged into.
    pub const fn file_bytes(&self) -> Option<u64> {
        match self.outcome {
            CopyOutcome::Created { file_bytes, .. }
            | CopyOutcome::Merged { file_bytes, .. }
            | CopyOutcome::Unchanged { file_bytes, .. } => Some(file_bytes),
            _ => None,
        }
    }

    /// Whether every record was read back from the target and compared.
    pub const fn is_verified(&self) -> bool {
        match self.outcome {
            CopyOutcome::Created { verified, .. } => verified,
            CopyOutcome::Merged { .. } | CopyOutcome::Unchanged { .. } => true,
            _ => false,
        }
    }

    /// What a merge did, or would do; `None` if nothing was merged.
    pub const fn merged(&self) -> Option<&MergeSummary> {
        match &self.outcome {
            CopyOutcome::Merged { merge, .. }
            | CopyOutcome::Unchanged { merge, .. }
            | CopyOutcome::DryRun { merge: Some(merge) } => Some(merge),
            _ => None,
        }
    }

    /// The first findings of the read-back.
    pub fn divergences(&self) -> &[Finding] {
        match &self.outcome {
            CopyOutcome::ReadBackDiffers { divergences, .. } => divergences,
            _ => &[],
        }
    }

    /// Number of all rejections and divergences by class and kind.
    pub fn counts(&self) -> FindingCounts {
        let mut all = self.rejection_counts;
        if let CopyOutcome::ReadBackDiffers { counts, .. } = &self.outcome {
            all.add(counts);
        }
        all
    }

    /// Number of items that were not copied.
    pub fn rejected_total(&self) -> u64 {
        let rejected: u64 = self.rejected.iter().map(|(_, rows)| rows).sum();
        rejected + self.unknown_keys
    }

    /// Whether everything was copied exactly, or would be.
    pub fn is_complete(&self) -> bool {
        self.counts().total() == 0
    }
}
