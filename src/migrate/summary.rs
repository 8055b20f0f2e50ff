use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::import::EndLine;
use super::merge::MergeCounts;
use crate::codec::{Digest, KindTotals, combined_digest};
use crate::compare::{Finding, FindingCounts, FindingLog, serialize_findings};
use crate::record::{IdSequences, KindSet, PerKind, RecordKind};
use crate::sqlite::{Derived, StaleIndex};
use crate::stream::{StoreLabel, UncopiedTable, json};
use crate::table::{self, TableSelection, key_prefix};

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
        let (counts, divergences) = found.into_parts();
        CopyOutcome::ReadBackDiffers { counts: Box::new(counts), divergences }
    }
}

/// What a merge did, or would do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MergeSummary {
    /// Number of records of each kind by what the merge does with them.
    pub counts: PerKind<MergeCounts>,
    /// Number of rows of each table that is merged.
    pub tables: BTreeMap<String, MergeCounts>,
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
        tables: BTreeMap<String, MergeCounts>,
        changes_metadata: bool,
        derived: Derived,
    ) -> Self {
        MergeSummary {
            counts,
            tables,
            changes_metadata,
            rebuilt: derived.rebuilt,
            stale: derived.stale,
            skipped_triggers: derived.skipped_triggers,
        }
    }

    /// Number of records and rows that are written.
    pub fn changed(&self) -> u64 {
        let counts = self.counts.iter().map(|(_, counts)| counts);
        counts.chain(self.tables.values()).map(MergeCounts::changed).sum()
    }
}

/// A table that was copied in addition to the four kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CarriedTable {
    /// Its name.
    pub name: String,
    /// Counts and digest of the rows that were copied, or would be.
    pub totals: KindTotals,
    /// Number of rows that were not copied.
    pub rejected: u64,
}

/// The result of a copy.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether everything was copied: see `is_complete`"]
pub struct CopySummary {
    /// The source: a store, or the name of a text.
    pub source: StoreLabel,
    /// Magellan's schema version of the source, if it has one.
    pub schema_version: Option<i64>,
    /// The selected kinds whose table the source lacks.
    pub missing: Vec<RecordKind>,
    /// The result of checking the end line of an imported text; `None` for other sources.
    pub end_line: Option<EndLine>,
    /// The ignored columns, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// The target.
    pub target: StoreLabel,
    /// The selected kinds.
    pub only: KindSet,
    /// How it ended.
    pub outcome: CopyOutcome,
    /// Counts and digest of the records that were copied, or would be.
    pub totals: PerKind<KindTotals>,
    /// The carried tables, in the order of their keys.
    pub tables: Vec<CarriedTable>,
    /// The selection of these tables.
    #[doc(hidden)]
    pub tables_selected: TableSelection,
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
        let of_kinds = self.totals.iter().map(|(_, totals)| totals.records);
        of_kinds.chain(self.tables.iter().map(|table| table.totals.records)).sum()
    }

    /// The combined digest of the copied records; `None` if nothing was copied because of findings.
    pub fn sha256(&self) -> Option<Digest> {
        match self.outcome {
            CopyOutcome::Rejected | CopyOutcome::ReadBackDiffers { .. } => None,
            _ => {
                let mut tables: Vec<_> = self.tables.iter().collect();
                tables.sort_by_cached_key(|table| key_prefix(&table.name));
                let tables = tables.into_iter().map(|table| &table.totals);
                Some(combined_digest(&self.totals, tables))
            }
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

    /// Access rights of the replaced file that could not be applied to the target.
    pub fn lost_access(&self) -> &[&'static str] {
        match &self.outcome {
            CopyOutcome::Created { lost_access, .. } => lost_access,
            _ => &[],
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
        let mut all = self.rejection_counts.clone();
        if let CopyOutcome::ReadBackDiffers { counts, .. } = &self.outcome {
            all.add(counts);
        }
        all
    }

    /// Number of items that were not copied.
    pub fn rejected_total(&self) -> u64 {
        let rejected: u64 = self.rejected.iter().map(|(_, rows)| rows).sum();
        let of_tables: u64 = self.tables.iter().map(|table| table.rejected).sum();
        rejected + of_tables + self.unknown_keys
    }

    /// Whether everything was copied exactly, or would be.
    pub fn is_complete(&self) -> bool {
        self.counts().total() == 0
    }
}

impl Serialize for CopySummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Source<'s> {
            #[serde(flatten)]
            label: &'s StoreLabel,
            schema_version: Option<i64>,
            #[serde(serialize_with = "json::tables")]
            missing_tables: &'s [RecordKind],
            #[serde(skip_serializing_if = "Option::is_none")]
            end_line: Option<EndLine>,
            without_columns: &'s [String],
        }
        #[derive(Serialize)]
        struct Target<'s> {
            #[serde(flatten)]
            label: &'s StoreLabel,
            written: bool,
            file_bytes: Option<u64>,
        }
        #[derive(Serialize)]
        struct Kind {
            kind: table::Kind,
            records: u64,
            rejected: u64,
            #[serde(flatten)]
            merged: Option<MergeCounts>,
        }
        use CopyOutcome::{Created, Merged};
        let source = Source {
            label: &self.source,
            schema_version: self.schema_version,
            missing_tables: &self.missing,
            end_line: self.end_line,
            without_columns: &self.without_columns,
        };
        let target = Target {
            label: &self.target,
            written: matches!(self.outcome, Created { .. } | Merged { .. }),
            file_bytes: self.file_bytes(),
        };
        let verified = match self.is_verified() {
            true => "read-back",
            false => "no",
        };
        let merge = self.merged();
        let kinds = self.only.iter().map(|kind| Kind {
            kind: kind.into(),
            records: self.totals.get(kind).records,
            rejected: *self.rejected.get(kind),
            merged: merge.map(|merge| *merge.counts.get(kind)),
        });
        let tables = self.tables.iter().map(|table| Kind {
            kind: table::Kind::table(&table.name),
            records: table.totals.records,
            rejected: table.rejected,
            merged: merge.and_then(|merge| merge.tables.get(&table.name).copied()),
        });
        let kinds: Vec<_> = kinds.chain(tables).collect();
        let findings = self.rejections.iter().chain(self.divergences());
        let findings: Vec<_> = findings.map(Cow::Borrowed).collect();
        let leftover_dirs = self.leftover_dirs.iter().map(|path| path.to_string_lossy());

        let mut json = serializer.serialize_struct("CopySummary", 20)?;
        json.serialize_field("source", &source)?;
        json.serialize_field("target", &target)?;
        json.serialize_field("verified", verified)?;
        json.serialize_field("kinds", &kinds)?;
        json.serialize_field("unknown_keys", &self.unknown_keys)?;
        json.serialize_field("sha256", &self.sha256())?;
        json.serialize_field("uncopied_tables", &self.uncopied_tables)?;
        let rejects = self.rejects.as_deref().map(Path::to_string_lossy);
        json.serialize_field("rejects", &rejects)?;
        serialize_findings(&mut json, &findings, &self.counts())?;
        json.serialize_field("rebuilt", merge.map_or(&[][..], |merge| &merge.rebuilt))?;
        let stale = merge.map_or(&[][..], |merge| &merge.stale);
        json.serialize_field("unmanaged_tables", stale)?;
        let skipped_triggers = merge.map_or(&[][..], |merge| &merge.skipped_triggers);
        json.serialize_field("skipped_triggers", skipped_triggers)?;
        json.serialize_field("lost_access", self.lost_access())?;
        json.serialize_field("leftover_dirs", &leftover_dirs.collect::<Vec<_>>())?;
        json.serialize_field("dry_run", &self.dry_run)?;
        json.serialize_field("merge", &self.merge)?;
        json.end()
    }
}
