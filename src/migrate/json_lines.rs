//! A file of one JSON object a line, which appears whole or not at all.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use serde::Serialize;

use super::staged::{Prepared, Staged, is_of_killed_run};
use super::target::{Destination, TargetError};
use crate::error::{IoContext as _, Result};

/// What such a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinesKind {
    /// Rows and entries that are no records.
    Rejects,
    /// Every finding of a verification.
    Report,
}

impl LinesKind {
    /// How the first line of such a file begins.
    const fn first_bytes(self) -> &'static [u8] {
        match self {
            LinesKind::Rejects => b"{\"table\":",
            LinesKind::Report => b"{\"class\":",
        }
    }

    const fn not_one(self) -> &'static str {
        match self {
            LinesKind::Rejects => "no rejects file",
            LinesKind::Report => "no report",
        }
    }
}

/// A file that is written as lines come up.
#[derive(Debug)]
pub(crate) struct JsonLines {
    kind: LinesKind,
    destination: Destination,
    open: Option<(Staged, BufWriter<File>)>,
}

impl JsonLines {
    /// Resolves the place; nothing is made before the first line. What is there already is replaced
    /// only if it is such a file, or empty, and if `replace` allows it or a run that was killed left
    /// it.
    pub(crate) fn resolve(
        kind: LinesKind,
        path: &Path,
        replace: bool,
        sources: &[&Path],
    ) -> Result<Self> {
        let destination = Destination::resolve(path, sources)?;
        may_replace(kind, &destination)?;
        if destination.exists() && !replace && !is_of_killed_run(&destination)? {
            return Err(TargetError::Exists {
                path: path.to_owned(),
            }
            .into());
        }
        Ok(JsonLines {
            kind,
            destination,
            open: None,
        })
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Makes the file even if no line comes up.
    pub(crate) fn open(&mut self) -> Result<()> {
        if self.open.is_none() {
            let staged = Staged::create(&self.destination)?;
            let file = File::create_new(staged.path()).io_context("create", staged.path())?;
            self.open = Some((staged, BufWriter::new(file)));
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, line: &impl Serialize) -> Result<()> {
        self.open()?;
        let Some((_, file)) = &mut self.open else {
            return Ok(());
        };
        serde_json::to_writer(&mut *file, line)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .io_context("write", self.destination.given())
    }

    /// Finishes the file; `None` if there was no line.
    pub(crate) fn prepare(self) -> Result<Option<Prepared>> {
        let Some((staged, file)) = self.open else {
            return Ok(None);
        };
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .io_context("write", self.destination.given())?;
        staged
            .prepare(|destination| may_replace(self.kind, destination))
            .map(Some)
    }
}

/// Fails if there is something else than such a file.
fn may_replace(kind: LinesKind, destination: &Destination) -> Result<()> {
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
        false => Err(TargetError::NotReplaceable {
            path: path.to_owned(),
            found: kind.not_one().to_owned(),
        }
        .into()),
    }
}
