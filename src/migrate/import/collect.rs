//! Reads a text line by line and collects its records in key order, and its invalid lines.

use std::fs::Metadata;
use std::ops::Range;
use std::path::PathBuf;

use super::ImportSource;
use super::end_check::{EndCheck, EndLine};
use super::line_reader::Input;
use super::line_splitter::Segment;
use super::parse_line::{ParsedLine, judge, shares, too_long};
use crate::codec::{Entry, Line};
use crate::compare::Finding;
use crate::error::{Error, Result};
use crate::migrate::CopyOptions;
use crate::migrate::rejects::{RejectedLine, RejectedLines};
use crate::progress::{Progress, Stage};
use crate::record::IdSequences;
use crate::sqlite::{Duplicate, ScratchEntries, ScratchLine, ScratchLines};
use crate::stream::pipeline;

/// A larger segment is one large record.
const LARGE_SEGMENT_BYTES: usize = 4 << 20;

/// The content of a text.
pub(super) struct Lines {
    pub(super) path: PathBuf,
    pub(super) entries: ScratchEntries,
    pub(super) sequences: IdSequences,
    /// Total bytes of all keys and values.
    pub(super) bytes: u64,
    pub(super) end_line: EndLine,
}

/// The invalid lines of a text.
pub(super) struct InvalidLines(ScratchLines);

/// Reads a text to its end; `file` is the result of [`ImportSource::file`].
pub(super) fn take_in(
    source: ImportSource<'_>,
    file: Option<Metadata>,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<(Lines, InvalidLines)> {
    let temp_dir = options.temp_dir.as_deref();
    let path = source.path().to_owned();
    let mut intake = LineIntake {
        options,
        lines: Lines {
            path,
            entries: ScratchEntries::create(temp_dir)?,
            sequences: IdSequences::default(),
            bytes: 0,
            end_line: EndLine::Missing,
        },
        rejected: ScratchLines::create(temp_dir)?,
        line: 0,
        end_check: EndCheck::default(),
        has_rejected: false,
    };
    let mut input = Input::start(source, file)?;
    progress.start(Stage::ReadLines, None);
    let read = |send: &mut dyn FnMut(Segment, usize) -> Result<()>| {
        let mut is_first = true;
        while let Some(mut segment) = input.next(progress)? {
            if std::mem::take(&mut is_first) {
                segment.remove_mark();
            }
            let bytes = segment.len();
            send(segment, bytes)?;
        }
        Ok(())
    };
    pipeline(options.threads(), read, judge_segment, |results| {
        while let Some((segment, judged)) = results.next()? {
            let before = intake.line;
            match segment {
                Segment::Lines(text) => {
                    let judged = judged.map_or_else(|| JudgedLines::of(&text), Ok)?;
                    intake.take_lines(&text, judged)?;
                }
                Segment::Start(start) => {
                    intake.line += 1;
                    intake.end_check.take_invalid(None);
                    intake.reject(&start, true)?;
                }
            }
            progress.inc(intake.line - before);
        }
        Ok(())
    })?;
    progress.finish();
    input.confirm()?;
    intake.end()
}

type Judged<'l> = std::result::Result<ParsedLine<'l>, Box<Finding>>;

/// The lines of a segment, as [`judge`] sees them.
#[derive(Default)]
struct JudgedLines<'l> {
    /// Those that are not blank.
    lines: Vec<JudgedLine<'l>>,
    /// Number of lines, with the blank ones.
    count: u64,
    end_check: EndCheck,
}

struct JudgedLine<'l> {
    /// The number of the line, from 1 on.
    number: u64,
    /// Where it is in the segment.
    place: Range<usize>,
    judged: Judged<'l>,
}

impl<'l> JudgedLines<'l> {
    fn of(text: &'l [u8]) -> Result<Self> {
        let mut all = JudgedLines::default();
        let mut end = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let place = end..end + line.len();
            end = place.end;
            all.count += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let judged = judge(line)?;
            all.end_check.take(&judged);
            all.lines.push(JudgedLine { number: all.count, place, judged });
        }
        Ok(all)
    }

    fn into_owned(self) -> JudgedLines<'static> {
        let lines = self.lines.into_iter().map(|line| JudgedLine {
            number: line.number,
            place: line.place,
            judged: line.judged.map(ParsedLine::into_owned),
        });
        JudgedLines { lines: lines.collect(), count: self.count, end_check: self.end_check }
    }
}

/// Judges the lines of a segment, unless they are large: these are judged later to save memory.
fn judge_segment(segment: Segment) -> Result<(Segment, Option<JudgedLines<'static>>)> {
    let judged = match &segment {
        Segment::Lines(text) if text.len() <= LARGE_SEGMENT_BYTES => {
            Some(JudgedLines::of(text)?.into_owned())
        }
        Segment::Lines(_) | Segment::Start(_) => None,
    };
    Ok((segment, judged))
}

struct LineIntake<'o> {
    options: &'o CopyOptions,
    lines: Lines,
    rejected: ScratchLines,
    line: u64,
    end_check: EndCheck,
    has_rejected: bool,
}

impl LineIntake<'_> {
    fn take_lines(&mut self, text: &[u8], judged: JudgedLines<'_>) -> Result<()> {
        self.end_check.add(&judged.end_check);
        let before = self.line;
        for JudgedLine { number, place, judged } in judged.lines {
            self.line = before + number;
            match judged {
                Ok(good) => self.keep(good)?,
                Err(why) if why.kind.is_none_or(|kind| self.options.only.contains(kind)) => {
                    self.reject(text.get(place).unwrap_or_default(), false)?;
                }
                Err(_) => {}
            }
        }
        self.line = before + judged.count;
        Ok(())
    }

    fn keep(&mut self, good: ParsedLine<'_>) -> Result<()> {
        match good {
            ParsedLine::Record { kind, .. } if !self.options.only.contains(kind) => Ok(()),
            ParsedLine::Record { kind, key, value } => {
                let entry = Entry { key: key.as_bytes(), value: &value };
                self.lines.bytes += (entry.key.len() + entry.value.len()) as u64;
                self.lines.entries.add(kind, self.line, entry)
            }
            ParsedLine::IdSequences(sequences) => {
                self.lines.sequences = self.lines.sequences.max(sequences);
                Ok(())
            }
            ParsedLine::End(_) => Ok(()),
        }
    }

    fn reject(&mut self, text: &[u8], is_cut: bool) -> Result<()> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.has_rejected = true;
        self.rejected.add(ScratchLine { line: self.line, text, is_cut, shared: None })
    }

    fn end(self) -> Result<(Lines, InvalidLines)> {
        let LineIntake { mut lines, mut rejected, end_check, options, has_rejected, line: _ } =
            self;
        lines.end_line = end_check.finish(&lines.path, options, has_rejected)?;
        lines.entries.settle(&mut |kind, sharing| {
            let Duplicate { line, shared, other, entry } = sharing;
            let text = Line::of(kind, entry).map_err(internal)?;
            let text = serde_json::to_vec(&text).map_err(internal)?;
            rejected.add(ScratchLine {
                line,
                text: &text,
                is_cut: false,
                shared: Some((shared, other)),
            })
        })?;
        Ok((lines, InvalidLines(rejected)))
    }
}

impl RejectedLines for InvalidLines {
    fn visit(&self, visit: &mut dyn FnMut(RejectedLine<'_>) -> Result<()>) -> Result<()> {
        self.0.visit(&mut |spooled| {
            let ScratchLine { line, text, .. } = spooled;
            let mut why = reason_of(&spooled)?;
            why.message = format!("line {line}: {}", why.message);
            let key = why.key.clone();
            let key = key.as_deref().and_then(|key| str::from_utf8(key).ok());
            visit(RejectedLine { line, key, text, why })
        })
    }
}

fn reason_of(spooled: &ScratchLine<'_>) -> Result<Finding> {
    let text = spooled.text;
    match spooled.shared {
        _ if spooled.is_cut => Ok(too_long(text)),
        Some((shared, other)) => match Line::parse(text).map_err(internal)? {
            Line::Record { kind, key, value } => {
                let (key, value) = (key.as_bytes(), value.get().as_bytes());
                Ok(shares(kind, Entry { key, value }, shared, other))
            }
            Line::IdSequences(_) | Line::End(_) => Err(internal("only records share keys and ids")),
        },
        None => match judge(text)? {
            Err(why) => Ok(*why),
            Ok(_) => Err(internal("an invalid line became valid")),
        },
    }
}

fn internal(error: impl ToString) -> Error {
    Error::Internal(error.to_string())
}
