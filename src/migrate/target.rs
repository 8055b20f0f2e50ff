//! A target that appears whole or not at all.
//!
//! It is built in a private folder beside its place, so that nobody sees it before it is finished,
//! brought to disk, and renamed. Without `replace` the rename is one that refuses to overwrite.

use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;
use thiserror::Error;

use crate::error::{IoContext as _, Result};

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
    /// Source and target are one file.
    #[error("source and target are the same file: {} and {}", source_path.display(), path.display())]
    SameFile {
        /// The source.
        source_path: PathBuf,
        /// The target.
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
    /// Resolves a path: symbolic links are followed, the folder must be there, and what is at the
    /// place already must be a regular file and replaceable.
    pub(crate) fn resolve(given: &Path, replace: bool) -> Result<Self> {
        let path = follow_links(given)?;
        let name = path.file_name().ok_or_else(|| TargetError::NoName {
            path: given.to_owned(),
        })?;
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
        if let Some(metadata) = &existing {
            if !metadata.is_file() {
                // Says what it is.
                crate::store::detect(given)?;
            }
            if !replace {
                return Err(TargetError::Exists {
                    path: given.to_owned(),
                }
                .into());
            }
        }
        Ok(Destination {
            given: given.to_owned(),
            path,
            folder,
            replaced_mode: existing.map(|metadata| metadata.mode() & 0o7777),
        })
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

    /// Refuses a place that is the source, or that SQLite takes for a part of it.
    pub(crate) fn keep_clear_of(&self, source: &Path) -> Result<()> {
        let real = fs::canonicalize(source).io_context("find", source)?;
        let same_file = match metadata_if_any(&self.path)? {
            Some(target) => {
                let source = fs::metadata(&real).io_context("look at", source)?;
                (source.dev(), source.ino()) == (target.dev(), target.ino())
            }
            None => false,
        };
        if same_file || self.path == real {
            return Err(TargetError::SameFile {
                source_path: source.to_owned(),
                path: self.given.clone(),
            }
            .into());
        }
        if crate::sqlite::side_files(&real).contains(&self.path) {
            return Err(TargetError::BesideSource {
                source_path: source.to_owned(),
                path: self.given.clone(),
            }
            .into());
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
        lock.lock().io_context("lock", &lock_path)?;
        Ok(Staged {
            path: private.path().join("target"),
            destination: self.clone(),
            _private: private,
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
                name.is_some_and(|name| name.starts_with(PRIVATE_PREFIX)) && !is_in_use(path)
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
    _private: TempDir,
}

impl Staged {
    /// Where the file is to be built.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Brings the finished file, whose content is on disk already, to its place.
    ///
    /// `check` is asked right before, whether what is there may still be replaced.
    pub(crate) fn publish(self, check: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let place = self.destination.path.as_path();
        let given = self.destination.given.as_path();
        match self.destination.replaced_mode {
            Some(mode) => {
                fs::set_permissions(&self.path, Permissions::from_mode(mode))
                    .io_context("set the mode of", given)?;
                check(given)?;
                fs::rename(&self.path, place).io_context("replace", given)?;
            }
            None => rename_to_free_name(&self.path, place).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => TargetError::Exists {
                    path: given.to_owned(),
                }
                .into(),
                _ => crate::Error::Io {
                    action: "create",
                    path: given.to_owned(),
                    source: error,
                },
            })?,
        }
        let folder = &self.destination.folder;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .io_context("sync", folder)
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

/// Whether a running process holds the lock of a private folder.
fn is_in_use(private: &Path) -> bool {
    let lock = File::open(private.join(LOCK_FILE));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}
