//! Whether what is at a KV target's place may be replaced.

use std::fs::File;
use std::path::Path;

use super::target::TargetError;
use crate::error::{Error, IoContext as _, Result};
use crate::kv::{KvError, KvFile, is_locked};
use crate::store::{StoreKind, detect};

/// Fails unless what is at the target's place may be replaced: a KV file of this tool that nobody
/// has open, or an empty file.
pub(super) fn check_existing(path: &Path, replace: bool) -> Result<()> {
    check_kind_and_lock(path)?;
    if !replace {
        let path = path.to_owned();
        return Err(TargetError::Exists { path }.into());
    }
    if detect(path)? == StoreKind::Empty {
        return Ok(());
    }
    let found = match KvFile::open_checked(path) {
        Ok(_) => return Ok(()),
        Err(Error::Kv(error)) => match *error {
            KvError::Version { .. } => return Ok(()),
            KvError::Foreign { .. } => "a redb file of another tool",
            KvError::Damaged { .. } => "a damaged redb file",
            error => return Err(error.into()),
        },
        Err(error) => return Err(error),
    };
    Err(not_replaceable(path, found))
}

/// The cheap part of [`check_existing`], for a second look right before the rename.
pub(super) fn check_kind_and_lock(path: &Path) -> Result<()> {
    match detect(path)? {
        StoreKind::Empty => Ok(()),
        StoreKind::Kv => {
            let file = File::open(path).io_context("open", path)?;
            match is_locked(&file) {
                true => Err(TargetError::Locked {
                    path: path.to_owned(),
                }
                .into()),
                false => Ok(()),
            }
        }
        StoreKind::Sqlite => Err(not_replaceable(path, "a SQLite database")),
        StoreKind::Unknown => Err(not_replaceable(path, "no KV file")),
    }
}

fn not_replaceable(path: &Path, found: &str) -> Error {
    TargetError::NotReplaceable {
        path: path.to_owned(),
        found: found.to_owned(),
    }
    .into()
}
