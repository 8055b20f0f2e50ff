//! Checks the lines of a text against its end line.

use std::path::Path;

use serde::Serialize;

use super::parse_line::ParsedLine;
use crate::codec::{Entry, ExportEnd};
use crate::compare::Finding;
use crate::error::{Error, Result};
use crate::migrate::CopyOptions;
use crate::table::Kind;

/// The result of checking a text's end line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndLine {
    /// The lines match the end line.
    Matched,
    /// They don't match; but there are also invalid lines, so that nothing is imported anyway.
    Mismatched,
    /// There is no end line, so it is unknown whether the text is complete.
    Missing,
}

/// Sums up the lines of a text, and its end lines: concatenated exports have several.
#[derive(Debug, Default)]
pub(super) struct EndCheck {
    found: ExportEnd,
    expected: Option<ExportEnd>,
    has_lines: bool,
}

impl EndCheck {
    /// Adds a line, or the finding that says why it is invalid.
    pub(super) fn take(
        &mut self,
        line: &std::result::Result<ParsedLine<'_>, Box<Finding>>,
    ) -> Result<()> {
        self.has_lines = true;
        match line {
            Ok(ParsedLine::Record { kind, key, value }) => {
                let (key, value) = (key.as_bytes(), &**value);
                let entry = Entry { key, value };
                self.found.add_record(*kind, entry);
            }
            Ok(ParsedLine::Row { key, value, .. }) => {
                self.found.add_row(Entry { key: key.as_bytes(), value });
            }
            // It is added once it can be read.
            Ok(ParsedLine::UndescribedRow { .. }) => {}
            Ok(ParsedLine::Tables(tables)) => {
                let json = serde_json::to_vec(&tables.carried);
                self.found.add_tables(&json.map_err(|error| Error::Internal(error.to_string()))?);
            }
            Ok(ParsedLine::IdSequences(sequences)) => self.found.add_sequences(*sequences),
            Ok(ParsedLine::End(end)) => self.expected.get_or_insert_default().add(end),
            Err(why) => self.take_invalid(why.kind.as_ref()),
        }
        Ok(())
    }

    /// Adds the lines of another part of the text.
    pub(super) fn add(&mut self, other: &EndCheck) {
        self.found.add(&other.found);
        if let Some(expected) = &other.expected {
            self.expected.get_or_insert_default().add(expected);
        }
        self.has_lines |= other.has_lines;
    }

    /// Counts an invalid line, with its kind if that is known.
    pub(super) fn take_invalid(&mut self, kind: Option<&Kind>) {
        self.has_lines = true;
        match kind {
            Some(Kind::Record(kind)) => self.found.count(*kind),
            Some(Kind::Table(_)) => self.found.count_row(),
            None => {}
        }
    }

    /// Fails if the lines don't match the end line, unless lines were rejected and the import fails
    /// anyway.
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
        let Some(expected) = self.expected else {
            return match options.require_end {
                true => Err(Error::NoEndLine { path: path() }),
                false => Ok(EndLine::Missing),
            };
        };
        if expected == self.found {
            return Ok(EndLine::Matched);
        }
        if were_rejected && !options.skip_invalid {
            return Ok(EndLine::Mismatched);
        }
        let (found, expected) = (self.found.lines(), expected.lines());
        Err(match found == expected {
            true => Error::LinesDiffer { path: path(), expected },
            false => Error::LineCount { path: path(), found, expected },
        })
    }
}
