//! A target that appears whole or not at all.
//!
//! It is built in a private folder beside its place, so that nobody sees it before it is finished,
//! brought to disk, and renamed. Without `replace` the rename is one that refuses to overwrite.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;
use thiserror::Error;

use crate::error::{IoContext as _, KindError, Result};

/// What private folders are called before their random part.
const PRIVATE_PREFIX: &str = ".chunkmigrate-";
/// The file in a private folder that a running process holds a lock on.
const LOCK_FILE: &str = "lock";
/// Symbolic links that are followed before giving up.
const MAX_LINKS: usize = 40;

/// Why a target can't be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Something is there, and it may not be replaced.
    #[error("{} exists", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// What is there is not what a copy would write, so it is not replaced.
    #[error("{} is {found}, which this command does not replace", path.display())]
    NotReplaceable {
        /// The target.
        path: PathBuf,
        /// What it is, with its article.
        found: String,
    },
    /// Another process has the target open.
    #[error("{} is open in another process", path.display())]
    Locked {
        /// The target.
        path: PathBuf,
    },
    /// What would be written is the source.
    #[error("{} is the source {} itself", path.display(), source_path.display())]
    IsSource {
        /// The source.
        source_path: PathBuf,
        /// The target or rejects file.
        path: PathBuf,
    },
    /// SQLite would take the target for a part of the source.
    #[error("{} is where SQLite looks for a part of {}", path.display(), source_path.display())]
    BesideSource {
        /// The source.
        source_path: PathBuf,
        /// The target.
        path: PathBuf,
    },
    /// The folder that the target is to be in is not there.
    #[error("there is no folder {}", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The path names no file.
    #[error("{} names no file", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The target is there, but perhaps not after a loss of power.
    #[error("{} was published, but its folder can't be brought to disk", path.display())]
    NotSynced {
        /// The target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The rejects file would be the target.
    #[error("{} can't be both the target and the rejects file", path.display())]
    RejectsIsTarget {
        /// The path.
        path: PathBuf,
    },
    /// There is too little room on the disk.
    #[error(
        "too little room in {}: {what} take at least {needed} bytes, {available} are free",
        path.display()
    )]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// What would be written there.
        what: &'static str,
        /// Bytes that are needed at least.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
}

/// Where a file is to appear.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// As it was given; this is what messages name.
    given: PathBuf,
    /// The real place, without symbolic links.
    path: PathBuf,
    folder: PathBuf,
    replaced_mode: Option<u32>,
}

impl Destination {
    /// Resolves a path: symbolic links are followed, the folder must be there, what is at the place
    /// already must be a regular file, and neither the source nor what SQLite takes for a part of it.
    pub(crate) fn resolve(given: &Path, source: &Path) -> Result<Self> {
        let no_name = || TargetError::NoName {
            path: given.to_owned(),
        };
        if given.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(no_name().into());
        }
        let path = follow_links(given)?;
        let name = path.file_name().ok_or_else(no_name)?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = match fs::canonicalize(parent) {
            Ok(folder) => folder,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(TargetError::NoFolder {
                    path: parent.to_owned(),
                }
                .into());
            }
            Err(error) => return Err(error).io_context("find the folder", parent),
        };
        let path = folder.join(name);
        let existing = metadata_if_any(&path)?;
        if let Some(metadata) = &existing
            && !metadata.is_file()
        {
            return Err(KindError::not_a_file(given, metadata.file_type()).into());
        }
        let destination = Destination {
            given: given.to_owned(),
            path,
            folder,
            replaced_mode: existing.map(|metadata| metadata.mode() & 0o7777),
        };
        destination.keep_clear_of(source)?;
        Ok(destination)
    }

    /// The path as it was given.
    pub(crate) fn given(&self) -> &Path {
        &self.given
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn exists(&self) -> bool {
        self.replaced_mode.is_some()
    }

    fn keep_clear_of(&self, source: &Path) -> Result<()> {
        let real = fs::canonicalize(source).io_context("find", source)?;
        let same_file = match metadata_if_any(&self.path)? {
            Some(target) => {
                let source = fs::metadata(&real).io_context("look at", source)?;
                (source.dev(), source.ino()) == (target.dev(), target.ino())
            }
            None => false,
        };
        let (path, source_path) = (self.given.clone(), source.to_owned());
        if same_file {
            return Err(TargetError::IsSource { path, source_path }.into());
        }
        if crate::sqlite::side_files(&real).contains(&self.path) {
            return Err(TargetError::BesideSource { path, source_path }.into());
        }
        Ok(())
    }

    /// Makes the private folder in which the file is built.
    pub(crate) fn stage(&self) -> Result<Staged> {
        let private = tempfile::Builder::new()
            .prefix(PRIVATE_PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&self.folder)
            .io_context("create a private folder in", &self.folder)?;
        let lock_path = private.path().join(LOCK_FILE);
        let lock = File::create_new(&lock_path).io_context("create", &lock_path)?;
        // Tells other runs that this one lives; where it can't be had, they say what they see.
        let _ = lock.try_lock();
        let name = self.path.file_name().unwrap_or(OsStr::new("target"));
        Ok(Staged {
            path: private.path().join(name),
            destination: self.clone(),
            private,
            _lock: lock,
        })
    }

    /// Private folders of runs that were killed, in the folder of this destination.
    pub(crate) fn left_behind(&self) -> Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            // A folder may be writable and not readable.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
            Err(error) => return Err(error).io_context("read", &self.folder),
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
}

/// A file that is being built out of sight. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    destination: Destination,
    _lock: File,
    private: TempDir,
}

impl Staged {
    /// Where the file is to be built.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Does all that can fail before the finished file, whose content is on disk already, goes to
    /// its place. What is at the place now is checked by `may_replace` once more.
    pub(crate) fn prepare(self, may_replace: impl FnOnce(&Path) -> Result<()>) -> Result<Prepared> {
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
            may_replace(given)?;
            // Without hard links the old file can't be brought back, and needn't be: what could
            // fail behind this is another file's rename.
            let old = self.private.path().join("replaced");
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
    /// Brings the file to its place.
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
        match self.folder.sync_all() {
            // Not every file system can sync a folder.
            Err(error) if error.kind() != ErrorKind::InvalidInput => Err(TargetError::NotSynced {
                path: given.clone(),
                source: error,
            }
            .into()),
            _ => Ok(Published(self)),
        }
    }
}

/// A file at its place.
#[derive(Debug)]
pub(crate) struct Published(Prepared);

impl Published {
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

fn follow_links(given: &Path) -> Result<PathBuf> {
    let mut path = given.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(link) => {
                path = match path.parent() {
                    Some(parent) => parent.join(link),
                    None => link,
                };
            }
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(path);
            }
            Err(error) => return Err(error).io_context("follow", given),
        }
    }
    Err(io::Error::from(rustix::io::Errno::LOOP)).io_context("follow", given)
}

fn metadata_if_any(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).io_context("look at", path),
    }
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
