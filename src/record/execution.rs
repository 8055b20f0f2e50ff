use super::schema::{KindSchema, place, places};
use super::value::record_type;

record_type! {
    /// One run of the indexing tool.
    #[derive(Eq)]
    ExecutionRecord {
        /// Row id in the tool's table.
        id: i64,
        /// The id that the tool assigned to the run; identifies the record.
        execution_id: String,
        /// Version of the tool.
        tool_version: String,
        /// The arguments: a JSON array as the tool wrote it, kept as a string.
        args: String,
        /// Root folder of the run.
        root: Option<String>,
        /// Path of the database, as it was passed to the tool.
        db_path: String,
        /// Start, in Unix seconds.
        started_at: i64,
        /// End, in Unix seconds; `None` while the run is in progress.
        finished_at: Option<i64>,
        /// Duration in milliseconds.
        duration_ms: Option<i64>,
        /// How the run ended, such as `success`, or `running`.
        outcome: String,
        /// The error message, if the run failed.
        error_message: Option<String>,
        /// Number of files that were indexed.
        files_indexed: Option<i64>,
        /// Number of symbols that were indexed.
        symbols_indexed: Option<i64>,
        /// Number of references that were indexed.
        references_indexed: Option<i64>,
    }
}

pub(super) static EXECUTION_LOG: KindSchema = KindSchema {
    name: "execution-log",
    table: "execution_log",
    key_prefix: "execlog:",
    fields: ExecutionRecord::FIELDS,
    key: &places(ExecutionRecord::FIELDS, ["execution_id"]),
    doubles_colons: false,
    has_ids: true,
    time: place(ExecutionRecord::FIELDS, "started_at"),
    hashed: None,
    largest: place(ExecutionRecord::FIELDS, "args"),
    without_default: &places(ExecutionRecord::FIELDS, ["finished_at", "duration_ms"]),
    indexes: &[
        ("idx_execution_log_started_at", "started_at DESC"),
        ("idx_execution_log_execution_id", "execution_id"),
        ("idx_execution_log_outcome", "outcome"),
    ],
};
