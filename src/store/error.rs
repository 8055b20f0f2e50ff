use thiserror::Error;

/// Why a dual-mode store could not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A value of the key-value backend, or a row of a table, is no record, or not that of its key.
    #[error("invalid record {key:?}: {detail}")]
    Undecodable {
        /// The key, what isn't UTF-8 in it replaced; of a row, its number and its table.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An execution of this id was started before.
    #[error("execution {execution_id:?} already exists")]
    ExecutionExists {
        /// The id that the tool gave the run.
        execution_id: String,
    },
    /// No execution of this id was ever started.
    #[error("execution {execution_id:?} not found")]
    NoExecution {
        /// The id that the tool gave the run.
        execution_id: String,
    },
}
