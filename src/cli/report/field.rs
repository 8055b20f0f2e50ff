//! The differences of a field, within a line or line by line.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Color, Style};
use chunkmigrate::verify::{FieldDifference, Values};
use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use crate::cli::report::pluralize::count_of;
use crate::cli::report::text_diff::Split;
use crate::cli::report::values::{CONTEXT, LONGEST, before, cut, scalar};
use crate::cli::term::output::Output;

/// Number of equal lines to show around those that differ.
const CONTEXT_LINES: usize = 1;
/// Maximum number of lines of a difference to show.
const MAX_LINES: usize = 12;
/// Texts with more bytes are not compared line by line.
const MAX_BYTES: usize = 1 << 20;

const LEFT: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));
const RIGHT: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Green)));
const DIM: Style = Style::new().dimmed();

/// Writes the fields in which two records differ.
pub(super) fn write_fields(
    out: &mut Output<'_>,
    fields: &[FieldDifference],
    values: Values,
) -> io::Result<()> {
    let is_derived = |field: &FieldDifference| {
        field.field == "content_hash" && fields.iter().any(|field| field.field == "content")
    };
    let width = fields.iter().map(|field| field.field.chars().count()).max().unwrap_or(0);
    for field in fields {
        let name = format!("{:<width$}", field.field);
        match (&field.left, &field.right) {
            _ if is_derived(field) => writeln!(out, "    {name}  differs as well")?,
            (Value::String(left), Value::String(right)) => {
                let at = field.first_difference.unwrap_or(0);
                writeln!(out, "    {name}  first difference at byte {at}")?;
                match has_lines(left) || has_lines(right) {
                    true => write_lines(out, left, right, values)?,
                    false => write_text(out, left, right, values)?,
                }
            }
            (left, right) => writeln!(
                out,
                "    {name}  left {LEFT}{}{LEFT:#}, right {RIGHT}{}{RIGHT:#}",
                scalar(left, values),
                scalar(right, values)
            )?,
        }
    }
    Ok(())
}

/// Writes two texts of one line.
fn write_text(out: &mut Output<'_>, left: &str, right: &str, values: Values) -> io::Result<()> {
    let [left, right] = marked(left, right, CONTEXT, values);
    writeln!(out, "      left   \"{left}\"")?;
    writeln!(out, "      right  \"{right}\"")
}

/// Both texts with their difference, which is marked, and as many characters around it.
fn marked(left: &str, right: &str, context: usize, values: Values) -> [String; 2] {
    let split = Split::of(left, right);
    let before = before(split.head, context, values);
    let after = cut(split.tail, context, values);
    let marked = |differs: &str, open: &str, close: &str, style: Style| match differs {
        "" => format!("{before}{after}"),
        differs => {
            let differs = cut(differs, LONGEST, values);
            format!("{before}{style}{open}{differs}{close}{style:#}{after}")
        }
    };
    [marked(split.left, "[-", "-]", LEFT), marked(split.right, "{+", "+}", RIGHT)]
}

fn has_lines(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.trim_end_matches('\n').contains('\n')
}

/// Writes the lines that differ, with the ones around them.
fn write_lines(out: &mut Output<'_>, left: &str, right: &str, values: Values) -> io::Result<()> {
    let [left, right] = [left, right].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut lines = Lines { left: &left, right: &right, values, lines: Vec::new() };
    let ops = capture_diff_slices(Algorithm::Myers, &left, &right);
    for (index, group) in group_diff_ops(ops, CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            lines.lines.push(format!("{DIM}…{DIM:#}"));
        }
        group.iter().for_each(|op| lines.push(op));
    }
    let shown = match values {
        Values::Full => usize::MAX,
        _ => MAX_LINES,
    };
    for line in lines.lines.iter().take(shown) {
        writeln!(out, "      {line}")?;
    }
    match lines.lines.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(
            out,
            "      {DIM}… {}{DIM:#}",
            count_of(more as u64, "more line", "more lines")
        ),
    }
}

/// Lines of a difference.
struct Lines<'t> {
    left: &'t [&'t str],
    right: &'t [&'t str],
    values: Values,
    lines: Vec<String>,
}

impl Lines<'_> {
    fn push(&mut self, op: &DiffOp) {
        let left = self.left.get(op.old_range()).unwrap_or_default();
        let right = self.right.get(op.new_range()).unwrap_or_default();
        match op {
            DiffOp::Equal { .. } => {
                for line in left {
                    self.lines.push(format!("  {}", self.whole(line)));
                }
            }
            // One line for one: what differs within it is marked.
            _ if left.len() == right.len() => {
                let pairs = left.iter().zip(right).map(|(left, right)| {
                    let (without, as_well) = (left.strip_suffix('\n'), right.strip_suffix('\n'));
                    let (left, right) = without.zip(as_well).unwrap_or((left, right));
                    marked(left, right, LONGEST, self.values)
                });
                let (left, right): (Vec<_>, Vec<_>) =
                    pairs.map(|[left, right]| (left, right)).unzip();
                self.lines.extend(left.iter().map(|line| format!("{LEFT}-{LEFT:#} {line}")));
                self.lines.extend(right.iter().map(|line| format!("{RIGHT}+{RIGHT:#} {line}")));
            }
            _ => {
                for line in left {
                    self.lines.push(format!("{LEFT}- {}{LEFT:#}", self.whole(line)));
                }
                for line in right {
                    self.lines.push(format!("{RIGHT}+ {}{RIGHT:#}", self.whole(line)));
                }
            }
        }
    }

    fn whole(&self, line: &str) -> String {
        cut(line.strip_suffix('\n').unwrap_or(line), LONGEST + CONTEXT, self.values)
    }
}
