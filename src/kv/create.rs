//! An empty KV file appears whole or not at all.

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

/// Makes an empty KV file if there is no file of that name, or one without a byte.
pub(super) fn make_if_missing(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
            let path = fs::canonicalize(path).io_context("resolve", path)?;
            let access = FileAccess::of(&path, &metadata).io_context("stat", &path)?;
            let made = make_beside(&path, metadata.permissions())?;
            access
                .give(made.path())
                .io_context("set the permissions of", &path)?;
            let persisted = made.persist(&path).map_err(|error| error.error);
            publish(persisted.map(|_| ()), &path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let made = make_beside(path, fs::Permissions::from_mode(0o666))?;
            match rename_to_free_name(made.path(), path) {
                // Somebody else was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                renamed => publish(renamed, path),
            }
        }
        _ => Ok(()),
    }
}

/// Whether a database has nothing in it, not even tables.
pub(super) fn is_new(database: &Database, path: &Path) -> Result<bool> {
    let transaction = database.begin_read().map_err(engine("read", path))?;
    let mut tables = transaction.list_tables().map_err(engine("read", path))?;
    Ok(tables.next().is_none())
}

/// Writes what an empty KV file has.
pub(super) fn initialize(database: &Database, path: &Path) -> Result<()> {
    let documents = base_documents(&IdSequences::default())?;
    let transaction = database.begin_write().map_err(engine("create", path))?;
    write_documents(&transaction, &documents, path)?;
    transaction.commit().map_err(engine("create", path))
}

/// Makes an empty KV file in the folder of its place, under another name.
fn make_beside(path: &Path, permissions: fs::Permissions) -> Result<NamedTempFile> {
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

/// Makes sure that a file keeps the name that it was given.
fn publish(renamed: io::Result<()>, path: &Path) -> Result<()> {
    renamed.io_context("create", path)?;
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .io_context("sync", folder)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
