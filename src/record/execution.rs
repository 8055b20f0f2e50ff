use serde::{Deserialize, Serialize};

use super::serde_helpers::required;

/// One run of the indexing tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionRecord {
    /// Row id in the tool's table.
    pub id: i64,
    /// The id that the tool assigned to the run; identifies the record.
    pub execution_id: String,
    /// Version of the tool.
    pub tool_version: String,
    /// The arguments: a JSON array as the tool wrote it, kept as a string.
    pub args: String,
    /// Root folder of the run.
    #[serde(deserialize_with = "required")]
    pub root: Option<String>,
    /// Path of the database, as it was passed to the tool.
    pub db_path: String,
    /// Start, in Unix seconds.
    pub started_at: i64,
    /// End, in Unix seconds; `None` while the run is in progress.
    #[serde(deserialize_with = "required")]
    pub finished_at: Option<i64>,
    /// Duration in milliseconds.
    #[serde(deserialize_with = "required")]
    pub duration_ms: Option<i64>,
    /// How the run ended, such as `success`, or `running`.
    pub outcome: String,
    /// The error message, if the run failed.
    #[serde(deserialize_with = "required")]
    pub error_message: Option<String>,
    /// Number of files that were indexed.
    #[serde(deserialize_with = "required")]
    pub files_indexed: Option<i64>,
    /// Number of symbols that were indexed.
    #[serde(deserialize_with = "required")]
    pub symbols_indexed: Option<i64>,
    /// Number of references that were indexed.
    #[serde(deserialize_with = "required")]
    pub references_indexed: Option<i64>,
}
