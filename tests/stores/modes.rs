//! All stores of a tool, in each of their modes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::map_backend::MapBackend;
use chunkmigrate::internal::Clock;
use chunkmigrate::kv::KvBackend;
use chunkmigrate::rusqlite::Connection;
use chunkmigrate::store::SharedConnection;
use chunkmigrate::store::{ChunkStore, ExecutionLog, ExecutionStart, MetricsOps};

/// A run of a tool.
pub(crate) const START: ExecutionStart<'_> = ExecutionStart {
    execution_id: "run",
    tool_version: "1.0",
    args: &[],
    root: None,
    db_path: "code.db",
};

/// A clock that stands still until it is advanced.
#[derive(Debug, Default)]
pub(crate) struct ManualClock {
    milliseconds: AtomicU64,
}

impl ManualClock {
    pub(crate) fn go_on(&self, milliseconds: u64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> i64 {
        1_700_000_000 + i64::try_from(self.elapsed().as_secs()).unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.milliseconds.load(Ordering::SeqCst))
    }
}

/// All stores of a tool, and a second handle on its log.
pub(crate) struct Stores {
    pub(crate) name: &'static str,
    pub(crate) chunks: ChunkStore,
    pub(crate) metrics: MetricsOps,
    pub(crate) logs: [ExecutionLog; 2],
    pub(crate) clock: Arc<ManualClock>,
}

impl Stores {
    pub(crate) fn in_sqlite() -> Self {
        Stores::in_sqlite_database(Connection::open_in_memory().unwrap())
    }

    pub(crate) fn in_sqlite_database(connection: Connection) -> Self {
        let connection = SharedConnection::from(connection);
        Stores {
            name: "SQLite",
            chunks: ChunkStore::with_connection(connection.clone()),
            metrics: MetricsOps::with_connection(connection.clone()),
            logs: [0, 1].map(|_| ExecutionLog::with_connection(connection.clone())),
            clock: Arc::default(),
        }
        .with_its_clock()
    }

    pub(crate) fn in_kv(name: &'static str, backend: Arc<dyn KvBackend>) -> Self {
        Stores {
            name,
            chunks: ChunkStore::with_kv_backend(backend.clone()),
            metrics: MetricsOps::with_kv_backend(backend.clone()),
            logs: [0, 1].map(|_| ExecutionLog::with_kv_backend(backend.clone())),
            clock: Arc::default(),
        }
        .with_its_clock()
    }

    pub(crate) fn with_its_clock(mut self) -> Self {
        self.logs = self.logs.map(|log| log.with_clock(self.clock.clone()));
        self
    }

    /// In every mode of this build.
    pub(crate) fn in_every_mode() -> Vec<Self> {
        vec![
            Stores::in_sqlite(),
            Stores::in_kv("a map", Arc::new(MapBackend::default())),
            #[cfg(feature = "native-v2")]
            Stores::in_kv("redb", Arc::new(chunkmigrate::kv::RedbBackend::in_memory().unwrap())),
        ]
    }
}
