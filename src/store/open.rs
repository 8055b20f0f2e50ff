use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::pending::PendingSnapshot;
use super::{Snapshot, StoreKind, beside, detect};
use crate::error::{Error, Result};
use crate::kv::KvFile;
use crate::progress::Progress;
use crate::sqlite::{DatabaseFiles, SqliteError, SqliteSnapshot, SqliteSnapshotOptions};

/// How often a database that is written while it is read without a lock is read, and how long it is
/// left alone before that is tried again.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(20);

/// How a store is opened for reading; all but `only` is about SQLite databases.
pub type OpenOptions = SqliteSnapshotOptions;

/// A store that was looked at and not opened yet.
///
/// To look at a database closes a descriptor of it, and with that the process loses its locks on
/// the file. So of two stores that may be one file, both are looked at before either is opened.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use chunkmigrate::kv::RedbBackend;
/// use chunkmigrate::store::{OpenOptions, Opening, StoreKind};
/// use chunkmigrate::{NoProgress, Progress};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("code.kv");
/// RedbBackend::open_or_create(&path)?;
///
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let snapshot = Opening::look(&path)?.open(&OpenOptions::default(), &progress)?;
/// assert_eq!(snapshot.store(), StoreKind::Kv);
/// assert_eq!(snapshot.total_keys()?, Some(0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Opening {
    path: PathBuf,
    files: Option<DatabaseFiles>,
}

impl Opening {
    /// Looks at a store, whichever its first bytes say it is.
    ///
    /// # Errors
    /// The file is not there, can't be read, or is no store.
    pub fn look(path: &Path) -> Result<Self> {
        let found = detect(path)?;
        found.expect_store(path)?;
        let files = match found {
            StoreKind::Sqlite => Some(DatabaseFiles::classify(path)?),
            _ => None,
        };
        Ok(Opening {
            path: path.to_owned(),
            files,
        })
    }

    /// The file, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which store it is.
    pub(super) fn store(&self) -> StoreKind {
        match self.files {
            Some(_) => StoreKind::Sqlite,
            None => StoreKind::Kv,
        }
    }

    /// Opens the store: a KV file with every page checked, a database in one read transaction.
    ///
    /// # Errors
    /// Those of [`KvFile::open_checked`] and [`SqliteSnapshot::open`].
    pub fn open(
        self,
        options: &OpenOptions,
        progress: &Arc<dyn Progress>,
    ) -> Result<Box<dyn Snapshot>> {
        Ok(match self.files {
            Some(files) => Box::new(SqliteSnapshot::open_classified(files, options, progress)?),
            None => Box::new(KvFile::open_checked(&self.path)?),
        })
    }
}

/// Opens two stores. The pages of a KV file beside a database may still be checked when this
/// returns: the database can be read meanwhile, and whatever wants something from the file waits.
///
/// # Errors
/// Those of [`Opening::open`]. That of a KV file beside a database may be told by the first method
/// of the snapshot that has to wait for it.
pub fn open_pair(
    left: Opening,
    right: Opening,
    options: &OpenOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(Box<dyn Snapshot>, Box<dyn Snapshot>)> {
    match (left.store(), right.store()) {
        (StoreKind::Kv, StoreKind::Kv) => beside(
            "opener",
            || left.open(options, progress),
            || right.open(options, progress),
        ),
        (StoreKind::Kv, _) => {
            let left = PendingSnapshot::start(left, options, progress)?;
            Ok((Box::new(left), right.open(options, progress)?))
        }
        (_, StoreKind::Kv) => {
            let right = PendingSnapshot::start(right, options, progress)?;
            Ok((left.open(options, progress)?, Box::new(right)))
        }
        // Two databases would tell of their progress at the same time.
        _ => Ok((
            left.open(options, progress)?,
            right.open(options, progress)?,
        )),
    }
}

/// Does something that reads databases, and does it again, a few times, if one of them was written
/// meanwhile.
///
/// # Errors
/// Those of `read`.
pub fn retry_if_changed<T>(mut read: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match read() {
            Err(error) if is_changed(&error) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    read()
}

fn is_changed(error: &Error) -> bool {
    matches!(error, Error::Sqlite(error) if matches!(**error, SqliteError::Changed { .. }))
}

impl std::fmt::Debug for dyn Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Snapshot").field(&self.path()).finish()
    }
}
