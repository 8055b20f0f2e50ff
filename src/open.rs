//! Opens any kind of store: detects its type, and reads it again if it changed meanwhile.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fsio::{StoreKind, detect};
use crate::kv::KvReader;
use crate::progress::Progress;
use crate::record::KindSet;
use crate::sqlite::{SourceFiles, SourceOptions, SqliteSnapshot};
use crate::stream::{Source, join2};
use crate::table::CarriedTables;

/// How often to read a database that is being written while it is read without a lock, and how long
/// to wait before the next attempt.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(20);

/// A store whose type has been detected, but which is not open yet.
///
/// Probing a database closes a file descriptor of it, and with that the process loses its POSIX
/// locks on the file. So if two stores may be the same file, both are probed before either is
/// opened.
#[derive(Debug)]
pub(crate) struct Candidate {
    path: PathBuf,
    files: Option<SourceFiles>,
}

impl Candidate {
    /// Detects the type of a store from its first bytes.
    pub(crate) fn probe(path: &Path) -> Result<Self> {
        let found = detect(path)?;
        found.expect_store(path)?;
        let files = match found {
            StoreKind::Sqlite => Some(SourceFiles::probe(path)?),
            _ => None,
        };
        Ok(Candidate { path: path.to_owned(), files })
    }

    /// The file path, as specified by the caller.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The kind of store.
    fn store(&self) -> StoreKind {
        match self.files {
            Some(_) => StoreKind::Sqlite,
            None => StoreKind::Kv,
        }
    }

    /// Opens the store: a KV file after verifying every page, a database in one read transaction.
    pub(crate) fn open(
        self,
        options: &SourceOptions,
        progress: &Progress,
    ) -> Result<Box<dyn Source>> {
        Ok(match self.files {
            Some(files) => Box::new(SqliteSnapshot::open_probed(files, options, progress)?),
            None => Box::new(KvReader::open_verified(&self.path)?),
        })
    }
}

/// Opens two stores. A KV file is opened in parallel with the other store.
///
/// A database is read with the tables that a KV file on the other side carries, and of two databases
/// each table is read as records on both sides or on none.
pub(crate) fn open_pair(
    left: Candidate,
    right: Candidate,
    options: &SourceOptions,
    progress: &Progress,
) -> Result<(Box<dyn Source>, Box<dyn Source>)> {
    let stores = (left.store(), right.store());
    let paths = (left.path.clone(), right.path.clone());
    let open = |opening: Candidate| opening.open(options, progress);
    let again =
        |path: &Path, options: &SourceOptions| Candidate::probe(path)?.open(options, progress);
    match stores {
        (StoreKind::Sqlite, StoreKind::Sqlite) => {
            // Sequentially: both report progress, and only one stage can be active.
            let (left, right) = (open(left)?, open(right)?);
            let kinds = [&left, &right]
                .map(|store| store.carried().map_or(KindSet::NONE, CarriedTables::described_kinds));
            if kinds[0] == kinds[1] {
                return Ok((left, right));
            }
            drop((left, right));
            let common = kinds[0].iter().filter(|kind| kinds[1].contains(*kind)).collect();
            let options = SourceOptions { as_records: Some(common), ..options.clone() };
            Ok((again(&paths.0, &options)?, again(&paths.1, &options)?))
        }
        (StoreKind::Sqlite, _) => {
            let (kv, database) = join2("opener", || open(right), || Ok(open(left)))?;
            let database = match kv.carried() {
                Some(carried) => {
                    drop(database);
                    again(&paths.0, &options.following(Some(carried)))?
                }
                None => database?,
            };
            Ok((database, kv))
        }
        (_, StoreKind::Sqlite) => {
            let (database, kv) = open_pair(right, left, options, progress)?;
            Ok((kv, database))
        }
        _ => join2("opener", || open(left), || open(right)),
    }
}

/// Runs `read`, which reads databases, and repeats it a few times if one of them was written
/// meanwhile.
pub(crate) fn retry_if_changed<T>(mut read: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match read() {
            Err(error) if is_changed(&error) => {
                log::info!("{error}; read again");
                thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
    read()
}

fn is_changed(error: &Error) -> bool {
    matches!(error, Error::DatabaseChanged { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_changed_database_is_read_again() {
        let path = PathBuf::from("some");
        let changed = [
            (Error::DatabaseChanged { path: path.clone() }, 2),
            (Error::KvFileChanged { path: path.clone() }, 1),
            (Error::TextChanged { path }, 1),
        ];
        for (error, expected) in changed {
            let (mut attempts, mut error) = (0, Some(error));
            let _ = retry_if_changed(|| {
                attempts += 1;
                error.take().map_or(Ok(()), Err)
            });
            assert_eq!(attempts, expected);
        }
    }
}
