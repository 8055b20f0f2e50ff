//! Moves source-code chunks, file and symbol metrics and execution logs between a SQLite database
//! and an embedded key-value file ([redb](https://docs.rs/redb)), and verifies record by record
//! that nothing was lost.
//!
//! Tools can keep such records in either store: [`ChunkStore`](store::ChunkStore),
//! [`MetricsOps`](store::MetricsOps) and [`ExecutionLog`](store::ExecutionLog) have the same API
//! and the same behaviour on both.
//!
//! ```
//! # #[cfg(feature = "native-v2")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use chunkmigrate::kv::RedbBackend;
//! use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite};
//! use chunkmigrate::record::CodeChunk;
//! use chunkmigrate::store::ChunkStore;
//! use chunkmigrate::verify::{VerifyOptions, verify_pair};
//! use chunkmigrate::Progress;
//!
//! let folder = tempfile::tempdir()?;
//! let (kv, sqlite) = (folder.path().join("code.kv"), folder.path().join("code.db"));
//!
//! // A tool keeps its chunks in a KV file.
//! let store = ChunkStore::with_kv_backend(Arc::new(RedbBackend::open_or_create(&kv)?));
//! store.store_chunk(&CodeChunk::new("src/main.rs", 0, 12, "fn main() {}"))?;
//! drop(store);
//!
//! // A later session reads them.
//! let store = ChunkStore::with_kv_backend(Arc::new(RedbBackend::open(&kv)?));
//! let chunk = store.get_chunk_by_span("src/main.rs", 0, 12)?.expect("it was stored");
//! assert_eq!(chunk.content, "fn main() {}");
//! drop(store);
//!
//! // It migrates to SQLite and verifies that no record was lost.
//! let progress = Progress::none();
//! let summary = kv_to_sqlite(&kv, &sqlite, &CopyOptions::default(), &progress)?;
//! assert!(summary.is_complete());
//! let report = verify_pair(&kv, &sqlite, &VerifyOptions::default(), &progress)?;
//! assert!(report.is_identical());
//! assert_eq!(report.equal(), 1);
//! let store = ChunkStore::new(&sqlite)?;
//! assert_eq!(store.get_chunk_by_span("src/main.rs", 0, 12)?, Some(chunk));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "native-v2"))]
//! # fn main() {}
//! ```
//!
//! # Logging
//!
//! Through the [`log`] crate: at level `info` how stores are opened and written and why something is
//! repeated, at level `debug` the stages of the work.
//!
//! # Features
//!
//! - `native-v2` (default): the KV file. Without it the library supports SQLite and key-value
//!   backends supplied by the caller, and builds without redb.
//! - `cli` (default): the program and its dependencies.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::exit))]
// Without the KV file nothing can be copied or compared, so the code for that is unused.
#![cfg_attr(not(feature = "native-v2"), allow(dead_code, unreachable_pub, unused_imports))]
#![deny(clippy::dbg_macro)]
#![forbid(unsafe_code)]

mod codec;
#[cfg(feature = "native-v2")]
mod compare;
mod error;
mod file_format;
mod fsio;
pub mod kv;
#[cfg(feature = "native-v2")]
pub mod migrate;
#[cfg(feature = "native-v2")]
mod open;
mod progress;
pub mod record;
#[cfg(feature = "native-v2")]
mod setters;
mod sqlite;
pub mod store;
mod stream;
pub mod table;
#[cfg(feature = "native-v2")]
pub mod verify;

/// For the program, and for the tests, fuzz targets and benchmarks. Not part of the API: it may
/// change in any release.
#[doc(hidden)]
pub mod internal {
    pub use crate::codec::decode::DecodeError;
    pub use crate::codec::digest::{Digest, KindHasher, combined_digest};
    pub use crate::codec::export_end::ExportEnd;
    pub use crate::codec::json::{decode_json, is_canonical};
    pub use crate::codec::key::{KeyError, file_chunks_prefix, key_kind, parse_key, record_key};
    pub use crate::codec::ndjson::{Line, LineError};
    pub use crate::codec::{MAX_ENTRY_BYTES, MAX_VALUE_BYTES};
    pub use crate::sqlite::read::options::SourceOptions;
    pub use crate::sqlite::read::snapshot::SqliteSnapshot;
    pub use crate::sqlite::write::writer::{create_tables, insert_records, set_sequences};
    pub use crate::store::clock::Clock;
    pub use crate::stream::{
        InvalidRow, Item, ManifestTotals, Origin, RawValue, SortedStream, Source, Visited,
    };
    pub use crate::table::json::{cell_from_json, cell_json};
    pub use crate::table::key::{
        RowKeyError, key_prefix, parse_key as parse_row_key, write_key, write_row_key,
    };
    pub use crate::table::value::{RowError, is_canonical_row, read_row, write_row};
    #[cfg(feature = "native-v2")]
    pub use crate::{
        compare::{CompareOptions, Newer, SideEvidence, compare_kind, compare_stores},
        fsio::remove_all_private_folders as remove_private_folders,
        kv::{bulk_loader::BulkLoader, manifest::FormatMarker, reader::KvReader},
        verify::built_in_sample::verify_sample,
        verify::page_file::HtmlReportFile,
        verify::report::SelfTest,
        verify::sample::{sample_records, sample_sequences},
        verify::sample_file::{SampleFile, write_sample},
    };
}

pub use error::{Error, Result};
pub use progress::{Progress, ProgressSink, Stage};

/// The version of redb whose databases [`kv::RedbBackend`] accepts.
#[cfg(feature = "native-v2")]
pub use redb;
/// The version of rusqlite whose connections the stores accept.
pub use rusqlite;
