//! The report of a verification as text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use chunkmigrate::verify::{KindCounts, Values, VerifyReport};

use crate::cli::after_verify::after_verify;
use crate::cli::report::findings::{write_findings, write_totals};
use crate::cli::report::pluralize::described;
use crate::cli::report::table::write_kinds;
use crate::cli::report::verify_outcome::{
    columns, more_findings, self_test, sentence, shown_kinds, word,
};
use crate::cli::term::terminal_escape::{escaped, escaped_path};

const GOOD: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));

pub(crate) fn write_report(
    out: &mut dyn Write,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
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
