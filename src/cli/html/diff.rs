//! Side-by-side diff of two texts: which lines differ, and which parts of these.

use std::ops::Range;

use super::matching::matching;
use super::parts::{Part, parts_of_pair, without_break};
use super::window::{Bounds, Window, line_breaks};

#[derive(Debug, PartialEq)]
pub(super) enum Row<'t> {
    /// A line that both texts have, with its line numbers.
    Same(usize, usize, &'t str),
    /// A line of one text, or two lines that differ.
    Differs(Option<Line<'t>>, Option<Line<'t>>),
    /// A number of skipped lines that both texts have.
    Skipped(usize),
    /// The number of bytes of each text that were not compared.
    NotCompared(usize, usize),
}

#[derive(Debug, PartialEq)]
pub(super) struct Line<'t> {
    pub(super) number: usize,
    pub(super) parts: Vec<Part<'t>>,
}

/// The rows of the diff of two texts.
pub(super) fn rows<'t>(left: &'t str, right: &'t str, bounds: Bounds) -> Vec<Row<'t>> {
    let window = Window::of(left, right, bounds);
    let mut rows = Vec::new();
    let before = line_breaks(left.get(..window.start).unwrap_or_default());
    skip(&mut rows, before);
    let (left_lines, right_lines) = add_lines(&mut rows, &window, before + 1);
    let mut rows = skip_what_is_the_same(rows, bounds.context);
    let behind = |text: &'t str, lines: &[&str], shown: usize| {
        let shown: usize = lines.iter().take(shown).map(|line| line.len()).sum();
        text.get(window.start + shown..).unwrap_or_default()
    };
    let (left, right) = (
        behind(left, &window.left.lines, left_lines),
        behind(right, &window.right.lines, right_lines),
    );
    match window.is_cut() {
        true => rows.push(Row::NotCompared(left.len(), right.len())),
        false => skip(&mut rows, left.lines().count()),
    }
    rows
}

/// Adds the rows of a window; returns the number of lines added for either side.
fn add_lines<'t>(
    rows: &mut Vec<Row<'t>>,
    window: &Window<'t>,
    first_number: usize,
) -> (usize, usize) {
    let (left, right) = (&window.left.lines, &window.right.lines);
    let mut matches = matching(left, right);
    let last = matches.last().copied().unwrap_or_default();
    matches.push(window.trusted(last.left + last.len, last.right + last.len));
    let (mut old, mut new) = (0, 0);
    for same in matches {
        add_run(rows, (left, old..same.left), (right, new..same.right), first_number);
        let lines = left.iter().skip(same.left).take(same.len).enumerate();
        rows.extend(lines.map(|(nth, line)| {
            let (left, right) = (same.left + nth, same.right + nth);
            Row::Same(first_number + left, first_number + right, without_break(line))
        }));
        (old, new) = (same.left + same.len, same.right + same.len);
    }
    (old, new)
}

/// Adds lines without a counterpart, paired with the lines at the same position on the other side.
fn add_run<'t>(
    rows: &mut Vec<Row<'t>>,
    (left, old): (&[&'t str], Range<usize>),
    (right, new): (&[&'t str], Range<usize>),
    first_number: usize,
) {
    for nth in 0..old.len().max(new.len()) {
        let line = |lines: &[&'t str], range: &Range<usize>| {
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

/// Skips lines that both texts have, except for some context around the differences.
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

#[cfg(test)]
mod tests {
    use std::str::SplitInclusive;

    use proptest::prelude::*;

    use super::*;

    /// All texts of up to three of these fragments.
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

    #[test]
    fn diff_rows_contain_every_line_of_both_texts_once() {
        let bounds = Bounds { context: 9, bytes: 99, lines: 9 };
        let texts = texts();
        for left in &texts {
            for right in texts.iter().filter(|right| *right != left) {
                check(left, right, &rows(left, right, bounds));
            }
        }
    }

    #[test]
    fn hidden_lines_are_counted() {
        let text = |middle: &str| format!("{}{middle}{}", "same\n".repeat(9), "same\n".repeat(9));
        let bounds = Bounds { context: 1, bytes: 99, lines: 2 };
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

    /// Checks that the rows cover both texts completely and contain nothing else.
    fn check(left: &str, right: &str, rows: &[Row<'_>]) {
        let (mut old, mut new) = (left.split_inclusive('\n'), right.split_inclusive('\n'));
        let (mut old_number, mut new_number) = (0, 0);
        let mut next = |of_right: bool| {
            let (lines, number) = match of_right {
                true => (&mut new, &mut new_number),
                false => (&mut old, &mut old_number),
            };
            *number += 1;
            (*number, without_break(lines.next().unwrap()).to_owned())
        };
        let text = |line: &Line<'_>| {
            let text: String = line.parts.iter().map(|part| part.text()).collect();
            (line.number, without_break(&text).to_owned())
        };
        for (nth, row) in rows.iter().enumerate() {
            match row {
                Row::Same(left, right, line) => {
                    assert_eq!(next(false), (*left, (*line).to_owned()));
                    assert_eq!(next(true), (*right, (*line).to_owned()));
                }
                Row::Differs(left, right) => {
                    for (line, of_right) in [(left, false), (right, true)] {
                        line.iter().for_each(|line| assert_eq!(next(of_right), text(line)));
                    }
                }
                Row::Skipped(lines) => {
                    (0..*lines).for_each(|_| assert_eq!(next(false).1, next(true).1));
                }
                Row::NotCompared(of_left, of_right) => {
                    assert_eq!(nth, rows.len() - 1);
                    let bytes =
                        |lines: SplitInclusive<'_, char>| -> usize { lines.map(str::len).sum() };
                    assert_eq!((bytes(old.clone()), bytes(new.clone())), (*of_left, *of_right));
                    // A line alone at the edge doesn't occur later in the other text, except among
                    // the common last lines of both texts, which match each other.
                    let (mut old, mut new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
                    while old.last().is_some_and(|line| new.last() == Some(line)) {
                        old.pop();
                        new.pop();
                    }
                    let is_behind = |line: &Line<'_>, lines: &[&str]| {
                        let line = text(line).1;
                        lines.iter().any(|other| other.strip_suffix('\n') == Some(&line))
                    };
                    match nth.checked_sub(1).and_then(|last| rows.get(last)) {
                        Some(Row::Differs(None, Some(line))) => assert!(!is_behind(line, &old)),
                        Some(Row::Differs(Some(line), None)) => assert!(!is_behind(line, &new)),
                        _ => {}
                    }
                    return;
                }
            }
        }
        assert_eq!((old.next(), new.next()), (None, None));
    }

    #[test]
    fn a_single_line_at_the_edge_may_equal_the_common_last_line() {
        let (left, right) = ("a\n\naa", "\n\n\n\n\n\naa");
        let bounds = Bounds { context: 0, bytes: 9, lines: 2 };
        check(left, right, &rows(left, right, bounds));
    }

    fn bounds() -> impl Strategy<Value = Bounds> {
        (0..4_usize, 1..60_usize, 1..12_usize).prop_map(|(context, bytes, lines)| Bounds {
            context,
            bytes,
            lines,
        })
    }

    proptest! {
        #[test]
        fn diff_rows_show_no_change_that_does_not_exist(
            left in "([ab]{0,2}\n){0,16}[ab]{0,2}",
            right in "([ab]{0,2}\n){0,16}[ab]{0,2}",
            bounds in bounds(),
        ) {
            prop_assume!(left != right);
            check(&left, &right, &rows(&left, &right, bounds));
        }

        #[test]
        fn inserted_lines_do_not_mark_other_lines_as_different(
            old in 1..40_usize,
            inserted in 1..40_usize,
            at in any::<prop::sample::Index>(),
            turned in any::<bool>(),
            bounds in bounds(),
        ) {
            let line = |number: usize| format!("line {number}\n");
            let at = at.index(old + 1);
            let left: String = (0..old).map(line).collect();
            let new = (0..inserted).map(|number| format!("new {number}\n"));
            let right = (0..at).map(line).chain(new).chain((at..old).map(line));
            let right: String = right.collect();
            let (left, right) = if turned { (right, left) } else { (left, right) };
            let rows = rows(&left, &right, bounds);
            check(&left, &right, &rows);
            for row in &rows {
                if let Row::Differs(left, right) = row {
                    for line in [left, right].into_iter().flatten() {
                        let is_new = |part: &Part<'_>| {
                            matches!(part, Part::Differs(text) if text.starts_with("new"))
                        };
                        prop_assert!(line.parts.iter().all(is_new), "{rows:?}");
                    }
                }
            }
        }
    }
}
