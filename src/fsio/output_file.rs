//! A file beside the stores, which appears whole or not at all and replaces nothing but its like.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, IntoInnerError, Read as _, Write};
use std::path::Path;

use super::destination::Destination;
use super::staged::{Prepared, Staged, is_from_killed_run};
use crate::error::{Error, IoContext as _, Result};

/// What such a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// Rows and entries that are no records, one JSON object a line.
    Rejects,
    /// Every finding of a verification, one JSON object a line.
    Report,
    /// What a verification found, as HTML.
    Page,
}

impl OutputKind {
    /// How the first line of such a file begins.
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

/// A file that is written bit by bit and published at once.
#[derive(Debug)]
pub(crate) struct OutputFile {
    kind: OutputKind,
    destination: Destination,
    open: Option<(Staged, BufWriter<File>)>,
}

impl OutputFile {
    /// Resolves the place; nothing is made before [`open`](OutputFile::open). What is there already
    /// is replaced only if it is such a file, or empty, and if `replace` allows it or a run that was
    /// killed left it.
    pub(crate) fn resolve(
        kind: OutputKind,
        path: &Path,
        replace: bool,
        sources: &[&Path],
    ) -> Result<Self> {
        let destination = Destination::resolve(path, sources)?;
        may_replace(kind, &destination)?;
        if destination.exists() && !replace && !is_from_killed_run(&destination)? {
            return Err(Error::RejectsFileExists {
                path: path.to_owned(),
            });
        }
        Ok(OutputFile {
            kind,
            destination,
            open: None,
        })
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Makes the file, where it is not made yet, and gives what writes into it.
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

    /// Finishes the file; `None` if it was never opened.
    pub(crate) fn prepare(self) -> Result<Option<Prepared>> {
        let Some((staged, file)) = self.open else {
            return Ok(None);
        };
        file.into_inner()
            .map_err(IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .io_context("write", self.destination.given())?;
        staged
            .prepare(|destination| may_replace(self.kind, destination))
            .map(Some)
    }
}

/// Fails if there is something else than such a file.
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
        false => Err(Error::NotReplaceable {
            path: path.to_owned(),
            found: kind.not_one().to_owned(),
        }),
    }
}
