//! A single-line progress bar for terminals of any width.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{
    HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

/// The minimum and maximum width of a bar.
const BAR: std::ops::RangeInclusive<usize> = 6..=24;
/// The assumed width of a terminal that doesn't report its own.
const USUAL_WIDTH: usize = 80;

/// Creates a bar that is hidden at first and shows the name of the current stage.
pub(crate) fn bar(stage: Arc<Mutex<String>>, total: Option<u64>) -> ProgressBar {
    let line = move |state: &ProgressState, out: &mut dyn fmt::Write| {
        let facts = BarState {
            name: stage.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            done: state.pos(),
            // Work that is done again has more.
            total: total.map(|total| total.max(state.pos())),
            rate: state.per_sec() as u64,
            left: state.eta(),
            elapsed: state.elapsed(),
        };
        // A line that can't be formatted is not shown.
        let _ = out.write_str(&facts.line(width()));
    };
    let style = ProgressStyle::with_template("{line}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("line", line);
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    bar.set_style(style);
    bar
}

fn width() -> usize {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => size.ws_col.into(),
        _ => USUAL_WIDTH,
    }
}

struct BarState {
    name: String,
    done: u64,
    total: Option<u64>,
    /// Records per second.
    rate: u64,
    left: Duration,
    elapsed: Duration,
}

impl BarState {
    /// The most detailed line that fits. The last column stays free: some terminals wrap after it.
    fn line(&self, width: usize) -> String {
        let room = width.saturating_sub(1);
        let mut lines = self.lines(room).into_iter();
        lines
            .find(|line| line.chars().count() <= room)
            .unwrap_or_else(|| self.name.chars().take(room).collect())
    }

    /// Lines with decreasing detail.
    fn lines(&self, room: usize) -> Vec<String> {
        let (name, done) = (&self.name, HumanCount(self.done).to_string());
        let rate = format!("{:>11}", format!("{}/s", HumanCount(self.rate)));
        let Some(total) = self.total else {
            let elapsed = format!("{:#}", HumanDuration(self.elapsed));
            return match self.done {
                0 => vec![format!("{name}  {elapsed}")],
                _ => vec![format!("{name}  {done}  {rate}  {elapsed}"), format!("{name}  {done}")],
            };
        };
        let all = HumanCount(total).to_string();
        let count = format!("{done:>0$} of {all}", all.len());
        let share = self.done.saturating_mul(100).checked_div(total);
        let share = format!("{:>3}%", share.unwrap_or(100));
        let left = match self.rate {
            0 => format!("{:>8}", ""),
            _ => format!("{:>3} left", format!("{:#}", HumanDuration(self.left))),
        };
        let (wide_name, facts) = (format!("{name:24}"), format!("{count}  {rate}  {left}"));
        let taken = wide_name.chars().count() + facts.chars().count() + 4;
        let bar = room.saturating_sub(taken).min(*BAR.end());
        let mut lines = Vec::new();
        if BAR.contains(&bar) {
            let bar = drawn(self.done, total, bar);
            lines.push(format!("{wide_name}  {bar}  {facts}"));
        }
        lines.extend([
            format!("{wide_name}  {facts}"),
            format!("{name}  {count}  {left}"),
            format!("{name}  {share}  {left}"),
            format!("{name}  {share}"),
        ]);
        lines
    }
}

fn drawn(done: u64, total: u64, columns: usize) -> String {
    let full = match total {
        0 => columns,
        _ => (columns as f64 * (done as f64 / total as f64)) as usize,
    };
    let full = full.min(columns);
    format!("{}{}", "█".repeat(full), "░".repeat(columns - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(done: u64, total: Option<u64>) -> BarState {
        BarState {
            name: "read back symbol-metrics".to_owned(),
            done,
            total,
            rate: 123_456,
            left: Duration::from_secs(75),
            elapsed: Duration::from_secs(3),
        }
    }

    #[test]
    fn a_progress_line_shows_what_fits_its_width() {
        let facts = facts(1_000_000, Some(4_000_000));
        for (width, line) in [
            (
                120,
                "read back symbol-metrics  ██████░░░░░░░░░░░░░░░░░░  1,000,000 of 4,000,000    \
                 123,456/s  75s left",
            ),
            (80, "read back symbol-metrics  █░░░░░  1,000,000 of 4,000,000    123,456/s  75s left"),
            (60, "read back symbol-metrics  1,000,000 of 4,000,000  75s left"),
            (40, "read back symbol-metrics   25%"),
            (10, "read back"),
        ] {
            assert_eq!(facts.line(width), line);
        }
        let unknown = BarState { name: "read input".to_owned(), total: None, ..facts };
        assert_eq!(unknown.line(80), "read input  1,000,000    123,456/s  3s");
        assert_eq!(unknown.line(24), "read input  1,000,000");
    }

    #[test]
    fn a_progress_line_never_wraps() {
        let amounts =
            [(0, Some(0)), (0, None), (7, None), (5, Some(3)), (u64::MAX, Some(u64::MAX))];
        for (done, total) in amounts {
            for width in 0..200 {
                let line = facts(done, total).line(width);
                assert!(line.chars().count() < width.max(1), "{width}: {line}");
            }
        }
    }
}
