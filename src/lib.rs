//! Moves source-code chunks, file and symbol metrics and execution logs between a SQLite database
//! and an embedded key-value file ([redb](https://docs.rs/redb)), and proves record by record that
//! nothing was lost.
//!
//! ```
//! # #[cfg(feature = "native-v2")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
//! use chunkmigrate::record::RecordKind;
//! use chunkmigrate::verify::{VerifyOptions, verify_pair};
//! use chunkmigrate::{NoProgress, Progress};
//!
//! let folder = tempfile::tempdir()?;
//! let (source, target) = (folder.path().join("code.db"), folder.path().join("code.kv"));
//! let database = rusqlite::Connection::open(&source)?;
//! chunkmigrate::sqlite::create_tables(&database)?;
//! database.execute_batch(
//!     "INSERT INTO code_chunks VALUES
//!      (1, 'src/lib.rs', 0, 12, 'fn main() {}', 'hash', 'main', 'Function', 1700000000)",
//! )?;
//!
//! let progress: Arc<dyn Progress> = Arc::new(NoProgress);
//! let summary = sqlite_to_kv(&source, &target, &CopyOptions::default(), &progress)?;
//! assert!(summary.is_complete() && summary.verified);
//! assert_eq!(summary.totals.get(RecordKind::Chunk).records, 1);
//!
//! let returned = folder.path().join("returned.db");
//! kv_to_sqlite(&target, &returned, &CopyOptions::default(), &progress)?;
//! let report = verify_pair(&source, &returned, &VerifyOptions::default(), &progress)?;
//! assert!(report.is_identical());
//! assert_eq!(report.equal(), 1);
//! // The hash is not that of the content: whoever wrote it is warned of, and it is kept.
//! assert_eq!(report.warnings(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "native-v2"))]
//! # fn main() {}
//! ```
//!
//! # Layers
//!
//! [`record`] <- [`codec`] <- `kv`, [`sqlite`] <- [`store`] <- [`compare`] <- `migrate` <- `verify`:
//! each knows those to its left. Both stores yield the same stream, entries of one kind in the order
//! of their keys' bytes, so that copying, comparing and hashing are three uses of one thing.
//!
//! # Features
//!
//! - `native-v2` (default): the KV file. Without it the library knows SQLite only and builds without
//!   redb.
//! - `cli` (default): the program and its dependencies.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::exit)
)]
#![deny(clippy::dbg_macro)]

pub mod codec;
pub mod compare;
pub mod error;
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

/// The version of redb whose databases [`kv::RedbBackend`] takes.
#[cfg(feature = "native-v2")]
pub use redb;
/// The version of rusqlite whose connections the stores take.
pub use rusqlite;
