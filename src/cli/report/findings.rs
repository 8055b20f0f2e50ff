//! Findings as text: their counts, then grouped by class, the key first, with inline differences.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chunkmigrate::verify::{FieldDifference, Finding, FindingClass, FindingCounts, Side, Values};
use indicatif::HumanCount;
use serde_json::Value;

use crate::cli::report::advice::advice;
use crate::cli::report::table::write_table;
use crate::cli::report::text_diff::Split;
use crate::cli::term::terminal_escape::escaped;

/// Number of characters to show around a difference.
const CONTEXT: usize = 24;
/// Maximum number of characters of a difference to show.
const DIFFERENCE: usize = 60;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const REMOVED: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const ADDED: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// Writes a table of the counts and a blank line, unless all findings are shown and have the same
/// class and kind.
pub(crate) fn write_totals(
    out: &mut dyn Write,
    counts: &FindingCounts,
    shown: usize,
) -> io::Result<()> {
    let is_one = counts.iter().count() <= 1;
    if is_one && counts.total() == shown as u64 {
        return Ok(());
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
    write_table(out, &rows)?;
    writeln!(out)
}

pub(crate) fn write_findings(
    out: &mut dyn Write,
    findings: &[Finding],
    values: Values,
) -> io::Result<()> {
    for class in FindingClass::ALL {
        let mut of_class = findings.iter().filter(|f| f.class == class).peekable();
        if of_class.peek().is_none() {
            continue;
        }
        let warning = if class.is_warning() { " (warning)" } else { "" };
        writeln!(out, "{BOLD}{class}{warning}{BOLD:#}  {DIM}{}{DIM:#}", advice(class))?;
        for finding in of_class {
            write_finding(out, finding, values)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_finding(out: &mut dyn Write, finding: &Finding, values: Values) -> io::Result<()> {
    match key(finding) {
        Some(key) => writeln!(out, "  {}", escaped(&key))?,
        None => writeln!(out, "  {}", kind(finding))?,
    }
    if finding.class == FindingClass::Field {
        let width = finding.fields.iter().map(|f| f.field.len()).max();
        return finding
            .fields
            .iter()
            .try_for_each(|field| write_field(out, field, width.unwrap_or(0), values));
    }
    if class_says_all(finding.class) {
        return Ok(());
    }
    let message = escaped(&finding.message);
    match finding.side.map(Side::name) {
        Some(side) => writeln!(out, "    {side}: {message}"),
        None => writeln!(out, "    {message}"),
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

fn write_field(
    out: &mut dyn Write,
    field: &FieldDifference,
    width: usize,
    values: Values,
) -> io::Result<()> {
    let name = format!("{:<width$}", field.field);
    match (&field.left, &field.right) {
        (Value::String(left), Value::String(right)) => {
            let at = field.first_difference.unwrap_or(0);
            writeln!(out, "    {name}  first difference at byte {at}")?;
            let split = Split::of(left, right);
            let before = before(split.head, values);
            let after = cut(split.tail, CONTEXT, values);
            let show = |middle: &str, open: &str, close: &str, style: Style| match middle {
                "" => format!("\"{before}{after}\""),
                middle => {
                    let middle = cut(middle, DIFFERENCE, values);
                    format!("\"{before}{style}{open}{middle}{close}{style:#}{after}\"")
                }
            };
            writeln!(out, "      left   {}", show(split.left, "[-", "-]", REMOVED))?;
            writeln!(out, "      right  {}", show(split.right, "{+", "+}", ADDED))
        }
        (left, right) => writeln!(
            out,
            "    {name}  left {REMOVED}{}{REMOVED:#}, right {ADDED}{}{ADDED:#}",
            scalar(left, values),
            scalar(right, values)
        ),
    }
}

fn scalar(value: &Value, values: Values) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", cut(text, DIFFERENCE, values)),
        Value::Object(_) => shortened(value),
        _ => value.to_string(),
    }
}

pub(crate) fn shortened(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or_default();
    match text("excerpt") {
        Some(excerpt) => format!(
            "\"…{}…\" ({} bytes, from byte {})",
            escaped(excerpt),
            HumanCount(number("bytes")),
            number("offset")
        ),
        None => escaped(&value.to_string()).into_owned(),
    }
}

/// The end of a common start.
fn before(head: &str, values: Values) -> String {
    let skipped = match values {
        Values::Full => 0,
        _ => head.chars().count().saturating_sub(CONTEXT),
    };
    let shown: String = head.chars().skip(skipped).collect();
    let dots = if skipped > 0 { "…" } else { "" };
    format!("{dots}{}", escaped(&shown))
}

fn cut(text: &str, chars: usize, values: Values) -> String {
    let end = text.char_indices().nth(chars).map(|(index, _)| index);
    match end.and_then(|end| text.get(..end)) {
        Some(shown) if values != Values::Full => format!("{}…", escaped(shown)),
        _ => escaped(text).into_owned(),
    }
}
