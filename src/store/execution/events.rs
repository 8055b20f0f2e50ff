//! What is known of a run when it begins, and when it has ended.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::record::ExecutionRecord;

/// The outcome of a run that has not ended.
const RUNNING: &str = "running";

/// What is known when a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionStart<'a> {
    /// An id that no other run has.
    pub execution_id: &'a str,
    /// Version of the tool.
    pub tool_version: &'a str,
    /// The arguments; the record keeps them as a JSON array.
    pub args: &'a [String],
    /// Root folder of the run.
    pub root: Option<&'a str>,
    /// Path of the database, as the tool was given it.
    pub db_path: &'a str,
}

/// What is known when a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExecutionEnd<'a> {
    /// How it ended, such as `success`.
    pub outcome: &'a str,
    /// What went wrong.
    pub error_message: Option<&'a str>,
    /// Number of files that were indexed.
    pub files_indexed: i64,
    /// Number of symbols that were indexed.
    pub symbols_indexed: i64,
    /// Number of references that were indexed.
    pub references_indexed: i64,
}

impl ExecutionStart<'_> {
    /// The record of a run that begins, with no id yet.
    pub(super) fn record(&self, started_at: i64) -> Result<ExecutionRecord> {
        let args = serde_json::to_string(self.args);
        Ok(ExecutionRecord {
            id: 0,
            execution_id: self.execution_id.to_owned(),
            tool_version: self.tool_version.to_owned(),
            args: args.map_err(|error| Error::Internal(error.to_string()))?,
            root: self.root.map(str::to_owned),
            db_path: self.db_path.to_owned(),
            started_at,
            finished_at: None,
            duration_ms: None,
            outcome: RUNNING.to_owned(),
            error_message: None,
            files_indexed: Some(0),
            symbols_indexed: Some(0),
            references_indexed: Some(0),
        })
    }
}

impl ExecutionEnd<'_> {
    /// Notes the end in the record of a run, which took as long as was `measured`, or as the seconds
    /// of its start and its end are apart.
    pub(super) fn note_in(
        &self,
        run: &mut ExecutionRecord,
        finished_at: i64,
        measured: Option<Duration>,
    ) {
        let seconds = finished_at.saturating_sub(run.started_at).max(0);
        run.duration_ms = Some(match measured {
            Some(measured) => i64::try_from(measured.as_millis()).unwrap_or(i64::MAX),
            None => seconds.saturating_mul(1000),
        });
        run.finished_at = Some(finished_at);
        run.outcome = self.outcome.to_owned();
        run.error_message = self.error_message.map(str::to_owned);
        run.files_indexed = Some(self.files_indexed);
        run.symbols_indexed = Some(self.symbols_indexed);
        run.references_indexed = Some(self.references_indexed);
    }
}
