//! A file that appears whole or not at all.
//!
//! It is built in a private folder beside its place, so that nobody sees it before it is finished,
//! brought to disk, and renamed. Where no file may be replaced, the rename is one that refuses to
//! overwrite.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, CWD, RenameFlags, access, renameat_with};
use tempfile::TempDir;

use super::target::{Destination, TargetError};
use crate::error::{IoContext as _, Result};

/// What private folders are called before their random part.
const PRIVATE_PREFIX: &str = ".chunkmigrate-";
/// What fails where no file can be built.
const CREATE_PRIVATE: &str = "create a private folder in";
/// The file in a private folder that a running process holds a lock on.
const LOCK_FILE: &str = ".chunkmigrate-lock";
/// A second name, in the private folder, of the file that is replaced.
const REPLACED_FILE: &str = ".chunkmigrate-replaced";
/// A second name, in the private folder, of a file that is published before the work is done.
const PUBLISHED_FILE: &str = ".chunkmigrate-published";

/// A file that is being built out of sight. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    destination: Destination,
    _lock: File,
    private: TempDir,
}

impl Staged {
    /// Fails where [`create`](Staged::create) would, as far as permissions tell, and makes nothing.
    pub(crate) fn check(destination: &Destination) -> Result<()> {
        let folder = &destination.folder;
        access(folder, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(io::Error::from)
            .io_context(CREATE_PRIVATE, folder)
    }

    /// Makes the private folder in which the file is built.
    pub(crate) fn create(destination: &Destination) -> Result<Self> {
        let folder = &destination.folder;
        let private = tempfile::Builder::new()
            .prefix(PRIVATE_PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(folder)
            .io_context(CREATE_PRIVATE, folder)?;
        // Once more, as the umask may have taken away what it takes to use and to remove it.
        fs::set_permissions(private.path(), Permissions::from_mode(0o700))
            .io_context("set the mode of", private.path())?;
        let lock_path = private.path().join(LOCK_FILE);
        let lock = File::create_new(&lock_path).io_context("create", &lock_path)?;
        // Tells other runs that this one lives; where it can't be had, they say what they see.
        let _ = lock.try_lock();
        let name = destination.path.file_name();
        Ok(Staged {
            path: private.path().join(name.unwrap_or(OsStr::new("target"))),
            destination: destination.clone(),
            private,
            _lock: lock,
        })
    }

    /// Where the file is to be built.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Does all that can fail before the finished file, whose content is on disk already, goes to
    /// its place. What is at the place now is looked at by `check` once more.
    pub(crate) fn prepare(
        self,
        check: impl FnOnce(&Destination) -> Result<()>,
    ) -> Result<Prepared> {
        let Destination {
            given,
            path: place,
            folder,
            replaced_mode,
        } = &self.destination;
        let folder = File::open(folder).io_context("open the folder", folder)?;
        let mut kept = None;
        if let Some(mode) = replaced_mode {
            fs::set_permissions(&self.path, Permissions::from_mode(*mode))
                .io_context("set the mode of", given)?;
        }
        check(&self.destination)?;
        if replaced_mode.is_some() {
            // Without hard links the old file can't be brought back, and needn't be: what could
            // fail behind this is another file's rename.
            let old = self.private.path().join(REPLACED_FILE);
            kept = fs::hard_link(place, &old).ok().map(|()| old);
        }
        Ok(Prepared {
            staged: self,
            folder,
            kept,
        })
    }
}

/// A finished file that one rename brings to its place.
#[derive(Debug)]
pub(crate) struct Prepared {
    staged: Staged,
    folder: File,
    kept: Option<PathBuf>,
}

impl Prepared {
    /// Keeps a second name of the file until the work is done, by which [`is_of_killed_run`] knows
    /// it if the work is never done.
    pub(crate) fn mark_as_early(&self) {
        let second = self.staged.private.path().join(PUBLISHED_FILE);
        // Without hard links the file is one that nobody knows the origin of, and is not replaced.
        let _ = fs::hard_link(&self.staged.path, second);
    }

    /// Brings the file to its place, where it is whole; [`Published::sync`] makes it stay.
    pub(crate) fn publish(self) -> Result<Published> {
        let Destination {
            given,
            path: place,
            replaced_mode,
            ..
        } = &self.staged.destination;
        match replaced_mode {
            Some(_) => fs::rename(&self.staged.path, place).io_context("replace", given)?,
            None => rename_to_free_name(&self.staged.path, place).map_err(|error| {
                let path = given.clone();
                match error.kind() {
                    ErrorKind::AlreadyExists => TargetError::Exists { path }.into(),
                    _ => crate::Error::Io {
                        action: "create",
                        path,
                        source: error,
                    },
                }
            })?,
        }
        Ok(Published(self))
    }
}

/// A file at its place.
#[derive(Debug)]
pub(crate) struct Published(Prepared);

impl Published {
    /// Brings the folder to disk, without which a loss of power may take the file's name away again.
    pub(crate) fn sync(&self) -> Result<()> {
        self.sync_folder().map_err(|source| {
            let path = self.given().to_owned();
            TargetError::NotSynced { path, source }.into()
        })
    }

    /// As [`sync`](Published::sync), and takes the file away again if that fails.
    pub(crate) fn sync_or_undo(self) -> Result<Self> {
        match self.sync_folder() {
            Ok(()) => Ok(self),
            Err(error) => {
                let given = self.given().to_owned();
                self.undo();
                Err(error).io_context("bring to disk the folder of", &given)
            }
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        match self.0.folder.sync_all() {
            // Not every file system can sync a folder.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    fn given(&self) -> &Path {
        &self.0.staged.destination.given
    }

    /// Takes the file away again and brings back what it replaced.
    pub(crate) fn undo(self) {
        let place = self.0.staged.destination.path.as_path();
        // This follows a failure that is told; a second one would hide it.
        let _ = match &self.0.kept {
            Some(old) => fs::rename(old, place),
            None => fs::remove_file(place),
        };
    }
}

/// Renames, and fails if there is a file of that name.
fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // Not every file system can; a hard link refuses to overwrite as well.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the file at a place was published by a run that was killed before its work was done.
pub(crate) fn is_of_killed_run(destination: &Destination) -> Result<bool> {
    let path = destination.path();
    let found = fs::metadata(path).io_context("look at", path)?;
    let left = left_behind(destination.folder())?;
    Ok(left.iter().any(|private| {
        let second = fs::symlink_metadata(private.join(PUBLISHED_FILE));
        second.is_ok_and(|second| (second.dev(), second.ino()) == (found.dev(), found.ino()))
    }))
}

/// Private folders of runs that were killed, in a folder.
pub(crate) fn left_behind(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A folder may be writable and not readable.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
        Err(error) => return Err(error).io_context("read", folder),
    };
    let mut left: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            name.is_some_and(|name| name.starts_with(PRIVATE_PREFIX)) && !may_be_in_use(path)
        })
        .collect();
    left.sort();
    Ok(left)
}

/// Whether a private folder may belong to a running process: it holds the lock, or we may not look.
fn may_be_in_use(private: &Path) -> bool {
    let path = private.join(LOCK_FILE);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => match File::open(&path) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => true,
        },
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
