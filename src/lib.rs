//! Moves source-code chunks, metrics and execution logs between SQLite and a KV file.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::exit)
)]
#![deny(clippy::dbg_macro)]

pub mod codec;
pub mod compare;
pub mod error;
#[cfg(feature = "native-v2")]
pub mod kv;
#[cfg(feature = "native-v2")]
pub mod migrate;
pub mod progress;
pub mod record;
pub mod sqlite;
pub mod store;
#[cfg(feature = "native-v2")]
pub mod verify;

pub use error::{Error, Result};
pub use progress::{NoProgress, Progress, Stage};
