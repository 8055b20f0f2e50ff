//! A file of one JSON object a line, which appears whole or not at all.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::destination::Destination;
use super::output_file::{OutputFile, OutputKind};
use super::staged::Prepared;
use crate::error::{IoContext as _, Result};

/// A file that is written as lines come up.
#[derive(Debug)]
pub(crate) struct JsonLines(OutputFile);

impl JsonLines {
    /// Resolves the place, as [`OutputFile::resolve`] does; nothing is made before the first line.
    pub(crate) fn resolve(
        kind: OutputKind,
        path: &Path,
        replace: bool,
        sources: &[&Path],
    ) -> Result<Self> {
        OutputFile::resolve(kind, path, replace, sources).map(JsonLines)
    }

    pub(crate) fn destination(&self) -> &Destination {
        self.0.destination()
    }

    /// Makes the file even if no line comes up.
    pub(crate) fn open(&mut self) -> Result<()> {
        self.0.open().map(|_| ())
    }

    pub(crate) fn write(&mut self, line: &impl Serialize) -> Result<()> {
        let file = self.0.open()?;
        serde_json::to_writer(&mut *file, line)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .io_context("write", self.0.destination().given())
    }

    /// Finishes the file; `None` if there was no line.
    pub(crate) fn prepare(self) -> Result<Option<Prepared>> {
        self.0.prepare()
    }
}
