//! Private directories for files that are not published yet.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Prefix of the names of private directories, before the random part.
const PREFIX: &str = ".chunkmigrate-";
/// Prefix for paths that would otherwise be too long for SQLite: a private directory with a
/// one-letter file in it has the same length as a four-letter file name.
const SHORT_PREFIX: &str = ".";
const SHORT_RANDOM: usize = 1;
/// The file in a private directory on which a running process holds a lock.
const LOCK_FILE: &str = ".chunkmigrate-lock";
/// Maximum length of a path that SQLite can open, given the sidecar files next to a database.
const LONGEST_SQLITE_PATH: usize = 512 - "-journal".len();

/// The private directories of this process.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A directory with mode 0700. Dropping it removes it with its contents.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    path: PathBuf,
    /// Name of the single file that it is created for.
    file: PathBuf,
    lock: Option<File>,
}

impl PrivateFolder {
    /// Creates one for temporary files.
    pub(crate) fn temporary(parent: &Path) -> io::Result<Self> {
        Self::create("chunkmigrate-", 6, parent, OsStr::new("file"))
    }

    /// Creates one next to the destination of a file, to build the file in. SQLite can open the
    /// file there if it can open it at its destination, unless the destination's name is shorter
    /// than four bytes.
    pub(crate) fn beside(parent: &Path, name: &OsStr) -> io::Result<Self> {
        let longest = parent.as_os_str().len() + name.len() + PREFIX.len() + "/123456/".len();
        let mut folder = match longest <= LONGEST_SQLITE_PATH {
            true => Self::create(PREFIX, 6, parent, name)?,
            false => Self::create(SHORT_PREFIX, SHORT_RANDOM, parent, OsStr::new("t"))?,
        };
        let lock = File::create_new(folder.path.join(LOCK_FILE))?;
        // Shows other runs that this one is alive. Without lock support they report the directory
        // as they see it.
        let _ = lock.try_lock();
        folder.lock = Some(lock);
        Ok(folder)
    }

    fn create(prefix: &str, random: usize, parent: &Path, name: &OsStr) -> io::Result<Self> {
        let created = tempfile::Builder::new()
            .prefix(prefix)
            .rand_bytes(random)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        // From here on, `Drop` removes it.
        let path = created.keep();
        with_folders(|folders| folders.push(path.clone()));
        let folder = PrivateFolder { file: path.join(name), path, lock: None };
        // The umask may have removed permissions needed to use and remove it. Nothing else is
        // changed: in a parent with the setgid bit the directory has that bit too, so that new
        // files get the group.
        let mode = fs::metadata(&folder.path)?.permissions().mode();
        if mode & 0o700 != 0o700 {
            fs::set_permissions(&folder.path, Permissions::from_mode(mode | 0o700))?;
        }
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Path of the file that the directory was created for.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        self.lock = None;
        with_folders(|folders| folders.retain(|folder| *folder != self.path));
        remove(&self.path);
    }
}

/// Removes a directory. Listing it needs a file descriptor, and none may be left: if it contains
/// only a lock file, removal works without.
fn remove(path: &Path) {
    if fs::remove_dir_all(path).is_err() {
        let _ = fs::remove_file(path.join(LOCK_FILE));
        let _ = fs::remove_dir(path);
    }
}

fn with_folders(change: impl FnOnce(&mut Vec<PathBuf>)) {
    change(&mut FOLDERS.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Removes all private directories of this process before an abnormal exit. Never blocks.
pub fn remove_all_private_folders() {
    if let Ok(folders) = FOLDERS.try_lock() {
        folders.iter().for_each(|folder| remove(folder));
    }
}

/// Private directories in `folder` left by processes that no longer run.
pub(crate) fn leftover_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A directory may be writable but not readable.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut left: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_private(path) && !may_be_in_use(path))
        .collect();
    left.sort();
    Ok(left)
}

fn is_private(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let is_short =
        name.starts_with(SHORT_PREFIX) && name.len() == SHORT_PREFIX.len() + SHORT_RANDOM;
    name.starts_with(PREFIX) || is_short && path.join(LOCK_FILE).exists()
}

/// Whether a private directory may belong to a running process: it holds the lock, or access to it
/// is denied.
fn may_be_in_use(private: &Path) -> bool {
    let path = private.join(LOCK_FILE);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => match File::open(&path) {
            Ok(lock) => {
                let is_locked = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
                // A child process that is being started may have inherited the file, and would keep
                // the lock.
                let _ = lock.unlock();
                is_locked
            }
            Err(_) => true,
        },
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
