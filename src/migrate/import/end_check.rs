//! Whether a text has all the lines that its end line tells of.

use std::path::Path;

use super::parse_line::Good;
use crate::codec::{Entry, ExportEnd};
use crate::error::{Error, Result};
use crate::migrate::{CopyOptions, OnInvalid};
use crate::record::RecordKind;

/// What the end line of a text says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndLine {
    /// The text has all lines of the export.
    Matched,
    /// It has others; but there are also lines that are no records, and so nothing is imported.
    Mismatched,
    /// There is none, so whether the text is complete is not known.
    Missing,
}

impl EndLine {
    /// The name that reports use: `matched`, `mismatched` or `missing`.
    pub const fn name(self) -> &'static str {
        match self {
            EndLine::Matched => "matched",
            EndLine::Mismatched => "mismatched",
            EndLine::Missing => "missing",
        }
    }
}

/// Adds up the lines of a text, and its end lines: joined exports have several.
#[derive(Debug, Default)]
pub(super) struct EndCheck {
    found: ExportEnd,
    told: Option<ExportEnd>,
    has_lines: bool,
}

impl EndCheck {
    pub(super) fn take(&mut self, good: &Good<'_>) {
        self.has_lines = true;
        match good {
            Good::Record { kind, key, value } => {
                let (key, value) = (key.as_bytes(), &**value);
                let entry = Entry { key, value };
                self.found.add_record(*kind, entry);
            }
            Good::IdSequences(sequences) => self.found.add_sequences(*sequences),
            Good::End(end) => self.told.get_or_insert_default().add(end),
        }
    }

    /// Takes a line that is no record, of a kind if it tells one.
    pub(super) fn take_invalid(&mut self, kind: Option<RecordKind>) {
        self.has_lines = true;
        if let Some(kind) = kind {
            self.found.count(kind);
        }
    }

    /// Fails if the text is not what its end line tells, unless lines were rejected that let the import
    /// fail in any case.
    pub(super) fn finish(
        self,
        path: &Path,
        options: &CopyOptions,
        were_rejected: bool,
    ) -> Result<EndLine> {
        let path = || path.to_owned();
        if !self.has_lines && !options.allow_empty {
            return Err(Error::NoLines { path: path() });
        }
        let Some(told) = self.told else {
            return match options.require_end {
                true => Err(Error::NoEndLine { path: path() }),
                false => Ok(EndLine::Missing),
            };
        };
        if told == self.found {
            return Ok(EndLine::Matched);
        }
        if were_rejected && options.on_invalid == OnInvalid::Fail {
            return Ok(EndLine::Mismatched);
        }
        let (found, told) = (self.found.lines(), told.lines());
        Err(match found == told {
            true => Error::LinesDiffer { path: path(), told },
            false => Error::LineCount {
                path: path(),
                found,
                told,
            },
        })
    }
}
