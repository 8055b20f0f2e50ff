//! Splits text at line breaks.

use std::io::{self, ErrorKind, Read};

const LIMITS: Limits = Limits { read: 1 << 20, line: 900_000_000, kept: 1 << 10 };

/// Complete lines, the last one with or without its line break.
#[derive(Debug)]
pub(super) enum Segment {
    Lines(Vec<u8>),
    /// The start of a line that is too long.
    Start(Vec<u8>),
}

impl Segment {
    /// Removes a leading byte order mark.
    pub(super) fn remove_mark(&mut self) {
        if let Segment::Lines(text) = self {
            let mark = text.len() - without_mark(text).len();
            text.drain(..mark);
        }
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        let (Segment::Lines(text) | Segment::Start(text)) = self;
        text.len()
    }
}

/// Limits in bytes.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Size of a read.
    read: usize,
    /// A longer line is invalid: neither a SQLite value nor the temporary database can contain
    /// more.
    line: usize,
    /// Length to keep of a line that is too long.
    kept: usize,
}

/// Splits text at line breaks.
#[derive(Debug)]
pub(super) struct LineSplitter {
    limits: Limits,
    gathered: Vec<u8>,
    /// Number of bytes of `gathered` that are known to contain no line break.
    searched: usize,
    /// Whether `gathered` is only the start of a line, the rest of which was dropped.
    is_cut: bool,
}

impl LineSplitter {
    pub(super) fn new() -> Self {
        Self::within(LIMITS)
    }

    fn within(limits: Limits) -> Self {
        LineSplitter { limits, gathered: Vec::new(), searched: 0, is_cut: false }
    }

    /// Text that was read, but not returned yet.
    pub(super) fn gathered(&self) -> &[u8] {
        &self.gathered
    }

    /// Reads more text; returns `false` at the end.
    pub(super) fn fill(&mut self, text: &mut dyn Read) -> io::Result<bool> {
        let before = self.gathered.len();
        let wanted = before + self.limits.read;
        self.gathered.reserve(self.limits.read);
        // A pipe returns few bytes at a time.
        while self.gathered.len() < wanted {
            let wanted = (wanted - self.gathered.len()) as u64;
            match (&mut *text).take(wanted).read_to_end(&mut self.gathered) {
                Ok(0) => return Ok(self.gathered.len() > before),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// All complete lines.
    pub(super) fn cut(&mut self) -> Option<Segment> {
        let new = self.gathered.get(self.searched..).unwrap_or_default();
        let is_break = |byte: &u8| *byte == b'\n';
        if self.is_cut {
            let Some(end) = new.iter().position(is_break) else {
                self.drop_rest();
                return None;
            };
            let tail = self.gathered.split_off(self.searched + end + 1);
            self.drop_rest();
            return Some(self.start_of_line(tail));
        }
        if let Some(end) = new.iter().rposition(is_break) {
            let tail = self.gathered.split_off(self.searched + end + 1);
            let lines = std::mem::replace(&mut self.gathered, tail);
            self.searched = self.gathered.len();
            return Some(Segment::Lines(lines));
        }
        self.searched = self.gathered.len();
        let start = without_mark(&self.gathered).trim_ascii_start();
        if self.gathered.len() > self.limits.line || start.first() != Some(&b'{') {
            self.drop_rest();
        }
        None
    }

    /// The remaining text at the end.
    pub(super) fn rest(&mut self) -> Option<Segment> {
        if self.is_cut {
            self.drop_rest();
            return Some(self.start_of_line(Vec::new()));
        }
        let lines = std::mem::take(&mut self.gathered);
        (!lines.is_empty()).then_some(Segment::Lines(lines))
    }

    /// Keeps only the start of the line.
    fn drop_rest(&mut self) {
        let kept = self.limits.kept;
        self.is_cut |= self.gathered.len() > kept;
        self.gathered.truncate(kept);
        self.gathered.shrink_to(2 * self.limits.read);
        self.searched = self.gathered.len();
    }

    fn start_of_line(&mut self, tail: Vec<u8>) -> Segment {
        self.searched = 0;
        self.is_cut = false;
        Segment::Start(std::mem::replace(&mut self.gathered, tail))
    }
}

/// The text without a leading byte order mark, which some programs write. RFC 8259 allows parsers
/// to ignore it.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns a few bytes at a time, as a pipe does.
    struct Trickle<'t>(&'t [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.take(most as u64).read(into).inspect(|read| {
                self.0 = self.0.get(*read..).unwrap_or_default();
            })
        }
    }

    /// Each line with its line break; for lines that are too long, the kept part in brackets.
    fn lines(text: &[u8], at_once: usize, limits: Limits) -> Vec<String> {
        let mut text = Trickle(text, at_once);
        let mut cutter = LineSplitter::within(limits);
        let mut lines = Vec::new();
        loop {
            let more = cutter.fill(&mut text).unwrap();
            let portion = if more { cutter.cut() } else { cutter.rest() };
            match portion {
                Some(Segment::Lines(text)) => {
                    let text = String::from_utf8(text).unwrap();
                    assert!(text.ends_with('\n') || !more);
                    lines.extend(text.split_inclusive('\n').map(str::to_owned));
                }
                Some(Segment::Start(start)) => {
                    lines.push(format!("[{}]", String::from_utf8(start).unwrap()));
                }
                None => {}
            }
            if !more {
                return lines;
            }
        }
    }

    const SMALL: Limits = Limits { read: 8, line: 20, kept: 4 };

    #[test]
    fn only_the_start_of_a_line_that_is_too_long_is_kept() {
        let long = format!("{{{}}}", "x".repeat(60));
        let text = format!("{{1}}\n{long}\n{{2}}\n{long}");
        let expected = ["{1}\n", "[{xxx]", "{2}\n", "[{xxx]"];
        for at_once in [1, 3, 100] {
            assert_eq!(lines(text.as_bytes(), at_once, SMALL), expected);
        }
        let marked = format!("\u{feff}{{{}}}", "x".repeat(14));
        assert_eq!(lines(marked.as_bytes(), 8, SMALL), [marked]);
        // A line that is too long is dropped at once.
        assert_eq!(lines(b"no record\n{1}", 1, SMALL), ["[no r]", "{1}"]);
    }

    proptest! {
        #[test]
        fn every_line_is_returned_whole_and_in_order(
            text in "(\\{[ab\u{e9}]{0,18}\n){0,20}(\\{[ab]{0,9})?",
            at_once in 1..20_usize,
            read in 1..12_usize,
        ) {
            let limits = Limits { read, line: 100, kept: 4 };
            let expected: Vec<_> = text.split_inclusive('\n').collect();
            prop_assert_eq!(lines(text.as_bytes(), at_once, limits), expected);
        }
    }
}
