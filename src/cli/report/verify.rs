//! The report of a verification as text.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Color, Style};
use chunkmigrate::verify::{KindCounts, Values, VerifyReport};

use crate::cli::after_verify::after_verify;
use crate::cli::report::findings::{totals, write_findings};
use crate::cli::report::pace::pace;
use crate::cli::report::pluralize::described;
use crate::cli::report::table::{write_kinds, write_table};
use crate::cli::report::verify_outcome::{
    columns, more_findings, self_test, sentence, shown_kinds, word,
};
use crate::cli::term::output::Output;
use crate::cli::term::terminal_escape::{escaped, escaped_path};

const GOOD: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));

pub(crate) fn write_report(
    out: &mut Output<'_>,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    let style = match report.is_identical() {
        true => GOOD,
        false => BAD,
    };
    let verdict = format!("{style}{}:{style:#} {}", word(report), sentence(report));
    let counts = report.counts();
    if counts.total() > 0 {
        out.paragraph(&verdict, "  ")?;
        writeln!(out)?;
    }
    for leg in &report.legs {
        writeln!(out, "left   {}", described(&leg.left))?;
        writeln!(out, "right  {}\n", described(&leg.right))?;
        let columns = columns(leg);
        let labels: Vec<&str> = columns.iter().map(|column| column.label).collect();
        let numbers = |counts: &KindCounts| {
            columns.iter().map(|column| (column.count)(counts)).collect::<Vec<_>>()
        };
        let kinds = shown_kinds(leg).into_iter();
        let kinds =
            kinds.map(|kind| (escaped(&kind.kind.to_string()).into_owned(), numbers(&kind.counts)));
        write_kinds(out, &labels, kinds)?;
        writeln!(out)?;
    }
    if let Some(totals) = totals(&counts, report.findings.len()) {
        write_table(out, &totals)?;
        writeln!(out)?;
    }
    write_findings(out, &report.findings, &counts, values)?;
    if let Some(more) = more_findings(report, report.findings.len(), Some("--limit")) {
        out.paragraph(&more, "  ")?;
        writeln!(out)?;
    }
    if let Some((detected, names)) = self_test(report) {
        writeln!(out, "Self-test: {detected}")?;
        out.paragraph(&format_args!("  {names}\n"), "  ")?;
    }
    let legs = report.legs.iter();
    let stores: BTreeSet<&Path> =
        legs.flat_map(|leg| [&leg.left.path, &leg.right.path]).map(PathBuf::as_path).collect();
    writeln!(out, "time   {}\n", pace(out.elapsed(), stores))?;
    out.paragraph(&verdict, "  ")?;
    if let Some(step) = after_verify(report) {
        step.write(out)?;
    }
    match &report.html {
        Some(page) => writeln!(out, "\npage   {}", escaped_path(page)),
        None => Ok(()),
    }
}
