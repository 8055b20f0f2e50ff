//! A file that is published atomically.
//!
//! It is built in a private directory next to its destination, so that nobody sees it before it is
//! finished, synced to disk, and renamed. If no file may be replaced, the rename fails if the
//! destination exists.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::destination::Destination;
use super::{PrivateFolder, leftover_folders, rename_to_free_name, temp_dir};
use crate::error::{Error, IoContext as _, Result};

/// A second name, in the private directory, for the file that is replaced.
const REPLACED_FILE: &str = ".chunkmigrate-replaced";
/// A second name, in the private directory, for a file that is published before the work is done.
const PUBLISHED_FILE: &str = ".chunkmigrate-published";

/// A file being built in a private directory. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    destination: Destination,
    private: PrivateFolder,
}

impl Staged {
    /// Fails if [`create`](Staged::create) would, as far as permissions show. Creates nothing.
    pub(crate) fn check(destination: &Destination) -> Result<()> {
        let folder = &destination.folder;
        access(folder, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| no_staging_dir(folder, error.into()))
    }

    /// Creates the private directory in which the file is built.
    pub(crate) fn create(destination: &Destination) -> Result<Self> {
        let folder = &destination.folder;
        let name = destination.path.file_name().unwrap_or(OsStr::new("t"));
        let private = PrivateFolder::beside(folder, name);
        let private = private.map_err(|error| no_staging_dir(folder, error))?;
        log::info!("{}: built as {}", destination.given.display(), private.file().display());
        Ok(Staged { private, destination: destination.clone() })
    }

    /// The path at which to build the file.
    pub(crate) fn path(&self) -> &Path {
        self.private.file()
    }

    /// Does everything that can fail before the finished file, whose content is already synced, is
    /// moved to its destination. `check` inspects the destination once more.
    pub(crate) fn prepare(
        self,
        check: impl FnOnce(&Destination) -> Result<()>,
    ) -> Result<Prepared> {
        let Destination { given, path: place, folder, replaced } = &self.destination;
        let folder = File::open(folder).io_context("open the directory", folder)?;
        let (mut kept, mut lost_access) = (None, Vec::new());
        if let Some(access) = replaced {
            let given_access = access.give(self.path());
            lost_access = given_access.io_context("set the permissions of", given)?;
        }
        check(&self.destination)?;
        if replaced.is_some() {
            // Without hard links the old file can't be restored, but doesn't need to be: the only
            // step that could fail later is the rename of another file.
            let old = self.private.path().join(REPLACED_FILE);
            kept = fs::hard_link(place, &old).ok().map(|()| old);
        }
        Ok(Prepared { staged: self, folder, kept, lost_access })
    }
}

/// A finished file that a single rename publishes.
#[derive(Debug)]
pub(crate) struct Prepared {
    staged: Staged,
    folder: File,
    kept: Option<PathBuf>,
    /// Access rights of the replaced file that could not be applied to it.
    pub(crate) lost_access: Vec<&'static str>,
}

impl Prepared {
    /// Gives the file a second name until the work is done, by which [`is_from_killed_run`]
    /// recognizes it if the work is never completed.
    pub(crate) fn mark_provisional(&self) {
        let second = self.staged.private.path().join(PUBLISHED_FILE);
        // Without hard links the file has no known origin later, and is not replaced.
        let _ = fs::hard_link(self.staged.path(), second);
    }

    /// Moves the file to its destination. [`Published::sync`] makes that durable.
    pub(crate) fn publish(self) -> Result<Published> {
        let Destination { given, path: place, replaced, .. } = &self.staged.destination;
        match replaced {
            Some(_) => fs::rename(self.staged.path(), place).io_context("replace", given)?,
            None => rename_to_free_name(self.staged.path(), place).map_err(|error| {
                let path = given.clone();
                match error.kind() {
                    ErrorKind::AlreadyExists => Error::TargetExists { path },
                    _ => crate::Error::Io { action: "create", path, source: error },
                }
            })?,
        }
        log::info!("{}: complete, renamed into place", given.display());
        Ok(Published(self))
    }
}

/// A published file.
#[derive(Debug)]
pub(crate) struct Published(Prepared);

impl Published {
    /// Syncs the directory; without it, a power failure may undo the rename.
    pub(crate) fn sync(&self) -> Result<()> {
        self.sync_folder().map_err(|source| {
            let path = self.given().to_owned();
            Error::DirectorySyncFailed { path, source }
        })
    }

    /// As [`sync`](Published::sync), but removes the file again if that fails.
    pub(crate) fn sync_or_undo(self) -> Result<Self> {
        match self.sync_folder() {
            Ok(()) => Ok(self),
            Err(error) => {
                let given = self.given().to_owned();
                self.undo();
                Err(error).io_context("sync the directory of", &given)
            }
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        match self.0.folder.sync_all() {
            // Some file systems can't sync a directory.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    fn given(&self) -> &Path {
        &self.0.staged.destination.given
    }

    /// Removes the file and restores the one it replaced.
    pub(crate) fn undo(self) {
        let place = self.0.staged.destination.path.as_path();
        // Follows a failure that is reported; a second error would hide it.
        let _ = match &self.0.kept {
            Some(old) => fs::rename(old, place),
            None => fs::remove_file(place),
        };
    }
}

/// Whether the file at a destination was published by a run that was killed before it was done.
pub(crate) fn is_from_killed_run(destination: &Destination) -> Result<bool> {
    let path = destination.path();
    let found = fs::metadata(path).io_context("stat", path)?;
    let left = leftover_dirs(destination.folder())?;
    Ok(left.iter().any(|private| {
        let second = fs::symlink_metadata(private.join(PUBLISHED_FILE));
        second.is_ok_and(|second| (second.dev(), second.ino()) == (found.dev(), found.ino()))
    }))
}

fn no_staging_dir(folder: &Path, source: io::Error) -> Error {
    Error::CreateStagingDir { path: folder.to_owned(), source }
}

/// Private directories of killed runs in a directory.
pub(crate) fn leftover_dirs(folder: &Path) -> Result<Vec<PathBuf>> {
    leftover_folders(folder).io_context("read", folder)
}

/// Creates a private directory for temporary files.
pub(crate) fn private_folder(temp_dir_given: Option<&Path>) -> Result<PrivateFolder> {
    let parent = temp_dir_given.map_or_else(temp_dir, Path::to_owned);
    let private = PrivateFolder::temporary(&parent);
    private.map_err(|source| Error::CreateTempDir { path: parent, source })
}
