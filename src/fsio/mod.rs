//! Files, whatever is in them: folders that nobody else looks into, names that are still free, and who
//! may read a file.

mod file_access;
mod private_folder;
mod rename;

use std::env;
use std::path::PathBuf;

pub(crate) use file_access::FileAccess;
pub(crate) use private_folder::{PrivateFolder, leftover_folders, remove_all_private_folders};
pub(crate) use rename::rename_to_free_name;

/// Where temporary files go if nothing else is said. An empty `TMPDIR` counts as none, as it does for
/// `mktemp` and SQLite.
pub(crate) fn temp_dir() -> PathBuf {
    match env::var_os("TMPDIR") {
        Some(dir) if dir.is_empty() => PathBuf::from("/tmp"),
        _ => env::temp_dir(),
    }
}
