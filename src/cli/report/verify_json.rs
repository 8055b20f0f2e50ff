//! The report of a verification as JSON.

use std::path::Path;

use chunkmigrate::record::{KindSet, RecordKind};
use chunkmigrate::verify::{Comparison, KindCounts};
use chunkmigrate::verify::{FindingJson, Hop, StoreLabel, Values};
use serde::Serialize;

use crate::cli::report::finding_totals::TotalsDocument;
use crate::cli::report::pluralize::is_true;
use crate::cli::report::verify_outcome::Verified;
use crate::cli::term::json::SCHEMA;

pub(in crate::cli) fn document(
    verified: &Verified,
    values: Values,
    page: Option<&Path>,
) -> impl Serialize + use<> {
    Document::new(verified, values, page)
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    verdict: &'static str,
    quick: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without_columns: Vec<String>,
    left: StoreDocument,
    right: StoreDocument,
    kinds: Vec<KindDocument>,
    unknown_keys: u64,
    findings: Vec<FindingJson>,
    #[serde(flatten)]
    totals: TotalsDocument,
    /// Whether there may be more warnings that were not searched for.
    #[serde(skip_serializing_if = "is_false")]
    warnings_skipped: bool,
    report: Option<String>,
    html: Option<String>,
    /// The steps of a round trip; `kinds` above are those of the first step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legs: Vec<LegDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_test: Option<SelfTestDocument>,
}

#[derive(Serialize)]
struct StoreDocument {
    path: String,
    store: &'static str,
    #[serde(skip_serializing_if = "is_true")]
    closed_cleanly: bool,
}

#[derive(Serialize)]
struct KindDocument {
    kind: &'static str,
    left: u64,
    right: u64,
    equal: u64,
    only_left: u64,
    only_right: u64,
    different: u64,
    invalid_left: u64,
    invalid_right: u64,
}

#[derive(Serialize)]
struct LegDocument {
    left: StoreDocument,
    right: StoreDocument,
    kinds: Vec<KindDocument>,
    unknown_keys: u64,
    findings_total: u64,
    divergences_total: u64,
    warnings_total: u64,
}

#[derive(Serialize)]
struct SelfTestDocument {
    total: u64,
    intact: u64,
    detected_classes: Vec<&'static str>,
}

impl Document {
    fn new(verified: &Verified, values: Values, page: Option<&Path>) -> Self {
        let report = verified.report();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let first = report.hops.first();
        let last = report.hops.last();
        let findings = report.findings.iter();
        let hops = match report.hops.as_slice() {
            [_] => &[],
            hops => hops,
        };
        Document {
            schema: SCHEMA,
            verdict: match verified.is_identical() {
                true => "identical",
                false => "diverged",
            },
            quick: report.quick,
            without_columns: report.without_columns.clone(),
            left: StoreDocument::new(first.map(|hop| &hop.left)),
            right: StoreDocument::new(last.map(|hop| &hop.right)),
            kinds: first.map_or_else(Vec::new, |hop| kinds(&hop.comparison, report.only)),
            unknown_keys: report.unknown_keys(),
            findings: findings.map(|f| FindingJson::new(f, values)).collect(),
            totals: TotalsDocument::new(&report.counts(), report.findings.len()),
            warnings_skipped: !report.has_all_warnings,
            report: report.report.as_deref().map(path),
            html: page.map(path),
            legs: hops
                .iter()
                .map(|hop| LegDocument::new(hop, report.only))
                .collect(),
            self_test: verified.sample().map(|sample| SelfTestDocument {
                total: sample.made,
                intact: sample.as_made,
                detected_classes: sample.proved.iter().map(|class| class.name()).collect(),
            }),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl StoreDocument {
    fn new(name: Option<&StoreLabel>) -> Self {
        StoreDocument {
            path: name.map_or_else(String::new, |n| n.path.to_string_lossy().into_owned()),
            store: name.map_or("unknown", |n| n.store.name()),
            closed_cleanly: name.is_none_or(|n| n.closed_cleanly),
        }
    }
}

impl LegDocument {
    fn new(hop: &Hop, only: KindSet) -> Self {
        LegDocument {
            left: StoreDocument::new(Some(&hop.left)),
            right: StoreDocument::new(Some(&hop.right)),
            kinds: kinds(&hop.comparison, only),
            unknown_keys: hop.comparison.unknown_keys,
            findings_total: hop.comparison.divergences + hop.comparison.warnings,
            divergences_total: hop.comparison.divergences,
            warnings_total: hop.comparison.warnings,
        }
    }
}

fn kinds(comparison: &Comparison, only: KindSet) -> Vec<KindDocument> {
    let kinds = comparison.kinds.iter();
    let asked_for = kinds.filter(|(kind, _)| only.contains(*kind));
    asked_for
        .map(|(kind, counts)| KindDocument::new(kind, counts))
        .collect()
}

impl KindDocument {
    fn new(kind: RecordKind, counts: &KindCounts) -> Self {
        KindDocument {
            kind: kind.name(),
            left: counts.left,
            right: counts.right,
            equal: counts.equal,
            only_left: counts.only_left,
            only_right: counts.only_right,
            different: counts.differing,
            invalid_left: counts.invalid_left,
            invalid_right: counts.invalid_right,
        }
    }
}
