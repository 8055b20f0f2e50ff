//! A JSON Lines file that is published atomically.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::destination::Destination;
use super::output_file::{OutputFile, OutputKind};
use super::staged::Prepared;
use crate::error::{IoContext as _, Result};

/// A file that is created with its first line.
#[derive(Debug)]
pub(crate) struct JsonLines(OutputFile);

impl JsonLines {
    /// Resolves the destination, as [`OutputFile::resolve`] does. Creates nothing before the first
    /// line.
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

    /// Creates the file even if it stays empty.
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

    /// Finishes the file; `None` if no line was written.
    pub(crate) fn prepare(self) -> Result<Option<Prepared>> {
        self.0.prepare()
    }
}
