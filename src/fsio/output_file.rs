//! An output file other than a store: published atomically, and replaces only a file of the same
//! type.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, IntoInnerError, Read as _, Write};
use std::path::Path;

use serde::Serialize;

use super::destination::Destination;
use super::staged::{Prepared, Staged, is_from_killed_run};
use crate::error::{Error, IoContext as _, Result};

/// The type of such a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// Rejected items, as JSON Lines.
    Rejects,
    /// Every finding of a verification, as JSON Lines.
    Report,
    /// The result of a verification, as HTML.
    Page,
}

impl OutputKind {
    /// The first bytes of such a file, by which it is recognized.
    pub(crate) const fn first_bytes(self) -> &'static [u8] {
        match self {
            OutputKind::Rejects => b"{\"table\":",
            OutputKind::Report => b"{\"class\":",
            OutputKind::Page => b"<!doctype html><!-- chunkmigrate verify -->",
        }
    }

    const fn not_one(self) -> &'static str {
        match self {
            OutputKind::Rejects => "not a rejects file",
            OutputKind::Report => "not a report of findings",
            OutputKind::Page => "not an HTML report of chunkmigrate",
        }
    }
}

/// A file that is written incrementally and published at once.
#[derive(Debug)]
pub(crate) struct OutputFile {
    kind: OutputKind,
    destination: Destination,
    open: Option<(Staged, BufWriter<File>)>,
}

impl OutputFile {
    /// Resolves the destination; creates nothing before [`open`](OutputFile::open). Replaces an
    /// existing file only if it is of the same type or empty, and only if `replace` is set or a
    /// killed run left it.
    pub(crate) fn resolve(
        kind: OutputKind,
        path: &Path,
        replace: bool,
        sources: &[&Path],
    ) -> Result<Self> {
        let destination = Destination::resolve(path, sources)?;
        may_replace(kind, &destination)?;
        if destination.exists() && !replace && !is_from_killed_run(&destination)? {
            return Err(Error::RejectsFileExists { path: path.to_owned() });
        }
        Ok(OutputFile { kind, destination, open: None })
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Creates the file, if necessary, and returns its writer.
    pub(crate) fn open(&mut self) -> Result<&mut impl Write> {
        let (_, file) = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => {
                let staged = Staged::create(&self.destination)?;
                let file = File::create_new(staged.path()).io_context("create", staged.path())?;
                self.open.insert((staged, BufWriter::new(file)))
            }
        };
        Ok(file)
    }

    /// Appends a line of JSON, and creates the file if necessary.
    pub(crate) fn write_line(&mut self, line: &impl Serialize) -> Result<()> {
        let file = self.open()?;
        serde_json::to_writer(&mut *file, line)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .io_context("write", self.destination.given())
    }

    /// Finishes the file; `None` if it was never opened.
    pub(crate) fn prepare(self) -> Result<Option<Prepared>> {
        let Some((staged, file)) = self.open else {
            return Ok(None);
        };
        file.into_inner()
            .map_err(IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .io_context("write", self.destination.given())?;
        staged.prepare(|destination| may_replace(self.kind, destination)).map(Some)
    }
}

/// Fails if the path names something other than such a file.
fn may_replace(kind: OutputKind, destination: &Destination) -> Result<()> {
    if !destination.exists() {
        return Ok(());
    }
    let path = destination.given();
    let mut line = Vec::new();
    File::open(path)
        .and_then(|file| BufReader::new(file.take(64)).read_until(b'\n', &mut line))
        .io_context("read", path)?;
    match line.is_empty() || line.starts_with(kind.first_bytes()) {
        true => Ok(()),
        false => {
            Err(Error::NotReplaceable { path: path.to_owned(), found: kind.not_one().to_owned() })
        }
    }
}
