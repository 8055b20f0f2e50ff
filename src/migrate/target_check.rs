//! Checks whether a target's destination may be replaced, and whether its name is free.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::{Destination, sidecar_paths};
use crate::fsio::{StoreKind, detect};
use crate::kv::{KvReader, is_locked};

/// The bytes of a database that SQLite locks: the pending byte, the reserved byte, and the shared
/// range after them (<https://www.sqlite.org/fileformat2.html#the_lock_byte_page>).
const SQLITE_LOCK_BYTES: (u64, u64) = (0x4000_0000, 512);

/// Fails unless a store may be created at the destination: it does not exist or, with `replace`, is
/// a store of the same kind that is not open, or an empty file.
pub(super) fn check(destination: &Destination, store: StoreKind, replace: bool) -> Result<()> {
    let given = destination.given();
    check_again(destination, store, replace)?;
    if destination.exists() && store == StoreKind::Kv {
        check_readable_kv(given)?;
    }
    Ok(())
}

/// The cheap part of [`check`], repeated right before the rename.
pub(super) fn check_again(
    destination: &Destination,
    store: StoreKind,
    replace: bool,
) -> Result<()> {
    let given = destination.given();
    if store == StoreKind::Sqlite {
        check_side_files(destination, replace)?;
    }
    if !destination.exists() {
        return Ok(());
    }
    let found = detect(given)?;
    if found != store && found != StoreKind::Empty {
        return Err(not_replaceable(given, name(found, store)));
    }
    if !replace {
        let path = given.to_owned();
        return Err(Error::TargetExists { path });
    }
    match found {
        StoreKind::Empty => Ok(()),
        _ => check_unlocked(given, store),
    }
}

/// Fails if another process has a store open.
pub(super) fn check_unlocked(path: &Path, store: StoreKind) -> Result<()> {
    let file = File::open(path).io_context("open", path)?;
    let locked = match store {
        StoreKind::Sqlite => is_locked_by_sqlite(&file),
        _ => is_locked(&file),
    };
    match locked {
        true => Err(Error::TargetLocked { path: path.to_owned() }),
        false => Ok(()),
    }
}

/// A stale `-wal` or a hot `-journal` next to a new database would bring old rows back.
fn check_side_files(destination: &Destination, replace: bool) -> Result<()> {
    for side in sidecar_paths(destination.path()) {
        let metadata = match fs::symlink_metadata(&side) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).io_context("stat", &side),
        };
        if !replace || !metadata.is_file() || metadata.len() > 0 {
            let path = destination.given().to_owned();
            return Err(Error::StaleSidecar { path, side });
        }
    }
    Ok(())
}

/// Whether another process holds one of SQLite's locks on a database, for reading or writing.
fn is_locked_by_sqlite(file: &File) -> bool {
    let (start, length) = SQLITE_LOCK_BYTES;
    let lock = Flock { start, length, ..Flock::from(FlockType::WriteLock) };
    // On a file system without locks, no file counts as locked.
    matches!(fcntl_getlk(file, &lock), Ok(Some(_)))
}

fn check_readable_kv(given: &Path) -> Result<()> {
    if detect(given)? == StoreKind::Empty {
        return Ok(());
    }
    let found = match KvReader::open_verified(given) {
        Ok(_) => return Ok(()),
        Err(Error::KvVersion { .. }) => return Ok(()),
        Err(Error::NotChunkmigrate { .. }) => "a redb file of another tool",
        Err(Error::CorruptKvFile { .. }) => "a corrupt redb file",
        Err(error) => return Err(error),
    };
    Err(not_replaceable(given, found))
}

fn name(found: StoreKind, wanted: StoreKind) -> &'static str {
    match (found, wanted) {
        (StoreKind::Sqlite, _) => "a SQLite database",
        (StoreKind::Kv, _) => "a KV file",
        (StoreKind::Empty, _) => "an empty file",
        (_, StoreKind::Sqlite) => "not a SQLite database",
        (_, _) => "not a KV file",
    }
}

fn not_replaceable(path: &Path, found: &str) -> Error {
    Error::NotReplaceable { path: path.to_owned(), found: found.to_owned() }
}
