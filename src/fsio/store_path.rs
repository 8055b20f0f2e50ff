//! Checks of paths at which a store is opened in place.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::{Error, IoContext as _, Result};

/// Whether a missing store may be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    Create,
    Fail,
}

/// Fails if no store can be opened or created at a path, for a reason that applies to every kind of
/// store: the path has no file name, it is SQLite's name for an in-memory database, it names
/// something other than a file, or a required file is missing. Doesn't open the file, because
/// closing it would release the process's locks on it.
pub(crate) fn check_store_path(path: &Path, if_missing: IfMissing) -> Result<()> {
    let wrong = match path.as_os_str().as_encoded_bytes() {
        b"" => Some("the path is empty"),
        b":memory:" => Some("not a file path; use in_memory for a store in memory"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        let source = io::Error::new(ErrorKind::InvalidInput, wrong);
        return Err(source).io_context("open", path);
    }
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(Error::not_a_file(path, found.file_type())),
        Err(error) if error.kind() == ErrorKind::NotFound && if_missing == IfMissing::Create => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let found = fs::metadata(folder.unwrap_or(Path::new(".")));
            found.map(|_| ()).io_context("create", path)
        }
        found => found.map(|_| ()).io_context("open", path),
    }
}
