//! Opening any store: its type is detected, and it is read again if it changed meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fsio::{StoreKind, detect};
use crate::kv::KvReader;
use crate::progress::Progress;
use crate::sqlite::{SourceFiles, SourceOptions, SqliteSnapshot};
use crate::stream::{Source, join2};

/// How often a database that is written while it is read without a lock is read, and how long it is
/// left alone before that is tried again.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(20);

/// How a store is opened for reading; all but `only` is about SQLite databases.
pub(crate) type OpenOptions = SourceOptions;

/// A store that was looked at and not opened yet.
///
/// To look at a database closes a descriptor of it, and with that the process loses its locks on
/// the file. So of two stores that may be one file, both are looked at before either is opened.
#[derive(Debug)]
pub(crate) struct Candidate {
    path: PathBuf,
    files: Option<SourceFiles>,
}

impl Candidate {
    /// Looks at a store, whichever its first bytes say it is.
    ///
    /// # Errors
    /// The file is not there, can't be read, or is no store.
    pub(crate) fn look(path: &Path) -> Result<Self> {
        let found = detect(path)?;
        found.expect_store(path)?;
        let files = match found {
            StoreKind::Sqlite => Some(SourceFiles::classify(path)?),
            _ => None,
        };
        Ok(Candidate {
            path: path.to_owned(),
            files,
        })
    }

    /// The file, as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which store it is.
    fn store(&self) -> StoreKind {
        match self.files {
            Some(_) => StoreKind::Sqlite,
            None => StoreKind::Kv,
        }
    }

    /// Opens the store: a KV file with every page checked, a database in one read transaction.
    ///
    /// # Errors
    /// Those of [`KvReader::open_verified`] and [`SqliteSnapshot::open`].
    pub(crate) fn open(
        self,
        options: &OpenOptions,
        progress: &Arc<dyn Progress>,
    ) -> Result<Box<dyn Source>> {
        Ok(match self.files {
            Some(files) => Box::new(SqliteSnapshot::open_classified(files, options, progress)?),
            None => Box::new(KvReader::open_verified(&self.path)?),
        })
    }
}

/// Opens two stores, a KV file while the other store is being opened.
///
/// # Errors
/// Those of [`Candidate::open`].
pub(crate) fn open_pair(
    left: Candidate,
    right: Candidate,
    options: &OpenOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(Box<dyn Source>, Box<dyn Source>)> {
    let open = |opening: Candidate| move || opening.open(options, progress);
    if let (StoreKind::Sqlite, StoreKind::Sqlite) = (left.store(), right.store()) {
        // Both report progress, which has one stage at a time.
        return Ok((open(left)()?, open(right)()?));
    }
    join2("opener", open(left), open(right))
}

/// Does something that reads databases, and does it again, a few times, if one of them was written
/// meanwhile.
///
/// # Errors
/// Those of `read`.
pub(crate) fn retry_if_changed<T>(mut read: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match read() {
            Err(error) if is_changed(&error) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    read()
}

fn is_changed(error: &Error) -> bool {
    matches!(error, Error::Changed { .. })
}
