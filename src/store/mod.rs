//! Stores for reading and writing individual records: [`ChunkStore`], [`MetricsOps`] and
//! [`ExecutionLog`] use a [`KvBackend`](crate::kv::KvBackend) if there is one and SQLite otherwise,
//! with the same results.

mod backend;
mod chunks;
pub(crate) mod clock;
mod constructors;
mod execution;
mod metrics;
mod new_chunk;

pub use crate::file_format::FileFormat;
pub use crate::fsio::{StoreKind, detect};
pub use crate::sqlite::SharedConnection;
pub use chunks::ChunkStore;
pub use execution::{ExecutionEnd, ExecutionLog, ExecutionStart};
pub use metrics::{HotspotQuery, MetricsOps};
