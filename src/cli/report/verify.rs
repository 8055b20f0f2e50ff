//! The report of a verification as text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use chunkmigrate::record::KindSet;
use chunkmigrate::verify::{Comparison, KindCounts};
use chunkmigrate::verify::{StoreLabel, Values, VerifyReport};
use indicatif::HumanCount;

use crate::cli::after_verify::after_verify;
use crate::cli::report::finding_totals::write_totals;
use crate::cli::report::findings::write_findings;
use crate::cli::report::pluralize::{closed, store_name};
use crate::cli::report::table::write_table;
use crate::cli::report::verify_outcome::{more_findings, self_test, sentence, total, word};
use crate::cli::term::terminal_escape::escaped_path;

const GOOD: Style = Style::new()
    .bold()
    .fg_color(Some(Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new()
    .bold()
    .fg_color(Some(Color::Ansi(AnsiColor::Red)));

/// Writes the report.
pub(in crate::cli) fn write_report(
    out: &mut dyn Write,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    for leg in &report.legs {
        writeln!(out, "left   {}", shown(&leg.left))?;
        writeln!(out, "right  {}\n", shown(&leg.right))?;
        write_table(out, &counts_table(leg, report.only))?;
        writeln!(out)?;
    }
    write_totals(out, &report.counts(), report.findings.len())?;
    write_findings(out, &report.findings, values)?;
    if let Some(more) = more_findings(report, report.findings.len()) {
        writeln!(out, "{more}\n")?;
    }
    if let Some((detected, names)) = self_test(report) {
        writeln!(out, "Self-test: {detected}\n  {names}\n")?;
    }
    let style = match report.is_identical() {
        true => GOOD,
        false => BAD,
    };
    let (word, sentence) = (word(report), sentence(report));
    writeln!(out, "{style}{word}:{style:#} {sentence}")?;
    if let Some(step) = after_verify(report) {
        step.write(out)?;
    }
    match &report.html {
        Some(page) => writeln!(out, "\npage   {}", escaped_path(page)),
        None => Ok(()),
    }
}

fn shown(store: &StoreLabel) -> String {
    format!(
        "{} ({}{})",
        escaped_path(&store.path),
        store_name(store.store),
        closed(store.closed_cleanly)
    )
}

fn counts_table(comparison: &Comparison, only: KindSet) -> Vec<Vec<String>> {
    let total = total(comparison);
    let has_invalid = total.invalid_left + total.invalid_right > 0;
    let mut heading = vec![
        "kind",
        "left",
        "right",
        "equal",
        "only left",
        "only right",
        "different",
    ];
    if has_invalid {
        heading.extend(["invalid left", "invalid right"]);
    }
    let mut rows = vec![heading.into_iter().map(str::to_owned).collect()];
    for (kind, counts) in comparison.kinds.iter() {
        if only.contains(kind) {
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
