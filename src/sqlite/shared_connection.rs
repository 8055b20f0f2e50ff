use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::open::connection::{reading, writing};
use crate::error::Result;
use crate::fsio::{IfMissing, check_store_path};

/// Who began the transaction that a store writes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionOwner {
    /// The store, for its own writes only.
    Store,
    /// The calling tool, which may have written in it too.
    Caller,
}

/// A connection shared by several stores and the calling tool.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::rusqlite::Connection;
/// use chunkmigrate::store::{ChunkStore, ExecutionLog, SharedConnection};
///
/// let connection = SharedConnection::from(Connection::open_in_memory()?);
/// let chunks = ChunkStore::with_connection(connection.clone());
/// let log = ExecutionLog::with_connection(connection.clone());
/// chunks.ensure_schema()?;
/// let tables: i64 = connection.lock().query_row(
///     "SELECT count(*) FROM sqlite_schema WHERE name = 'code_chunks'", [], |row| row.get(0))?;
/// assert_eq!(tables, 1);
/// # let _ = log;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SharedConnection(Arc<Mutex<Connection>>);

impl SharedConnection {
    /// Opens a database; if it is missing, creates an empty one if `if_missing` allows it.
    pub(crate) fn open(path: &Path, if_missing: IfMissing) -> Result<Self> {
        check_store_path(path, if_missing)?;
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, if_missing == IfMissing::Create);
        let connection = Connection::open_with_flags(file_name(path), flags);
        let connection = connection.map_err(reading(path))?;
        // SQLite detects a file that is not a database only on the first read.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(reading(path))?;
        Ok(connection.into())
    }

    /// Creates a private in-memory database.
    pub(crate) fn in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory();
        Ok(connection.map_err(reading(Path::new(IN_MEMORY)))?.into())
    }

    /// Locks the connection, waiting until it is free.
    ///
    /// While the guard is held, the operations of every store on this connection wait. Writes made
    /// while the tool has a transaction open belong to that transaction.
    pub fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `write` in a transaction, or within the transaction that the tool has begun on the
    /// connection. If `write` or the commit fails, everything it wrote is rolled back.
    pub(crate) fn transaction(
        &self,
        write: impl FnOnce(&Connection, TransactionOwner) -> Result<()>,
    ) -> Result<()> {
        let mut connection = self.lock();
        let path = path_of(&connection);
        if connection.is_autocommit() {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(writing(&path))?;
            write(&transaction, TransactionOwner::Store)?;
            transaction.commit().map_err(writing(&path))
        } else {
            let savepoint = connection.savepoint().map_err(writing(&path))?;
            write(&savepoint, TransactionOwner::Caller)?;
            savepoint.commit().map_err(writing(&path))
        }
    }
}

impl From<Connection> for SharedConnection {
    fn from(connection: Connection) -> Self {
        SharedConnection(Arc::new(Mutex::new(connection)))
    }
}

impl From<Arc<Mutex<Connection>>> for SharedConnection {
    fn from(connection: Arc<Mutex<Connection>>) -> Self {
        SharedConnection(connection)
    }
}

/// A path that SQLite always opens as a file, never as a URI that could name a different file or
/// none.
fn file_name(path: &Path) -> PathBuf {
    match path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        true => Path::new(".").join(path),
        false => path.to_owned(),
    }
}

/// Name in error messages for a database without a file.
const IN_MEMORY: &str = ":memory:";

/// The path of a connection's database for error messages.
pub(super) fn path_of(connection: &Connection) -> PathBuf {
    let path = connection.path().filter(|path| !path.is_empty());
    PathBuf::from(path.unwrap_or(IN_MEMORY))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a URI, this would be an in-memory database that loses what is written.
    #[test]
    fn a_path_is_never_parsed_as_a_uri() {
        let path = Path::new("file:/no/such/folder/x.db?mode=memory");
        assert!(SharedConnection::open(path, IfMissing::Create).is_err());
    }
}
