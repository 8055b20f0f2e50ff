//! Checks free disk space before the work starts.

use std::env;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::StoreKind;
use crate::error::{Error, Result};

/// Fails if the directory's file system has less space than the minimum for `stores` with
/// `expected` bytes of keys and values.
pub(crate) fn check_target(folder: &Path, stores: &[StoreKind], expected: u64) -> Result<()> {
    let needed = stores.iter().map(|store| match store {
        // Rows contain no field names, and each path only once.
        StoreKind::Sqlite => expected / 3,
        _ => expected,
    });
    check(folder, "the records", needed.fold(0, u64::saturating_add))
}

/// Fails if there is less disk space than sorting needs at least.
pub(crate) fn check_sorting(temp_dir: Option<&Path>, needed: u64) -> Result<()> {
    check_temporary(temp_dir, "sorting the keys", needed)
}

fn check_temporary(temp_dir: Option<&Path>, what: &'static str, needed: u64) -> Result<()> {
    let folder = temp_dir.map(Path::to_owned).or_else(default_temp_dir);
    match folder {
        Some(folder) if needed > 0 => check(&folder, what, needed),
        _ => Ok(()),
    }
}

/// Fails if there is less disk space than an import of `needed` bytes of lines uses.
pub(crate) fn check_lines(temp_dir: Option<&Path>, needed: u64) -> Result<()> {
    check_temporary(temp_dir, "the lines to import", needed)
}

/// Fails if a directory has less disk space than a copy of `needed` bytes uses.
pub(crate) fn check_copy(folder: &Path, needed: u64) -> Result<()> {
    check(folder, "a copy of the target for a dry run", needed)
}

fn check(folder: &Path, what: &'static str, needed: u64) -> Result<()> {
    let stat = statvfs(folder).map_err(|error| Error::Io {
        action: "determine the free space of",
        path: folder.to_owned(),
        source: error.into(),
    })?;
    if stat.f_blocks == 0 {
        // Some file systems report no size, for example /proc.
        return Ok(());
    }
    let available = stat.f_bavail.saturating_mul(stat.f_frsize);
    if available < needed {
        return Err(Error::NotEnoughSpace { path: folder.to_owned(), what, needed, available });
    }
    Ok(())
}

/// SQLite's default directory for temporary files.
fn default_temp_dir() -> Option<PathBuf> {
    let from_environment = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(env::var_os);
    let fixed = ["/var/tmp", "/usr/tmp", "/tmp", "."].map(Into::into);
    let mut folders = from_environment.chain(fixed).map(PathBuf::from);
    // An empty path means the current directory to the system, and unset to SQLite.
    folders.find(|folder| !folder.as_os_str().is_empty() && folder.is_dir())
}
