//! How fields of results are written as JSON.

use std::path::{Path, PathBuf};

use serde::Serializer;

use crate::record::RecordKind;

/// A path as text, lossily if it is not UTF-8.
pub(crate) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A list of paths.
pub(crate) fn paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

/// The tables of kinds.
pub(crate) fn tables<S: Serializer>(
    kinds: &[RecordKind],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(kinds.iter().map(|kind| kind.table()))
}
