//! The dual-mode stores in each of their modes, with or without redb.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod backends;
#[cfg(feature = "native-v2")]
mod causes;
#[cfg(feature = "native-v2")]
mod faults;
#[cfg(feature = "native-v2")]
mod kv_mode;
#[cfg(feature = "native-v2")]
mod locks;
mod map_backend;
#[cfg(feature = "native-v2")]
mod migrated;
mod model;
mod modes;
mod operation;
#[cfg(feature = "native-v2")]
mod persistence;
mod same_answers;
mod sqlite_mode;
