//! What opens a store is the same for each of them.

/// Defines the constructors of a store with a function `of` from records to the store.
macro_rules! constructors {
    () => {
        /// Opens a SQLite file, and creates it if it is missing. The first write creates the tables;
        /// until then the store is empty.
        ///
        /// # Errors
        /// The file can't be opened, or is not a database.
        pub fn new(path: &std::path::Path) -> $crate::Result<Self> {
            let if_missing = $crate::fsio::IfMissing::Create;
            $crate::store::backend::in_sqlite_file(path, if_missing).map(Self::of)
        }

        /// Opens an existing SQLite file.
        ///
        /// # Errors
        /// The file does not exist, can't be opened, or is not a database.
        pub fn open(path: &std::path::Path) -> $crate::Result<Self> {
            let if_missing = $crate::fsio::IfMissing::Fail;
            $crate::store::backend::in_sqlite_file(path, if_missing).map(Self::of)
        }

        /// Uses an open SQLite database: a `rusqlite::Connection`, or a
        /// [`SharedConnection`](crate::store::SharedConnection) that others use too, as in the
        /// example there.
        pub fn with_connection(connection: impl Into<$crate::store::SharedConnection>) -> Self {
            Self::of($crate::store::backend::over_connection(connection.into()))
        }

        /// Uses a key-value backend.
        pub fn with_kv_backend(backend: std::sync::Arc<dyn $crate::kv::KvBackend>) -> Self {
            Self::of($crate::store::backend::over_kv_backend(backend))
        }

        /// Uses a key-value backend if there is one, otherwise a new in-memory SQLite database,
        /// which is discarded with the store.
        ///
        /// # Errors
        /// SQLite can't create the database.
        pub fn in_memory(
            backend: Option<std::sync::Arc<dyn $crate::kv::KvBackend>>,
        ) -> $crate::Result<Self> {
            $crate::store::backend::in_memory(backend).map(Self::of)
        }
    };
}

pub(super) use constructors;
