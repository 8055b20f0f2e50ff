//! Stores that keep records in place: [`ChunkStore`], [`MetricsOps`] and [`ExecutionLog`] read and
//! write them in a [`KvBackend`](crate::kv::KvBackend) when there is one and in SQLite otherwise, with
//! the same answers.

mod backend;
mod chunks;
mod clock;
mod execution;
mod metrics;
mod new_chunk;

pub use crate::file_format::FileFormat;
pub use crate::fsio::{StoreKind, detect};
pub use chunks::ChunkStore;
pub use clock::{Clock, SystemClock};
pub use execution::{ExecutionEnd, ExecutionLog, ExecutionStart};
pub use metrics::{HotspotQuery, MetricsOps};
