use std::path::PathBuf;

use serde::Serialize;

use super::{Source, json};
use crate::fsio::StoreKind;

/// A store as displayed in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreLabel {
    /// The file, as specified by the caller, or a label for a temporary one.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The kind of store.
    pub store: StoreKind,
    /// Whether the last writer of a KV file closed it; if not, its last complete state was read.
    #[serde(skip_serializing_if = "is_true")]
    pub closed_cleanly: bool,
}

impl StoreLabel {
    pub(crate) fn of(snapshot: &dyn Source) -> Self {
        StoreLabel {
            closed_cleanly: snapshot.closed_cleanly(),
            ..StoreLabel::new(snapshot.path(), snapshot.store())
        }
    }

    pub(crate) fn new(path: impl Into<PathBuf>, store: StoreKind) -> Self {
        StoreLabel { path: path.into(), store, closed_cleanly: true }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(value: &bool) -> bool {
    *value
}
