//! Text for people, on a terminal no wider than it.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use textwrap::{Options, WordSplitter, wrap};

/// Lines are not wrapped in fewer columns than this.
const MIN_WIDTH: usize = 40;
/// Longer lines are hard to read.
const MAX_WIDTH: usize = 100;

/// A space at which no line ends. Text from data has none: it is escaped.
pub(crate) const NO_BREAK: char = '\u{a0}';

/// Where a report is written.
pub(crate) struct Output<'o> {
    out: &'o mut dyn Write,
    width: Option<usize>,
    elapsed: Duration,
    is_verbose: bool,
}

impl<'o> Output<'o> {
    /// `columns` are those of the terminal; without one, nothing is wrapped.
    pub(crate) fn new(out: &'o mut dyn Write, columns: Option<usize>, elapsed: Duration) -> Self {
        let width = columns.map(|columns| columns.clamp(MIN_WIDTH, MAX_WIDTH));
        Output { out, width, elapsed, is_verbose: false }
    }

    /// The same, for a reader who wants to know everything.
    pub(crate) const fn verbose(mut self, is_verbose: bool) -> Self {
        self.is_verbose = is_verbose;
        self
    }

    /// Whether the reader wants to know everything.
    pub(crate) const fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    /// How long the command has taken so far.
    pub(crate) const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether a line of this many columns fits.
    pub(crate) fn fits(&self, columns: usize) -> bool {
        self.width.is_none_or(|width| columns <= width)
    }

    /// Writes a text as a line, or as several whose second and further ones begin with `indent`.
    /// Escape sequences of colours take no columns.
    pub(crate) fn paragraph(&mut self, text: &dyn Display, indent: &str) -> io::Result<()> {
        let text = text.to_string();
        let Some(width) = self.width else {
            return writeln!(self.out, "{}", with_spaces(&text));
        };
        // The spaces at its start are not between words.
        let start = text.len() - text.trim_start_matches(' ').len();
        let (start, text) = text.split_at_checked(start).unwrap_or(("", &text));
        let options = Options::new(width)
            .initial_indent(start)
            .subsequent_indent(indent)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        let lines = wrap(text, options);
        lines.iter().try_for_each(|line| writeln!(self.out, "{}", with_spaces(line)))
    }
}

fn with_spaces(line: &str) -> String {
    line.replace(NO_BREAK, " ")
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(columns: Option<usize>, text: &str) -> String {
        let mut written = Vec::new();
        let mut out = Output::new(&mut written, columns, Duration::ZERO);
        out.paragraph(&text, "    ").unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_long_line_is_wrapped_between_words_and_only_on_a_terminal() {
        let text = "  only-left  missing on the right: added on the left or deleted on the right";
        assert_eq!(written(None, text), format!("{text}\n"));
        assert_eq!(written(Some(80), text), format!("{text}\n"));
        assert_eq!(
            written(Some(40), text),
            "  only-left  missing on the right: added\n    on the left or deleted on the right\n"
        );
    }

    #[test]
    fn no_line_ends_at_a_no_break_space() {
        let text = format!("{} a{NO_BREAK}b", "x".repeat(37));
        assert_eq!(written(Some(40), &text), format!("{}\n    a b\n", "x".repeat(37)));
        assert_eq!(written(None, &text), format!("{} a b\n", "x".repeat(37)));
    }

    #[test]
    fn words_longer_than_a_line_and_colours_stay_whole() {
        let path = "/a/long/path/".repeat(5);
        let text = format!("{path} \u{1b}[1mbold\u{1b}[0m word");
        assert_eq!(written(Some(40), &text), format!("{path}\n    \u{1b}[1mbold\u{1b}[0m word\n"));
    }
}
