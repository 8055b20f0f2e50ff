use std::io::{self, Write};

use chunkmigrate::compare::KindCounts;
use chunkmigrate::record::PerKind;
use chunkmigrate::verify::{SampleReport, verify_sample};
use indicatif::HumanCount;
use serde::Serialize;

use super::divergence_document::DivergenceDocument;
use super::escape::escaped;
use super::exit::Exit;
use super::failure::Failure;
use super::table::write_table;
use super::ui::Ui;

/// Prove on this machine that records survive
///
/// The built-in sample, records in every awkward encoding there is, goes from a SQLite database
/// into a KV file in a temporary folder, and the two are compared record by record.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, ui: &Ui) -> Result<Exit, Failure> {
    let report = verify_sample(&ui.progress())?;
    ui.report(|out| write(out, &report), &Document::new(&report))?;
    Ok(match report.is_identical() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}

fn write(out: &mut dyn Write, report: &SampleReport) -> io::Result<()> {
    writeln!(out, "Built-in sample: SQLite (left) to KV file (right)\n")?;
    write_table(out, &counts_table(&report.kinds))?;
    writeln!(out)?;
    for divergence in &report.divergences {
        let key = divergence.key.as_deref().unwrap_or_default();
        let key = String::from_utf8_lossy(key);
        writeln!(
            out,
            "{}: {}\n  {}",
            divergence.class,
            escaped(&key),
            escaped(&divergence.message)
        )?;
    }
    if !report.sequences_equal {
        writeln!(out, "sequence: the id high-water marks differ")?;
    }
    let (as_made, made) = (HumanCount(report.as_made), HumanCount(report.made));
    match report.is_identical() {
        true => writeln!(
            out,
            "Identical: all {made} records were read back from the KV file, compared with the \
             database and found as they were made."
        ),
        false => writeln!(
            out,
            "Diverged: {as_made} of {made} records were found as they were made."
        ),
    }
}

fn counts_table(kinds: &PerKind<KindCounts>) -> Vec<Vec<String>> {
    let heading = [
        "kind",
        "left",
        "right",
        "equal",
        "only left",
        "only right",
        "differing",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut total = KindCounts::default();
    for (kind, counts) in kinds.iter() {
        rows.push(row(kind.name(), counts));
        total.left += counts.left;
        total.right += counts.right;
        total.equal += counts.equal;
        total.only_left += counts.only_left;
        total.only_right += counts.only_right;
        total.differing += counts.differing;
    }
    rows.push(row("total", &total));
    rows
}

fn row(name: &str, counts: &KindCounts) -> Vec<String> {
    let numbers = [
        counts.left,
        counts.right,
        counts.equal,
        counts.only_left,
        counts.only_right,
        counts.differing,
    ];
    let mut row = vec![name.to_owned()];
    row.extend(numbers.map(|number| HumanCount(number).to_string()));
    row
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    verdict: &'static str,
    quick: bool,
    left: SideDocument,
    right: SideDocument,
    kinds: Vec<KindDocument>,
    unknown_keys: u64,
    findings: Vec<DivergenceDocument>,
    findings_total: usize,
    warnings_total: u64,
}

#[derive(Serialize)]
struct SideDocument {
    path: &'static str,
    store: &'static str,
}

#[derive(Serialize)]
struct KindDocument {
    kind: &'static str,
    left: u64,
    right: u64,
    equal: u64,
    only_left: u64,
    only_right: u64,
    differing: u64,
    invalid_left: u64,
    invalid_right: u64,
}

impl Document {
    fn new(report: &SampleReport) -> Self {
        let side = |store| SideDocument {
            path: "built-in sample",
            store,
        };
        Document {
            schema: 1,
            verdict: match report.is_identical() {
                true => "identical",
                false => "diverged",
            },
            quick: false,
            left: side("sqlite"),
            right: side("kv"),
            kinds: report
                .kinds
                .iter()
                .map(|(kind, counts)| KindDocument {
                    kind: kind.name(),
                    left: counts.left,
                    right: counts.right,
                    equal: counts.equal,
                    only_left: counts.only_left,
                    only_right: counts.only_right,
                    differing: counts.differing,
                    invalid_left: counts.invalid_left,
                    invalid_right: counts.invalid_right,
                })
                .collect(),
            unknown_keys: 0,
            findings: report
                .divergences
                .iter()
                .map(DivergenceDocument::new)
                .collect(),
            findings_total: report.divergences.len(),
            warnings_total: 0,
        }
    }
}
