//! Selects the part of two texts that is compared line by line.

use std::collections::HashSet;

use super::matching::Match;
use crate::cli::report::text_diff::Split;

/// How much of two texts to compare and show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Number of equal lines to show around differences.
    pub(super) context: usize,
    /// Maximum number of bytes of either text after the first differing line. One line is always
    /// compared.
    pub(super) bytes: usize,
    /// Maximum number of lines of either text from the first differing one.
    pub(super) lines: usize,
}

/// Context lines around a difference, if space is limited.
pub(super) const CONTEXT: usize = 3;

/// The parts of two texts to compare line by line: from the same offset, at the start of a line, to
/// the end of the differences, or up to the limits.
pub(super) struct Window<'t> {
    pub(super) start: usize,
    pub(super) left: Side<'t>,
    pub(super) right: Side<'t>,
}

/// The lines of a text inside the window, and the differing text after it.
pub(super) struct Side<'t> {
    pub(super) lines: Vec<&'t str>,
    rest: &'t str,
}

impl<'t> Window<'t> {
    pub(super) fn of(left: &'t str, right: &'t str, bounds: Bounds) -> Self {
        let split = Split::of(left, right);
        let (head, tail) = (split.head.len(), split.tail.len());
        let start = start_of_lines(left, head, bounds.context);
        let before = line_breaks(left.get(start..head).unwrap_or_default());
        // Both texts continue with the same bytes: the rest of a line, and context lines that don't
        // count towards the limits.
        let rest = lines_at_start(left, left.len() - tail, 0);
        let behind = lines_at_start(left, left.len() - tail, bounds.context);
        let part = |text: &'t str, from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let side =
            |text: &'t str| Side::of(part(text, start, text.len() - tail + rest), before, bounds);
        let mut window = Window { start, left: side(left), right: side(right) };
        if !window.is_cut() {
            for (side, text) in [(&mut window.left, left), (&mut window.right, right)] {
                let end = text.len() - tail;
                let same = part(text, end + rest, end + behind);
                side.lines.extend(same.split_inclusive('\n'));
            }
        }
        window
    }

    /// Whether the limits cut off some differences.
    pub(super) fn is_cut(&self) -> bool {
        !self.left.rest.is_empty() || !self.right.rest.is_empty()
    }

    /// The end of the last lines on either side that may be shown as missing on the other side, if
    /// no line after `left_end` and `right_end` has a counterpart in the window.
    ///
    /// The counterpart of such a line may be after the window. So the run ends at the first line
    /// with one, and no line is shown alone at the edge unless the other text has no more lines.
    pub(super) fn trusted(&self, left_end: usize, right_end: usize) -> Match {
        let run = |side: &Side<'t>, end: usize, other: &Side<'t>| {
            let elsewhere = other.lines_of_rest();
            let lines = side.lines.iter().skip(end);
            lines.take_while(|line| !elsewhere.contains(**line)).count()
        };
        let left = run(&self.left, left_end, &self.right);
        let right = run(&self.right, right_end, &self.left);
        let both = left.min(right);
        let shown = |own, other: &Side<'t>| if other.rest.is_empty() { own } else { both };
        Match {
            left: left_end + shown(left, &self.right),
            right: right_end + shown(right, &self.left),
            len: 0,
        }
    }
}

impl<'t> Side<'t> {
    /// The first `before` lines are equal in both texts and don't count towards the limits.
    fn of(differs: &'t str, before: usize, bounds: Bounds) -> Self {
        let mut lines = Vec::new();
        let mut rest = differs;
        let mut bytes = 0;
        while let Some(line) = rest.split_inclusive('\n').next() {
            let counts = lines.len() >= before;
            let is_first = lines.len() == before;
            bytes += if counts { line.len() } else { 0 };
            let has_room =
                bytes <= bounds.bytes && lines.len() - before.min(lines.len()) < bounds.lines;
            if counts && !is_first && !has_room {
                break;
            }
            lines.push(line);
            rest = rest.get(line.len()..).unwrap_or_default();
        }
        Side { lines, rest }
    }

    fn lines_of_rest(&self) -> HashSet<&'t str> {
        self.rest.split_inclusive('\n').collect()
    }
}

pub(super) fn line_breaks(text: &str) -> usize {
    text.matches('\n').count()
}

/// Start of the line that contains an offset, or of the line `before` lines earlier.
fn start_of_lines(text: &str, at: usize, before: usize) -> usize {
    let head = text.get(..at).unwrap_or_default();
    let line_break = head.rmatch_indices('\n').nth(before);
    line_break.map_or(0, |(at, _)| at + 1)
}

/// Length of the rest of the line at an offset and of `behind` lines after it.
fn lines_at_start(text: &str, at: usize, behind: usize) -> usize {
    let tail = text.get(at..).unwrap_or_default();
    let line_break = tail.match_indices('\n').nth(behind);
    line_break.map_or(tail.len(), |(at, _)| at + 1)
}
