//! Creates an empty KV file atomically.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase as _};
use tempfile::NamedTempFile;

use super::error::engine;
use super::format::{base_documents, write_documents};
use crate::error::{IoContext as _, Result};
use crate::fsio::{FileAccess, rename_to_free_name};
use crate::record::IdSequences;

/// Creates an empty KV file if the file is missing or has no bytes.
pub(super) fn make_if_missing(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
            let path = fs::canonicalize(path).io_context("resolve", path)?;
            let access = FileAccess::of(&path, &metadata).io_context("stat", &path)?;
            let temporary = create_temporary(&path, metadata.permissions())?;
            access.give(temporary.path()).io_context("set the permissions of", &path)?;
            let persisted = temporary.persist(&path).map_err(|error| error.error);
            publish(persisted.map(|_| ()), &path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let temporary = create_temporary(path, fs::Permissions::from_mode(0o666))?;
            match rename_to_free_name(temporary.path(), path) {
                // Another process created it first.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                renamed => publish(renamed, path),
            }
        }
        _ => Ok(()),
    }
}

/// Whether a database is empty and has no tables.
pub(super) fn is_new(database: &Database, path: &Path) -> Result<bool> {
    let transaction = database.begin_read().map_err(engine("read", path))?;
    let mut tables = transaction.list_tables().map_err(engine("read", path))?;
    Ok(tables.next().is_none())
}

/// Writes the content of an empty KV file.
pub(super) fn initialize(database: &Database, path: &Path) -> Result<()> {
    let documents = base_documents(&IdSequences::default(), None)?;
    let transaction = database.begin_write().map_err(engine("create", path))?;
    write_documents(&transaction, &documents, path)?;
    transaction.commit().map_err(engine("create", path))
}

/// Creates an empty KV file in the directory of `path` under a temporary name.
fn create_temporary(path: &Path, permissions: fs::Permissions) -> Result<NamedTempFile> {
    let temporary = tempfile::Builder::new()
        .prefix(".chunkmigrate-")
        .permissions(permissions)
        .tempfile_in(folder_of(path))
        .io_context("create", path)?;
    let file = temporary.reopen().io_context("create", path)?;
    let backend = FileBackend::new(file).map_err(engine("create", path))?;
    let database = Database::builder().create_with_backend(backend);
    let database = database.map_err(engine("create", path))?;
    initialize(&database, path)?;
    database.close().map_err(engine("create", path))?;
    temporary.as_file().sync_all().io_context("sync", path)?;
    Ok(temporary)
}

/// Syncs the directory, so that the new name of the file persists.
fn publish(renamed: io::Result<()>, path: &Path) -> Result<()> {
    renamed.io_context("create", path)?;
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).io_context("sync", folder)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
