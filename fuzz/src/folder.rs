use std::path::Path;

use tempfile::TempDir;

/// A private directory, in memory if the system has such a directory: a sync costs nothing there.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = TempDir::new_in(memory).ok();
    in_memory.unwrap_or_else(|| TempDir::new().unwrap())
}
