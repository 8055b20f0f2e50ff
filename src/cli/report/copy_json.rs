//! The report of a copy as JSON.

use chunkmigrate::codec::Digest;
use chunkmigrate::migrate::StaleIndex;
use chunkmigrate::migrate::{CopyOutcome, CopySummary, EndLine, MergeCounts};
use chunkmigrate::record::RecordKind;
use chunkmigrate::verify::{FindingJson, Values};
use serde::Serialize;

use crate::cli::report::finding_totals::TotalsDocument;
use crate::cli::report::other_tables::TableDocument;
use crate::cli::report::pluralize::is_true;
use crate::cli::term::json::SCHEMA;

/// The summary as a JSON document.
pub(in crate::cli) fn copy_document(summary: &CopySummary) -> impl Serialize + use<'_> {
    Document {
        schema: SCHEMA,
        source: SourceDocument {
            path: summary.source.to_string_lossy().into_owned(),
            store: summary.source_store.name(),
            closed_cleanly: summary.source_closed_cleanly,
            schema_version: summary.schema_version,
            missing_tables: summary.missing.iter().map(|kind| kind.table()).collect(),
            without_columns: &summary.without_columns,
            end_line: summary.end_line.map(EndLine::name),
        },
        target: TargetDocument {
            path: summary.target.to_string_lossy().into_owned(),
            store: summary.target_store.name(),
            closed_cleanly: summary.target_closed_cleanly,
            written: matches!(
                summary.outcome,
                CopyOutcome::Created { .. } | CopyOutcome::Merged { .. }
            ),
            file_bytes: summary.file_bytes(),
        },
        verified: match summary.is_verified() {
            true => "read-back",
            false => "no",
        },
        kinds: summary
            .asked_for()
            .map(|(kind, totals)| KindDocument {
                kind: kind.name(),
                records: totals.records,
                rejected: *summary.rejected.get(kind),
                merged: merged(summary, kind),
            })
            .collect(),
        unknown_keys: summary.unknown_keys,
        sha256: summary.sha256(),
        uncopied_tables: summary
            .uncopied_tables
            .iter()
            .map(TableDocument::new)
            .collect(),
        rejects: summary
            .rejects
            .as_deref()
            .map(|path| path.to_string_lossy().into_owned()),
        findings: summary
            .rejections
            .iter()
            .chain(summary.divergences())
            .map(|finding| FindingJson::new(finding, Values::Full))
            .collect(),
        totals: TotalsDocument::new(
            &summary.counts(),
            summary.rejections.len() + summary.divergences().len(),
        ),
        rebuilt: summary.merged().map_or(&[], |merge| &merge.rebuilt),
        unmanaged_tables: summary.merged().map_or_else(Vec::new, |merge| {
            merge.stale.iter().map(StaleDocument::new).collect()
        }),
        skipped_triggers: summary
            .merged()
            .map_or(&[], |merge| &merge.skipped_triggers),
        lost_access: match &summary.outcome {
            CopyOutcome::Created { lost_access, .. } => lost_access,
            _ => &[],
        },
        leftover_dirs: summary
            .leftover_dirs
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect(),
        dry_run: summary.dry_run,
        merge: summary.merge,
    }
}

fn merged(summary: &CopySummary, kind: RecordKind) -> Option<MergedDocument> {
    let MergeCounts {
        inserted,
        updated,
        unchanged,
        kept,
    } = *summary.merged()?.counts.get(kind);
    Some(MergedDocument {
        inserted,
        updated,
        unchanged,
        kept,
    })
}

#[derive(Serialize)]
struct Document<'s> {
    schema: u32,
    source: SourceDocument<'s>,
    target: TargetDocument,
    verified: &'static str,
    kinds: Vec<KindDocument>,
    unknown_keys: u64,
    sha256: Option<Digest>,
    uncopied_tables: Vec<TableDocument<'s>>,
    rejects: Option<String>,
    findings: Vec<FindingJson>,
    #[serde(flatten)]
    totals: TotalsDocument,
    rebuilt: &'s [String],
    unmanaged_tables: Vec<StaleDocument<'s>>,
    skipped_triggers: &'s [String],
    lost_access: &'s [&'static str],
    leftover_dirs: Vec<String>,
    dry_run: bool,
    merge: bool,
}

#[derive(Serialize)]
struct SourceDocument<'s> {
    path: String,
    store: &'static str,
    #[serde(skip_serializing_if = "is_true")]
    closed_cleanly: bool,
    schema_version: Option<i64>,
    missing_tables: Vec<&'static str>,
    /// Only for the import of text.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<&'static str>,
    without_columns: &'s [String],
}

#[derive(Serialize)]
struct TargetDocument {
    path: String,
    store: &'static str,
    #[serde(skip_serializing_if = "is_true")]
    closed_cleanly: bool,
    written: bool,
    file_bytes: Option<u64>,
}

#[derive(Serialize)]
struct KindDocument {
    kind: &'static str,
    records: u64,
    rejected: u64,
    /// Only for a merge.
    #[serde(flatten)]
    merged: Option<MergedDocument>,
}

#[derive(Serialize)]
struct MergedDocument {
    inserted: u64,
    updated: u64,
    unchanged: u64,
    kept: u64,
}

/// A full-text table that could not be rebuilt.
#[derive(Serialize)]
struct StaleDocument<'s> {
    table: &'s str,
    why: &'s str,
    statement: &'s str,
}

impl<'s> StaleDocument<'s> {
    fn new(index: &'s StaleIndex) -> Self {
        StaleDocument {
            table: &index.table,
            why: &index.why,
            statement: &index.statement,
        }
    }
}
