//! Whether there is room, asked before the work.

use std::env;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::target::TargetError;
use crate::error::{Error, Result};
use crate::sqlite::TableSurvey;

/// What SQLite sorts in memory before it writes to a temporary file, in bytes.
const SORTED_IN_MEMORY: u64 = 2 << 20;
/// What a row adds to its key in SQLite's sorter, in bytes.
const SORTER_ROW_BYTES: u64 = 24;
/// What field names and numbers add to a record's text, in bytes.
const RECORD_FRAME_BYTES: u64 = 100;

/// About how many bytes of keys and values a table becomes.
pub(super) fn expected_bytes(survey: &TableSurvey) -> u64 {
    survey.text_bytes + survey.key_bytes + survey.rows * RECORD_FRAME_BYTES
}

/// Fails if the file system of a folder has less room than the target takes at least.
pub(super) fn check_target(folder: &Path, expected: u64) -> Result<()> {
    check(folder, "the records", expected)
}

/// Fails if there is less room than sorting the largest of these tables takes at least.
pub(super) fn check_sorting<'s>(
    temp_dir: Option<&Path>,
    surveys: impl Iterator<Item = &'s TableSurvey>,
) -> Result<()> {
    let needed = surveys
        .map(|survey| survey.key_bytes + survey.rows * SORTER_ROW_BYTES)
        .max();
    let needed = needed.unwrap_or(0);
    let folder = temp_dir.map(Path::to_owned).or_else(default_temp_dir);
    match folder {
        Some(folder) if needed > SORTED_IN_MEMORY => check(&folder, "the keys to sort", needed),
        _ => Ok(()),
    }
}

fn check(folder: &Path, what: &'static str, needed: u64) -> Result<()> {
    let stat = statvfs(folder).map_err(|error| Error::Io {
        action: "ask for the free room of",
        path: folder.to_owned(),
        source: error.into(),
    })?;
    if stat.f_blocks == 0 {
        // A file system that tells of no size, such as /proc.
        return Ok(());
    }
    let available = stat.f_bavail.saturating_mul(stat.f_frsize);
    if available < needed {
        return Err(TargetError::NoRoom {
            path: folder.to_owned(),
            what,
            needed,
            available,
        }
        .into());
    }
    Ok(())
}

/// Where SQLite puts temporary files if it is told nothing.
fn default_temp_dir() -> Option<PathBuf> {
    let from_environment = ["SQLITE_TMPDIR", "TMPDIR"]
        .into_iter()
        .filter_map(env::var_os);
    let fixed = ["/var/tmp", "/usr/tmp", "/tmp", "."].map(Into::into);
    from_environment
        .chain(fixed)
        .map(PathBuf::from)
        .find(|folder| folder.is_dir())
}
