//! What a verification found, for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use chunkmigrate::compare::{Comparison, KindCounts};
use chunkmigrate::record::RecordKind;
use chunkmigrate::verify::{SampleReport, StoreName, Values, VerifyReport};
use indicatif::HumanCount;

use super::escape::escaped_path;
use super::finding_report::write_findings;
use super::table::write_table;
use super::words::{count_of, store_name};

const GOOD: Style = Style::new()
    .bold()
    .fg_color(Some(Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new()
    .bold()
    .fg_color(Some(Color::Ansi(AnsiColor::Red)));

/// Writes the report of two files or of a round trip.
pub(super) fn write_report(
    out: &mut dyn Write,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    write_body(out, report, values)?;
    write_verdict(out, report.is_identical(), &verdict(report))
}

/// Writes the report of the built-in sample.
pub(super) fn write_sample(
    out: &mut dyn Write,
    report: &SampleReport,
    values: Values,
) -> io::Result<()> {
    write_body(out, &report.round_trip, values)?;
    let names: Vec<&str> = report.proved.iter().map(|class| class.name()).collect();
    writeln!(
        out,
        "Self-test: one record was damaged for each of {} classes, and just that was found:\n  {}\n",
        names.len(),
        names.join(", ")
    )?;
    let (as_made, made) = (HumanCount(report.as_made), HumanCount(report.made));
    let text = match report.is_identical() {
        true => format!(
            "all {made} records were found as they were made, there and back, and every kind of \
             damage was found."
        ),
        false => format!("{as_made} of {made} records were found as they were made."),
    };
    write_verdict(out, report.is_identical(), &text)
}

fn write_verdict(out: &mut dyn Write, identical: bool, text: &str) -> io::Result<()> {
    match identical {
        true => writeln!(out, "{GOOD}Identical:{GOOD:#} {text}"),
        false => writeln!(out, "{BAD}Diverged:{BAD:#} {text}"),
    }
}

fn write_body(out: &mut dyn Write, report: &VerifyReport, values: Values) -> io::Result<()> {
    for hop in &report.hops {
        writeln!(out, "left   {}", shown(&hop.left))?;
        writeln!(out, "right  {}\n", shown(&hop.right))?;
        write_table(out, &counts_table(&hop.comparison, &report.only))?;
        writeln!(out)?;
    }
    write_findings(out, &report.findings, values)?;
    let total = report.divergences() + report.warnings();
    let more = total.saturating_sub(report.findings.len() as u64);
    if more > 0 {
        let hint = match &report.report {
            Some(path) => format!("all are in {}", escaped_path(path)),
            None => "--limit shows more, --report FILE keeps all".to_owned(),
        };
        writeln!(
            out,
            "and {}; {hint}\n",
            count_of(more, "more finding", "more findings")
        )?;
    }
    Ok(())
}

fn shown(store: &StoreName) -> String {
    format!(
        "{} ({})",
        escaped_path(&store.path),
        store_name(store.store)
    )
}

fn verdict(report: &VerifyReport) -> String {
    let warnings = match report.warnings() {
        0 => String::new(),
        warnings => format!(" {}.", count_of(warnings, "warning", "warnings")),
    };
    let compared = compared(report);
    let trip = match report.hops.len() {
        1 => "",
        _ => " there and back",
    };
    if !report.is_identical() {
        let divergences = match report.divergences() {
            0 => "warnings count as divergence".to_owned(),
            count => count_of(count, "divergence", "divergences"),
        };
        return format!(
            "{divergences}; {} compared{trip}, {} of them equal.{warnings}",
            count_of(compared, "record was", "records were"),
            HumanCount(report.equal())
        );
    }
    if report.quick {
        return format!(
            "the digests of {} are equal{trip}; records were not compared one by one.{warnings}",
            count_of(compared, "record", "records")
        );
    }
    match compared {
        0 => format!("there are no records on either side.{warnings}"),
        1 => format!("the 1 record was compared{trip}.{warnings}"),
        _ => format!(
            "all {} records were compared one by one{trip}.{warnings}",
            HumanCount(compared)
        ),
    }
}

/// How many records took part in the first comparison.
fn compared(report: &VerifyReport) -> u64 {
    let Some(hop) = report.hops.first() else {
        return 0;
    };
    let counts = total(&hop.comparison);
    counts.equal + counts.differing + counts.only_left + counts.only_right
}

fn total(comparison: &Comparison) -> KindCounts {
    let mut total = KindCounts::default();
    for (_, counts) in comparison.kinds.iter() {
        total += *counts;
    }
    total
}

fn counts_table(comparison: &Comparison, only: &[RecordKind]) -> Vec<Vec<String>> {
    let total = total(comparison);
    let has_invalid = total.invalid_left + total.invalid_right > 0;
    let mut heading = vec![
        "kind",
        "left",
        "right",
        "equal",
        "only left",
        "only right",
        "differing",
    ];
    if has_invalid {
        heading.extend(["invalid left", "invalid right"]);
    }
    let mut rows = vec![heading.into_iter().map(str::to_owned).collect()];
    for (kind, counts) in comparison.kinds.iter() {
        if only.is_empty() || only.contains(&kind) {
            rows.push(row(kind.name(), counts, has_invalid));
        }
    }
    rows.push(row("total", &total, has_invalid));
    rows
}

fn row(name: &str, counts: &KindCounts, has_invalid: bool) -> Vec<String> {
    let mut numbers = vec![
        counts.left,
        counts.right,
        counts.equal,
        counts.only_left,
        counts.only_right,
        counts.differing,
    ];
    if has_invalid {
        numbers.extend([counts.invalid_left, counts.invalid_right]);
    }
    let numbers = numbers.into_iter();
    let cells = numbers.map(|number| HumanCount(number).to_string());
    std::iter::once(name.to_owned()).chain(cells).collect()
}
