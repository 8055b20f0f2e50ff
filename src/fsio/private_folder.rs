//! Folders for files that nobody else may see yet.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What private folders are called before their random part.
const PREFIX: &str = ".chunkmigrate-";
/// The same where a path would become too long for SQLite: with a file of one letter in it, it is as
/// long as a name of four.
const SHORT_PREFIX: &str = ".";
const SHORT_RANDOM: usize = 1;
/// The file in a private folder that a running process holds a lock on.
const LOCK_FILE: &str = ".chunkmigrate-lock";
/// The longest path that SQLite opens, with the names of the files that it keeps beside a database.
const LONGEST_SQLITE_PATH: usize = 512 - "-journal".len();

/// The private folders of this process.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A folder of mode 0700, which goes with all that is in it when this is dropped.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    path: PathBuf,
    /// The name of the one file that it is for.
    file: PathBuf,
    lock: Option<File>,
}

impl PrivateFolder {
    /// Makes one for temporary files.
    pub(crate) fn temporary(parent: &Path) -> io::Result<Self> {
        Self::create("chunkmigrate-", 6, parent, OsStr::new("file"))
    }

    /// Makes one beside the place of a file, in which the file is made first. SQLite can open it there
    /// if it can open it at its place, unless that has a name of less than four bytes.
    pub(crate) fn beside(parent: &Path, name: &OsStr) -> io::Result<Self> {
        let longest = parent.as_os_str().len() + name.len() + PREFIX.len() + "/123456/".len();
        let mut folder = match longest <= LONGEST_SQLITE_PATH {
            true => Self::create(PREFIX, 6, parent, name)?,
            false => Self::create(SHORT_PREFIX, SHORT_RANDOM, parent, OsStr::new("t"))?,
        };
        let lock = File::create_new(folder.path.join(LOCK_FILE))?;
        // Tells other runs that this one lives; where it can't be had, they say what they see.
        let _ = lock.try_lock();
        folder.lock = Some(lock);
        Ok(folder)
    }

    fn create(prefix: &str, random: usize, parent: &Path, name: &OsStr) -> io::Result<Self> {
        let made = tempfile::Builder::new()
            .prefix(prefix)
            .rand_bytes(random)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        // From here on this is what removes it.
        let path = made.keep();
        with_folders(|folders| folders.push(path.clone()));
        let folder = PrivateFolder {
            file: path.join(name),
            path,
            lock: None,
        };
        // The umask may have taken away what it takes to use and to remove it. Nothing else is
        // changed: a folder in one with a setgid bit has that bit too, and so new files get the group.
        let mode = fs::metadata(&folder.path)?.permissions().mode();
        if mode & 0o700 != 0o700 {
            fs::set_permissions(&folder.path, Permissions::from_mode(mode | 0o700))?;
        }
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that the folder is for.
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

/// Removes a folder. To look into it takes a file descriptor, which there may be none of any more: if
/// it has nothing but a lock, it goes without.
fn remove(path: &Path) {
    if fs::remove_dir_all(path).is_err() {
        let _ = fs::remove_file(path.join(LOCK_FILE));
        let _ = fs::remove_dir(path);
    }
}

fn with_folders(change: impl FnOnce(&mut Vec<PathBuf>)) {
    change(&mut FOLDERS.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Removes all private folders of this process, which is about to end in disorder. Waits for nothing.
pub(crate) fn remove_all_private_folders() {
    if let Ok(folders) = FOLDERS.try_lock() {
        folders.iter().for_each(|folder| remove(folder));
    }
}

/// Private folders in a folder that processes left which are no more.
pub(crate) fn leftover_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A folder may be writable and not readable.
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
    let name = path
        .file_name()
        .map(OsStr::to_string_lossy)
        .unwrap_or_default();
    let is_short =
        name.starts_with(SHORT_PREFIX) && name.len() == SHORT_PREFIX.len() + SHORT_RANDOM;
    name.starts_with(PREFIX) || is_short && path.join(LOCK_FILE).exists()
}

/// Whether a private folder may belong to a running process: it holds the lock, or we may not look.
fn may_be_in_use(private: &Path) -> bool {
    let path = private.join(LOCK_FILE);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => match File::open(&path) {
            Ok(lock) => {
                let is_locked = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
                // A process that is being started may have inherited the file, and would keep the lock.
                let _ = lock.unlock();
                is_locked
            }
            Err(_) => true,
        },
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
