//! A text, taken in line by line: its records in the order of their keys, and what is none.

use std::path::PathBuf;

use super::ImportSource;
use super::cutter::Portion;
use super::input::Input;
use super::judge::{Good, judge, shares_its_key, too_long};
use crate::codec::{Entry, Line};
use crate::compare::Divergence;
use crate::error::{Error, Result};
use crate::migrate::CopyOptions;
use crate::migrate::rejects::{RejectedLine, RejectedLines};
use crate::progress::{Progress, Stage};
use crate::record::{RecordKind, Sequences};
use crate::sqlite::{EntrySpool, LineSpool, SharedKey, SpooledLine};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Why a line is no record, as the spool keeps it.
mod why {
    /// Its text says so.
    pub(super) const JUDGED: i64 = 0;
    /// Only its start was read.
    pub(super) const TOO_LONG: i64 = 1;
    /// Another line has its key.
    pub(super) const SHARED_KEY: i64 = 2;
}

/// What a text held.
pub(super) struct Lines {
    pub(super) path: PathBuf,
    pub(super) entries: EntrySpool,
    pub(super) sequences: Sequences,
    /// Bytes of all keys and values.
    pub(super) bytes: u64,
}

/// The lines of a text that are no records.
pub(super) struct NoRecords(LineSpool);

/// Reads a text to its end.
pub(super) fn take_in(
    source: ImportSource<'_>,
    options: &CopyOptions,
    progress: &dyn Progress,
) -> Result<(Lines, NoRecords)> {
    let temp_dir = options.temp_dir.as_deref();
    let path = source.path().to_owned();
    let mut intake = LineIntake {
        options,
        lines: Lines {
            path,
            entries: EntrySpool::create(temp_dir)?,
            sequences: Sequences::default(),
            bytes: 0,
        },
        rejected: LineSpool::create(temp_dir)?,
        line: 0,
    };
    let mut input = Input::start(source)?;
    progress.start(Stage::ReadLines, None);
    while let Some(portion) = input.next(progress)? {
        let before = intake.line;
        match portion {
            Portion::Lines(text) => intake.take_lines(&text)?,
            Portion::Start(start) => {
                intake.line += 1;
                intake.reject(why::TOO_LONG, &start)?;
            }
        }
        progress.inc(intake.line - before);
    }
    progress.finish();
    input.confirm()?;
    intake.end()
}

struct LineIntake<'o> {
    options: &'o CopyOptions,
    lines: Lines,
    rejected: LineSpool,
    line: u64,
}

impl LineIntake<'_> {
    fn take_lines(&mut self, text: &[u8]) -> Result<()> {
        let text = match self.line {
            // RFC 8259 lets a reader ignore what some programs begin a file with.
            0 => text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text),
            _ => text,
        };
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.line += 1;
            match judge(line)? {
                Ok(good) => self.keep(good)?,
                Err(why) if self.asks_for(why.kind) => self.reject(why::JUDGED, line)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Whether lines of a kind are wanted; of those of no kind nobody knows.
    fn asks_for(&self, kind: Option<RecordKind>) -> bool {
        kind.is_none_or(|kind| self.options.asks_for(kind))
    }

    fn keep(&mut self, good: Good<'_>) -> Result<()> {
        match good {
            Good::Record { kind, key, value } if self.options.asks_for(kind) => {
                let entry = Entry {
                    key: key.as_bytes(),
                    value: &value,
                };
                self.lines.bytes += (entry.key.len() + entry.value.len()) as u64;
                self.lines.entries.add(kind, self.line, entry)
            }
            Good::Sequences(sequences) => {
                self.lines.sequences = self.lines.sequences.max(sequences);
                Ok(())
            }
            Good::Record { .. } | Good::Blank => Ok(()),
        }
    }

    fn reject(&mut self, why: i64, text: &[u8]) -> Result<()> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.rejected.add(SpooledLine {
            line: self.line,
            why,
            other: None,
            text,
        })
    }

    fn end(self) -> Result<(Lines, NoRecords)> {
        let LineIntake {
            mut lines,
            mut rejected,
            ..
        } = self;
        lines.entries.settle(&mut |kind, shared| {
            let SharedKey { line, other, entry } = shared;
            let text = Line::of(kind, entry).map_err(internal)?;
            let text = serde_json::to_vec(&text).map_err(internal)?;
            rejected.add(SpooledLine {
                line,
                why: why::SHARED_KEY,
                other: Some(other),
                text: &text,
            })
        })?;
        Ok((lines, NoRecords(rejected)))
    }
}

impl RejectedLines for NoRecords {
    fn visit(&self, visit: &mut dyn FnMut(RejectedLine<'_>) -> Result<()>) -> Result<()> {
        self.0.visit(&mut |spooled| {
            let SpooledLine { line, text, .. } = spooled;
            let mut why = why_of(&spooled)?;
            why.message = format!("line {line}: {}", why.message);
            let key = why.key.clone();
            let key = key.as_deref().and_then(|key| str::from_utf8(key).ok());
            visit(RejectedLine {
                line,
                key,
                text,
                why,
            })
        })
    }
}

fn why_of(spooled: &SpooledLine<'_>) -> Result<Divergence> {
    let text = spooled.text;
    match (spooled.why, spooled.other) {
        (why::TOO_LONG, _) => Ok(too_long(text)),
        (why::SHARED_KEY, Some(other)) => match Line::parse(text).map_err(internal)? {
            Line::Record { kind, key, .. } => Ok(shares_its_key(kind, key.as_bytes(), other)),
            Line::Sequences(_) => Err(internal("the high-water marks have no key to share")),
        },
        _ => match judge(text)? {
            Err(why) => Ok(*why),
            Ok(_) => Err(internal("a line that was no record is one")),
        },
    }
}

fn internal(error: impl ToString) -> Error {
    Error::Internal(error.to_string())
}
