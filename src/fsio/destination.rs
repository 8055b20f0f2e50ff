//! Where a file is to appear, and why it can't.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::FileAccess;
use super::sidecars::sidecar_paths;
use crate::error::{Error, IoContext as _, Result};

/// Symbolic links that are followed before giving up.
const MAX_LINKS: usize = 40;

/// Where a file is to appear.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// As it was given; this is what messages name.
    pub(crate) given: PathBuf,
    /// The real place, without symbolic links.
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
    /// Who may do what with the file that is there.
    pub(crate) replaced: Option<FileAccess>,
}

impl Destination {
    /// Resolves a path: symbolic links are followed, the folder must be there, what is at the place
    /// already must be a regular file, and neither a source nor what SQLite takes for a part of it.
    pub(crate) fn resolve(given: &Path, sources: &[&Path]) -> Result<Self> {
        let no_name = || Error::NotAFileName { path: given.to_owned() };
        if given.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(no_name());
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
                return Err(Error::ParentMissing { path: parent.to_owned() });
            }
            Err(error) => return Err(error).io_context("resolve the directory", parent),
        };
        let path = folder.join(name);
        let existing = metadata_if_any(&path)?;
        if let Some(metadata) = &existing
            && !metadata.is_file()
        {
            return Err(Error::not_a_file(given, metadata.file_type()));
        }
        let replaced = existing.map(|metadata| FileAccess::of(&path, &metadata));
        let replaced = replaced.transpose().io_context("stat", &path)?;
        let destination = Destination { given: given.to_owned(), path, folder, replaced };
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
            return Err(Error::TargetIsSource { path, source_path });
        }
        if sidecar_paths(&real).contains(&self.path) || sidecar_paths(&self.path).contains(&real) {
            return Err(Error::SidecarOfSource { path, source_path });
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
