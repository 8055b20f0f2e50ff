//! Findings as text: their counts, then grouped by class, the key first, with inline differences.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use chunkmigrate::verify::{Finding, FindingClass, FindingCounts, Side, Values};
use indicatif::HumanCount;

use crate::cli::report::advice::advice;
use crate::cli::report::field::write_fields;
use crate::cli::report::values::record;
use crate::cli::term::output::Output;
use crate::cli::term::terminal_escape::escaped;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The rows of a table of the counts, unless all findings are shown and have the same class and kind.
pub(crate) fn totals(counts: &FindingCounts, shown: usize) -> Option<Vec<Vec<String>>> {
    let is_one = counts.iter().count() <= 1;
    if is_one && counts.total() == shown as u64 {
        return None;
    }
    let heading = ["finding", "divergences", "warnings"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut row = |name: String, divergences: u64, warnings: u64| {
        let number = |count: u64| match count {
            0 => String::new(),
            _ => HumanCount(count).to_string(),
        };
        rows.push(vec![name, number(divergences), number(warnings)]);
    };
    for (class, kind, count) in counts.iter() {
        let name = match kind {
            Some(kind) => format!("{class} ({kind})"),
            None => class.to_string(),
        };
        match class.is_warning() {
            true => row(name, 0, count),
            false => row(name, count, 0),
        }
    }
    row("total".to_owned(), counts.divergences(), counts.warnings());
    Some(rows)
}

/// Selects the first `limit` findings of each class.
pub(crate) fn first_of_each_class(limit: usize) -> impl FnMut(&Finding) -> bool {
    let mut seen: BTreeMap<FindingClass, usize> = BTreeMap::new();
    move |finding| {
        let seen = seen.entry(finding.class).or_default();
        *seen += 1;
        *seen <= limit
    }
}

/// Writes findings by class, and how many more there are of each.
pub(crate) fn write_findings(
    out: &mut Output<'_>,
    findings: &[Finding],
    counts: &FindingCounts,
    values: Values,
) -> io::Result<()> {
    for class in FindingClass::ALL {
        let of_class: Vec<_> = findings.iter().filter(|f| f.class == class).collect();
        if of_class.is_empty() {
            continue;
        }
        let warning = if class.is_warning() { " (warning)" } else { "" };
        let heading = format!("{BOLD}{class}{warning}{BOLD:#}  {DIM}{}{DIM:#}", advice(class));
        out.paragraph(&heading, "  ")?;
        for finding in &of_class {
            write_finding(out, finding, values)?;
        }
        let counts = counts.iter().filter(|(of, ..)| *of == class);
        let total: u64 = counts.map(|(.., count)| count).sum();
        match total.saturating_sub(of_class.len() as u64) {
            0 => {}
            more => writeln!(out, "  and {} more", HumanCount(more))?,
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_finding(out: &mut Output<'_>, finding: &Finding, values: Values) -> io::Result<()> {
    match key(finding) {
        Some(key) => writeln!(out, "  {}", escaped(&key))?,
        None => writeln!(out, "  {}", kind(finding))?,
    }
    if finding.class == FindingClass::Field {
        return write_fields(out, &finding.fields, values);
    }
    if class_says_all(finding.class) {
        let record = record(&finding.record, values);
        return out.paragraph(&format_args!("    {record}"), "      ");
    }
    let message = escaped(&finding.message);
    match finding.side.map(Side::name) {
        Some(side) => out.paragraph(&format_args!("    {side}: {message}"), "      "),
        None => out.paragraph(&format_args!("    {message}"), "      "),
    }
}

/// Whether the message would only repeat the class.
pub(crate) const fn class_says_all(class: FindingClass) -> bool {
    matches!(class, FindingClass::OnlyLeft | FindingClass::OnlyRight)
}

/// The key, that of a row with the names of its columns; in hex if it is not valid text.
pub(crate) fn key(finding: &Finding) -> Option<Cow<'_, str>> {
    if let Some(key) = &finding.row_key {
        return Some(Cow::Borrowed(key));
    }
    let key = finding.key.as_deref()?;
    Some(match std::str::from_utf8(key) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            Cow::Owned(format!("0x{hex} (not UTF-8)"))
        }
    })
}

pub(crate) fn kind(finding: &Finding) -> String {
    finding.kind.as_ref().map_or_else(|| "all kinds".to_owned(), ToString::to_string)
}
