//! Directories in which a sync costs nothing.

use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;

/// A directory in memory, if the system has such a directory with enough space. The largest tests
/// need a few hundred MiB each.
pub fn in_memory() -> Option<&'static Path> {
    const ROOM: u64 = 4 << 30;
    static FOLDER: OnceLock<Option<&Path>> = OnceLock::new();
    *FOLDER.get_or_init(|| {
        let folder = Path::new("/dev/shm");
        let system = rustix::fs::statvfs(folder).ok()?;
        (system.f_bavail.saturating_mul(system.f_frsize) >= ROOM).then_some(folder)
    })
}

/// A private directory, in memory if possible.
pub fn private() -> TempDir {
    let in_memory = in_memory().and_then(|folder| TempDir::new_in(folder).ok());
    in_memory.unwrap_or_else(|| TempDir::new().unwrap())
}
