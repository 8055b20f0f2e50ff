//! What of two texts is compared line by line.

use std::collections::HashSet;

use crate::cli::report::text_diff::{common_head, common_tail};

/// How much of two texts is compared and shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Lines that are the same, on either side of those that differ.
    pub(super) context: usize,
    /// Bytes of either text, from the first line that differs on. One line is compared in any case.
    pub(super) bytes: usize,
    /// Lines of either text, from the first that differs on.
    pub(super) lines: usize,
}

/// Lines around a difference where there is no room for more.
pub(super) const CONTEXT: usize = 3;

/// What of two texts is compared line by line: from the same offset on, where a line begins, to the end
/// of what differs, or as far as there is room.
pub(super) struct Window<'t> {
    pub(super) start: usize,
    pub(super) left: Side<'t>,
    pub(super) right: Side<'t>,
}

/// The lines of a text in a window, and those that differ behind it.
pub(super) struct Side<'t> {
    pub(super) lines: Vec<&'t str>,
    rest: &'t str,
}

impl<'t> Window<'t> {
    pub(super) fn of(left: &'t str, right: &'t str, bounds: Bounds) -> Self {
        let head = common_head(left, right);
        let tail = common_tail(left, right, head);
        let start = start_of_lines(left, head, bounds.context);
        let before = left.get(start..head).unwrap_or_default();
        let before = before.bytes().filter(|byte| *byte == b'\n').count();
        // Both texts go on with the same bytes: the rest of a line, and some lines that need no room.
        let rest = lines_at_start(left, left.len() - tail, 0);
        let behind = lines_at_start(left, left.len() - tail, bounds.context);
        let part = |text: &'t str, from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let side =
            |text: &'t str| Side::of(part(text, start, text.len() - tail + rest), before, bounds);
        let mut window = Window {
            start,
            left: side(left),
            right: side(right),
        };
        if !window.is_cut() {
            for (side, text) in [(&mut window.left, left), (&mut window.right, right)] {
                let end = text.len() - tail;
                let same = part(text, end + rest, end + behind);
                side.lines.extend(same.split_inclusive('\n'));
            }
        }
        window
    }

    /// Whether there was no room for all that differs.
    pub(super) fn is_cut(&self) -> bool {
        !self.left.rest.is_empty() || !self.right.rest.is_empty()
    }

    /// How many of the last lines of either side may be shown as lines that the other one does not have
    /// like that, if no line behind `left_end` and `right_end` has a counterpart in the window.
    ///
    /// The counterpart of such a line may stand behind the window. So it ends where one does, and no
    /// line stands alone at its edge unless the other text has no more lines.
    pub(super) fn trusted(&self, left_end: usize, right_end: usize) -> (usize, usize) {
        let run = |side: &Side<'t>, end: usize, other: &Side<'t>| {
            let elsewhere = other.lines_of_rest();
            let lines = side.lines.iter().skip(end);
            lines.take_while(|line| !elsewhere.contains(**line)).count()
        };
        let left = run(&self.left, left_end, &self.right);
        let right = run(&self.right, right_end, &self.left);
        let both = left.min(right);
        (
            if self.right.rest.is_empty() {
                left
            } else {
                both
            },
            if self.left.rest.is_empty() {
                right
            } else {
                both
            },
        )
    }
}

impl<'t> Side<'t> {
    /// `before` lines are the same in both texts and take no room.
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

/// Where the line of an offset begins, or one some lines before it.
fn start_of_lines(text: &str, at: usize, before: usize) -> usize {
    let head = text.get(..at).unwrap_or_default();
    let breaks = head.bytes().enumerate().rev();
    let mut breaks = breaks.filter(|(_, byte)| *byte == b'\n');
    breaks.nth(before).map_or(0, |(at, _)| at + 1)
}

/// Length of the rest of the line of an offset and of some lines behind it.
fn lines_at_start(text: &str, at: usize, behind: usize) -> usize {
    let tail = text.get(at..).unwrap_or_default();
    let breaks = tail.bytes().enumerate();
    let mut breaks = breaks.filter(|(_, byte)| *byte == b'\n');
    breaks.nth(behind).map_or(tail.len(), |(at, _)| at + 1)
}
