//! Two texts side by side: which of their lines and which parts of these differ.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::parts::{Part, parts_of_pair, without_break};
use super::window::{Bounds, Window};

#[derive(Debug, PartialEq)]
pub(super) enum Row<'t> {
    /// A line that both have, by its numbers.
    Same(usize, usize, &'t str),
    /// A line of either, or two that differ.
    Differs(Option<Line<'t>>, Option<Line<'t>>),
    /// So many lines that both have.
    Skipped(usize),
    /// So many bytes of each that were not compared.
    NotCompared(usize, usize),
}

#[derive(Debug, PartialEq)]
pub(super) struct Line<'t> {
    pub(super) number: usize,
    pub(super) parts: Vec<Part<'t>>,
}

/// The rows of two texts that differ.
pub(super) fn rows<'t>(left: &'t str, right: &'t str, bounds: Bounds) -> Vec<Row<'t>> {
    let window = Window::of(left, right, bounds);
    let mut rows = Vec::new();
    let before = line_breaks(left.get(..window.start).unwrap_or_default());
    skip(&mut rows, before);
    rows.extend(line_rows(&window, before + 1));
    let mut rows = skip_what_is_the_same(rows, bounds.context);
    let behind = |text: &'t str, end| text.get(end..).unwrap_or_default();
    let (left, right) = (
        behind(left, window.left_end),
        behind(right, window.right_end),
    );
    match window.is_cut {
        true => rows.push(Row::NotCompared(left.len(), right.len())),
        false => skip(&mut rows, left.lines().count()),
    }
    rows
}

fn line_rows<'t>(window: &Window<'t>, first_number: usize) -> Vec<Row<'t>> {
    let mut rows = Vec::new();
    let (left, right) = (&window.left, &window.right);
    for op in capture_diff_slices(Algorithm::Myers, left, right) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = op
        {
            let lines = left.iter().skip(old_index).take(len).enumerate();
            rows.extend(lines.map(|(nth, line)| {
                let (left, right) = (old_index + nth, new_index + nth);
                Row::Same(
                    first_number + left,
                    first_number + right,
                    without_break(line),
                )
            }));
            continue;
        }
        let (old, new) = (op.old_range(), op.new_range());
        for nth in 0..old.len().max(new.len()) {
            let line = |lines: &[&'t str], range: &std::ops::Range<usize>| {
                let at = range.start + nth;
                let line = lines.get(at).filter(|_| at < range.end);
                line.map(|line| (first_number + at, *line))
            };
            rows.push(match (line(left, &old), line(right, &new)) {
                (Some((number, left)), Some((other, right))) => {
                    let (left, right) = parts_of_pair(left, right);
                    let line = |number, parts| Some(Line { number, parts });
                    Row::Differs(line(number, left), line(other, right))
                }
                (left, right) => {
                    let alone = |(number, line)| Line {
                        number,
                        parts: vec![Part::Differs(without_break(line))],
                    };
                    Row::Differs(left.map(alone), right.map(alone))
                }
            });
        }
    }
    rows
}

/// Leaves out the lines that both have, but for some beside those that differ.
fn skip_what_is_the_same(rows: Vec<Row<'_>>, context: usize) -> Vec<Row<'_>> {
    let differs: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| matches!(row, Row::Differs(..)))
        .map(|(at, _)| at)
        .collect();
    let is_near = |at: usize| {
        let next = differs.partition_point(|differs| *differs < at);
        let near = |differs: Option<&usize>| differs.is_some_and(|d| d.abs_diff(at) <= context);
        near(differs.get(next)) || near(next.checked_sub(1).and_then(|last| differs.get(last)))
    };
    let mut kept: Vec<Row<'_>> = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        match row {
            Row::Skipped(lines) => skip(&mut kept, lines),
            Row::Same(..) if !is_near(at) => skip(&mut kept, 1),
            row => kept.push(row),
        }
    }
    kept
}

fn skip(rows: &mut Vec<Row<'_>>, lines: usize) {
    match rows.last_mut() {
        _ if lines == 0 => {}
        Some(Row::Skipped(skipped)) => *skipped += lines,
        _ => rows.push(Row::Skipped(lines)),
    }
}

fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of up to three of these pieces.
    fn texts() -> Vec<String> {
        let pieces = ["a", "b_c", "\n", "é", "e\u{301}"];
        let mut texts = vec![String::new()];
        for length in 0..3 {
            let longest = texts.iter().filter(|text| text.chars().count() >= length);
            let longer = longest.flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
            texts.extend(longer.collect::<Vec<_>>());
        }
        texts.sort();
        texts.dedup();
        texts
    }

    /// The numbered lines of a side, without their breaks.
    fn lines(rows: &[Row<'_>], of_right: bool) -> Vec<(usize, String)> {
        let line = |line: &Line<'_>| {
            let parts = line.parts.iter().map(|part| match part {
                Part::Shared(text) | Part::Differs(text) => *text,
            });
            let text: String = parts.collect();
            (line.number, without_break(&text).to_owned())
        };
        let lines = rows.iter().filter_map(|row| match row {
            Row::Same(left, right, text) => {
                Some((if of_right { *right } else { *left }, (*text).to_owned()))
            }
            Row::Differs(left, right) => if of_right { right } else { left }.as_ref().map(line),
            Row::Skipped(_) | Row::NotCompared(..) => panic!("{rows:?}"),
        });
        lines.collect()
    }

    #[test]
    fn the_rows_of_two_texts_have_every_line_of_both_once() {
        let bounds = Bounds {
            context: 9,
            bytes: 99,
            lines: 9,
        };
        let texts = texts();
        for (left, right) in texts
            .iter()
            .flat_map(|left| texts.iter().map(move |r| (left, r)))
        {
            if left == right {
                continue;
            }
            let rows = rows(left, right, bounds);
            for (text, of_right) in [(left, false), (right, true)] {
                let numbers = 1..;
                let expected = text
                    .split_inclusive('\n')
                    .map(|line| without_break(line).to_owned());
                let expected: Vec<_> = numbers.zip(expected).collect();
                assert_eq!(
                    lines(&rows, of_right),
                    expected,
                    "{left:?} {right:?}: {rows:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let text = |middle: &str| format!("{}{middle}{}", "same\n".repeat(9), "same\n".repeat(9));
        let bounds = Bounds {
            context: 1,
            bytes: 99,
            lines: 2,
        };
        let kinds = |rows: Vec<Row<'_>>| -> Vec<String> {
            let kinds = rows.iter().map(|row| match row {
                Row::Same(..) => "=".to_owned(),
                Row::Differs(..) => "x".to_owned(),
                Row::Skipped(lines) => format!("{lines} lines"),
                Row::NotCompared(left, right) => format!("{left} and {right} bytes"),
            });
            kinds.collect()
        };
        let few = kinds(rows(&text("a\n"), &text("b\n"), bounds));
        assert_eq!(few, ["8 lines", "=", "x", "=", "8 lines"]);
        let many = kinds(rows(&text("1\n2\n3\n4\n"), &text("b\n"), bounds));
        assert_eq!(many, ["8 lines", "=", "x", "x", "49 and 45 bytes"]);
    }
}
