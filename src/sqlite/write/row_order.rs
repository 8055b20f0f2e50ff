//! The insertion order of a new table's rows, to read them in that order without sorting.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{IoContext as _, Result};

const BUFFER_BYTES: usize = 64 << 10;

/// Records the row ids of a table as its rows are written, in an unnamed temporary file.
#[derive(Debug)]
pub(crate) struct RowOrderWriter {
    folder: PathBuf,
    file: BufWriter<File>,
    rows: u64,
}

impl RowOrderWriter {
    /// Creates the file in a directory.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).io_context("create a file in", folder)?;
        Ok(RowOrderWriter {
            folder: folder.to_owned(),
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            rows: 0,
        })
    }

    /// Appends the id of the row written next.
    pub(crate) fn push(&mut self, rowid: i64) -> Result<()> {
        self.rows += 1;
        let written = self.file.write_all(&rowid.to_le_bytes());
        written.io_context("write a file in", &self.folder)
    }

    /// The recorded order.
    pub(crate) fn finish(self) -> Result<RowOrder> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        Ok(RowOrder {
            file: file.io_context("write a file in", &self.folder)?,
            folder: self.folder,
            rows: self.rows,
        })
    }
}

/// The row ids of a table in insertion order.
#[derive(Debug)]
pub(crate) struct RowOrder {
    folder: PathBuf,
    file: File,
    rows: u64,
}

impl RowOrder {
    /// Number of row ids.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Calls `visit` for each row id.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(i64) -> Result<()>) -> Result<()> {
        let mut file = &self.file;
        file.rewind().io_context("read a file in", &self.folder)?;
        let mut ids = BufReader::with_capacity(BUFFER_BYTES, file);
        for _ in 0..self.rows {
            let mut id = [0; 8];
            ids.read_exact(&mut id).io_context("read a file in", &self.folder)?;
            visit(i64::from_le_bytes(id))?;
        }
        Ok(())
    }
}
