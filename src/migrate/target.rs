//! Where a file is to appear, and why it can't.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::{IoContext as _, KindError, Result};
use crate::fsio::FileAccess;
use crate::sqlite::side_files;

/// Symbolic links that are followed before giving up.
const MAX_LINKS: usize = 40;

/// Why a target can't be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Something is there, and it may not be replaced.
    #[error("{} already exists", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// A rejects file of an earlier run is there, and may not be replaced.
    #[error("rejects file {} already exists", path.display())]
    RejectsExist {
        /// The rejects file.
        path: PathBuf,
    },
    /// What is there is not what a copy would write, so it is not replaced.
    #[error("refusing to replace {}: it is {found}", path.display())]
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
    #[error("{} and the source {} are the same file", path.display(), source_path.display())]
    IsSource {
        /// The source.
        source_path: PathBuf,
        /// The target, rejects file or report.
        path: PathBuf,
    },
    /// SQLite would take the target for a part of the source.
    #[error(
        "{} and {} clash: one is a SQLite sidecar file of the other",
        path.display(),
        source_path.display()
    )]
    BesideSource {
        /// The source.
        source_path: PathBuf,
        /// The target.
        path: PathBuf,
    },
    /// A file lies where SQLite looks for a part of the target; with it, old rows could come back.
    #[error("stale sidecar {} next to the target {}", side.display(), path.display())]
    SideFile {
        /// The target.
        path: PathBuf,
        /// The file beside it.
        side: PathBuf,
    },
    /// There is nothing to merge into.
    #[error("cannot merge: {} does not exist", path.display())]
    NothingToMergeInto {
        /// The target.
        path: PathBuf,
    },
    /// Rows of another table refer to what a merge would change of a record, such as its id.
    #[error(
        "{table} in {} references {key} by {}, and the merge would change the referenced values",
        path.display(),
        columns.join(", ")
    )]
    Referenced {
        /// The target.
        path: PathBuf,
        /// The table that refers to the record.
        table: String,
        /// Its columns that do.
        columns: Vec<String>,
        /// The key of the record.
        key: String,
    },
    /// The folder that the target is to be in is not there.
    #[error("directory {} does not exist", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The path names no file.
    #[error("{} is not a file name", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The target is there, but perhaps not after a loss of power.
    #[error("{} was written, but its directory could not be synced", path.display())]
    NotSynced {
        /// The target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The rejects file would be the target.
    #[error("{} cannot be both the target and the rejects file", path.display())]
    RejectsIsTarget {
        /// The path.
        path: PathBuf,
    },
    /// The page would be the file of findings.
    #[error("{} cannot be both --html and --report", path.display())]
    PageIsReport {
        /// The path.
        path: PathBuf,
    },
    /// There is too little room on the disk.
    #[error(
        "not enough space in {}: at least {needed} bytes needed for {what}, {available} available",
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
    pub(super) given: PathBuf,
    /// The real place, without symbolic links.
    pub(super) path: PathBuf,
    pub(super) folder: PathBuf,
    /// Who may do what with the file that is there.
    pub(super) replaced: Option<FileAccess>,
}

impl Destination {
    /// Resolves a path: symbolic links are followed, the folder must be there, what is at the place
    /// already must be a regular file, and neither a source nor what SQLite takes for a part of it.
    pub(crate) fn resolve(given: &Path, sources: &[&Path]) -> Result<Self> {
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
            Err(error) => return Err(error).io_context("resolve the directory", parent),
        };
        let path = folder.join(name);
        let existing = metadata_if_any(&path)?;
        if let Some(metadata) = &existing
            && !metadata.is_file()
        {
            return Err(KindError::not_a_file(given, metadata.file_type()).into());
        }
        let replaced = existing.map(|metadata| FileAccess::of(&path, &metadata));
        let replaced = replaced.transpose().io_context("stat", &path)?;
        let destination = Destination {
            given: given.to_owned(),
            path,
            folder,
            replaced,
        };
        for source in sources {
            destination.ensure_distinct_from(source)?;
        }
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
        self.replaced.is_some()
    }

    /// Whether another one is the same place, or names the file that is there already.
    pub(crate) fn is(&self, other: &Destination) -> Result<bool> {
        Ok(self.path == other.path || self.is_file(&other.path)?)
    }

    /// Whether the file that is there already is also the one of another name.
    fn is_file(&self, other: &Path) -> Result<bool> {
        let identity = |path| {
            let metadata = metadata_if_any(path)?;
            Ok::<_, crate::Error>(metadata.map(|metadata| (metadata.dev(), metadata.ino())))
        };
        let own = identity(&self.path)?;
        Ok(own.is_some() && own == identity(other)?)
    }

    fn ensure_distinct_from(&self, source: &Path) -> Result<()> {
        let real = fs::canonicalize(source).io_context("resolve", source)?;
        let (path, source_path) = (self.given.clone(), source.to_owned());
        if self.is_file(&real)? {
            return Err(TargetError::IsSource { path, source_path }.into());
        }
        if side_files(&real).contains(&self.path) || side_files(&self.path).contains(&real) {
            return Err(TargetError::BesideSource { path, source_path }.into());
        }
        Ok(())
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
            Err(error) => return Err(error).io_context("resolve", given),
        }
    }
    Err(io::Error::from(rustix::io::Errno::LOOP)).io_context("resolve", given)
}

fn metadata_if_any(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).io_context("stat", path),
    }
}
