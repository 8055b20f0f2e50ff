//! What of two texts is compared line by line.

use crate::cli::ends::{common_head, common_tail, floor};

/// How much of two texts is compared and shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Lines that are the same, on either side of those that differ.
    pub(super) context: usize,
    /// Bytes of either text behind the first difference.
    pub(super) bytes: usize,
    /// Lines of either text that differ.
    pub(super) lines: usize,
}

/// Lines around a difference where there is no room for more.
pub(super) const CONTEXT: usize = 3;

/// What of two texts is compared line by line: from the same offset on.
pub(super) struct Window<'t> {
    pub(super) start: usize,
    pub(super) left_end: usize,
    pub(super) right_end: usize,
    /// Whether more that differs may be behind the ends; otherwise what is behind them is the same.
    pub(super) is_cut: bool,
    pub(super) left: Vec<&'t str>,
    pub(super) right: Vec<&'t str>,
}

impl<'t> Window<'t> {
    pub(super) fn of(left: &'t str, right: &'t str, bounds: Bounds) -> Self {
        let fits = left.len().max(right.len()) <= bounds.bytes;
        let context = if fits { bounds.context } else { CONTEXT };
        let head = common_head(left, right);
        let tail = common_tail(left, right, head);
        let start = start_of_lines(left, head, context);
        let lines = |text: &'t str, end| {
            text.get(start..end)
                .unwrap_or_default()
                .split_inclusive('\n')
        };
        // Where what differs ends, with the rest of its line, or where the room does.
        let rest = lines_at_start(left, left.len() - tail, 0);
        let end = |text: &'t str| match text.len() - tail {
            end if end - head <= bounds.bytes => end + rest,
            _ => floor(text, head + bounds.bytes),
        };
        let is_long = |text: &'t str| {
            let mut lines = lines(text, end(text));
            end(text) < text.len() - tail || lines.nth(context + bounds.lines).is_some()
        };
        let is_cut = is_long(left) || is_long(right);
        let shown = lines_at_start(left, left.len() - tail, context);
        let kept = |text: &'t str| -> Vec<&'t str> {
            if !is_cut {
                return lines(text, text.len() - tail + shown).collect();
            }
            let kept = lines(text, end(text)).take(context + bounds.lines);
            let mut kept: Vec<&str> = kept.collect();
            // A line that was cut would differ where it ends.
            if kept.len() > 1 && end(text) < text.len() {
                kept.pop_if(|line| !line.ends_with('\n'));
            }
            kept
        };
        let (left, right) = (kept(left), kept(right));
        let end = |lines: &[&str]| start + lines.iter().map(|line| line.len()).sum::<usize>();
        Window {
            start,
            left_end: end(&left),
            right_end: end(&right),
            is_cut,
            left,
            right,
        }
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
