//! The order in which a new table got its rows, to read them in that order again without sorting.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{IoContext as _, Result};

const BUFFER_BYTES: usize = 64 << 10;

/// Takes the row ids of a table as its rows are written, in a file without a name.
#[derive(Debug)]
pub(in crate::sqlite) struct RowOrderWriter {
    folder: PathBuf,
    file: BufWriter<File>,
    rows: u64,
}

impl RowOrderWriter {
    /// Makes the file in a folder.
    pub(in crate::sqlite) fn create(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).io_context("create a file in", folder)?;
        Ok(RowOrderWriter {
            folder: folder.to_owned(),
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            rows: 0,
        })
    }

    /// Appends the id of the row that was written next.
    pub(in crate::sqlite) fn push(&mut self, rowid: i64) -> Result<()> {
        self.rows += 1;
        let written = self.file.write_all(&rowid.to_le_bytes());
        written.io_context("write a file in", &self.folder)
    }

    /// All that were appended.
    pub(in crate::sqlite) fn finish(self) -> Result<RowOrder> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        Ok(RowOrder {
            file: file.io_context("write a file in", &self.folder)?,
            folder: self.folder,
            rows: self.rows,
        })
    }
}

/// The row ids of a table in the order in which its rows were written.
#[derive(Debug)]
pub(crate) struct RowOrder {
    folder: PathBuf,
    file: File,
    rows: u64,
}

impl RowOrder {
    /// How many row ids there are.
    pub(in crate::sqlite) fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands each row id to `visit`.
    ///
    /// # Errors
    /// The file can't be read to its end, or `visit` failed.
    pub(in crate::sqlite) fn visit(&self, visit: &mut dyn FnMut(i64) -> Result<()>) -> Result<()> {
        let mut file = &self.file;
        file.rewind().io_context("read a file in", &self.folder)?;
        let mut ids = BufReader::with_capacity(BUFFER_BYTES, file);
        for _ in 0..self.rows {
            let mut id = [0; 8];
            ids.read_exact(&mut id)
                .io_context("read a file in", &self.folder)?;
            visit(i64::from_le_bytes(id))?;
        }
        Ok(())
    }
}
