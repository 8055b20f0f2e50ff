//! Errors of redb, with the file and what was tried.

use std::path::Path;

use crate::error::Error;

/// Gives an error of redb the file and what was tried.
pub(super) fn engine<E: Into<redb::Error>>(
    action: &'static str,
    path: &Path,
) -> impl Fn(E) -> Error {
    move |source| {
        let path = path.to_owned();
        match source.into() {
            redb::Error::Corrupted(detail) => Error::CorruptKvFile { path, detail },
            redb::Error::PreviousIo => Error::MustReopen { path },
            redb::Error::DatabaseAlreadyOpen => Error::KvFileInUse { path },
            redb::Error::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                let detail = source.to_string();
                Error::CorruptKvFile { path, detail }
            }
            redb::Error::Io(source) => Error::Io { action, path, source },
            redb::Error::UpgradeRequired(version) => Error::OldRedb { path, version },
            source => Error::Redb { action, path, source: Box::new(source) },
        }
    }
}

/// The same, where a table is opened.
pub(super) fn table_error(path: &Path) -> impl Fn(redb::TableError) -> Error + '_ {
    move |error| match error {
        redb::TableError::Storage(error) => engine("read", path)(error),
        other => Error::NotChunkmigrate { path: path.to_owned(), detail: other.to_string() },
    }
}
