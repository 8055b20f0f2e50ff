//! What a copy did, for programs.

use chunkmigrate::codec::Digest;
use chunkmigrate::migrate::{CopySummary, RejectedRow};
use chunkmigrate::sqlite::{OtherTable, table_name};
use serde::Serialize;

use super::divergence_document::DivergenceDocument;

/// The summary for programs.
pub(super) fn copy_document(summary: &CopySummary) -> impl Serialize + use<'_> {
    Document {
        schema: 1,
        source: SourceDocument {
            path: summary.source.to_string_lossy().into_owned(),
            store: "sqlite",
            schema_version: summary.schema_version,
            missing_tables: summary
                .missing
                .iter()
                .map(|kind| table_name(*kind))
                .collect(),
            without_columns: &summary.without_columns,
        },
        target: TargetDocument {
            path: summary.target.to_string_lossy().into_owned(),
            store: "kv",
            written: summary.target_bytes.is_some(),
            file_bytes: summary.target_bytes,
        },
        verified: match summary.verified {
            true => "read-back",
            false => "no",
        },
        kinds: summary
            .asked_for()
            .map(|(kind, totals)| KindDocument {
                kind: kind.name(),
                records: totals.records,
                rejected: *summary.rejected.get(kind),
            })
            .collect(),
        sha256: summary.sha256,
        not_copied: summary.not_copied.iter().map(TableDocument::new).collect(),
        rejects: summary
            .rejects
            .as_deref()
            .map(|path| path.to_string_lossy().into_owned()),
        rejected_rows: summary.rejected_rows.iter().map(RowDocument::new).collect(),
        findings: summary
            .divergences
            .iter()
            .map(DivergenceDocument::new)
            .collect(),
        findings_total: summary.divergences_total,
        left_behind: summary
            .left_behind
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect(),
        dry_run: summary.dry_run,
    }
}

#[derive(Serialize)]
struct Document<'s> {
    schema: u32,
    source: SourceDocument<'s>,
    target: TargetDocument,
    verified: &'static str,
    kinds: Vec<KindDocument>,
    sha256: Option<Digest>,
    not_copied: Vec<TableDocument<'s>>,
    rejects: Option<String>,
    rejected_rows: Vec<RowDocument<'s>>,
    findings: Vec<DivergenceDocument>,
    findings_total: u64,
    left_behind: Vec<String>,
    dry_run: bool,
}

#[derive(Serialize)]
struct SourceDocument<'s> {
    path: String,
    store: &'static str,
    schema_version: Option<i64>,
    missing_tables: Vec<&'static str>,
    without_columns: &'s [String],
}

#[derive(Serialize)]
struct TargetDocument {
    path: String,
    store: &'static str,
    written: bool,
    file_bytes: Option<u64>,
}

#[derive(Serialize)]
struct KindDocument {
    kind: &'static str,
    records: u64,
    rejected: u64,
}

#[derive(Serialize)]
struct TableDocument<'s> {
    table: &'s str,
    rows: Option<u64>,
}

impl<'s> TableDocument<'s> {
    fn new(table: &'s OtherTable) -> Self {
        TableDocument {
            table: &table.name,
            rows: table.rows,
        }
    }
}

#[derive(Serialize)]
struct RowDocument<'s> {
    table: &'s str,
    rowid: i64,
    key: Option<String>,
    column: &'s str,
    reason: &'s str,
}

impl<'s> RowDocument<'s> {
    fn new(row: &'s RejectedRow) -> Self {
        let key = row.key.as_deref();
        RowDocument {
            table: row.table,
            rowid: row.rowid,
            key: key.map(|key| String::from_utf8_lossy(key).into_owned()),
            column: row.column,
            reason: row.reason.name(),
        }
    }
}
