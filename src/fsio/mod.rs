//! File operations independent of content: private directories, unique names and access rights.

#[cfg(feature = "native-v2")]
mod destination;
mod detect;
#[cfg(feature = "native-v2")]
mod file_access;
#[cfg(feature = "native-v2")]
pub(crate) mod free_space;
#[cfg(feature = "native-v2")]
mod output_file;
#[cfg(feature = "native-v2")]
mod private_folder;
#[cfg(feature = "native-v2")]
mod rename;
pub(crate) mod sidecars;
#[cfg(feature = "native-v2")]
mod staged;
mod store_path;

#[cfg(feature = "native-v2")]
use std::env;
#[cfg(feature = "native-v2")]
use std::path::PathBuf;

#[cfg(feature = "native-v2")]
pub(crate) use destination::Destination;
pub use detect::{StoreKind, detect};
#[cfg(feature = "native-v2")]
pub(crate) use file_access::FileAccess;
#[cfg(feature = "native-v2")]
pub(crate) use output_file::{OutputFile, OutputKind};
#[cfg(feature = "native-v2")]
pub use private_folder::remove_all_private_folders;
#[cfg(feature = "native-v2")]
pub(crate) use private_folder::{PrivateFolder, leftover_folders};
#[cfg(feature = "native-v2")]
pub(crate) use rename::rename_to_free_name;
pub(crate) use sidecars::sidecar_paths;
#[cfg(feature = "native-v2")]
pub(crate) use staged::{Published, Staged, leftover_dirs, private_folder};
pub(crate) use store_path::{IfMissing, check_store_path};

/// The default directory for temporary files. An empty `TMPDIR` counts as unset, as for `mktemp`
/// and SQLite.
#[cfg(feature = "native-v2")]
pub(crate) fn temp_dir() -> PathBuf {
    match env::var_os("TMPDIR") {
        Some(dir) if dir.is_empty() => PathBuf::from("/tmp"),
        _ => env::temp_dir(),
    }
}
