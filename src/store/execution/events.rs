//! Data of a run at its start and at its end.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::record::ExecutionRecord;

/// The outcome of a run in progress.
const RUNNING: &str = "running";

/// Data of a run at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionStart<'a> {
    /// A unique id of the run.
    pub execution_id: &'a str,
    /// Version of the tool.
    pub tool_version: &'a str,
    /// The arguments; the record stores them as a JSON array.
    pub args: &'a [String],
    /// Root folder of the run.
    pub root: Option<&'a str>,
    /// Path of the database, as it was passed to the tool.
    pub db_path: &'a str,
}

/// Data of a run at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExecutionEnd<'a> {
    /// How it ended, such as `success`.
    pub outcome: &'a str,
    /// The error message, if the run failed.
    pub error_message: Option<&'a str>,
    /// Number of files that were indexed.
    pub files_indexed: i64,
    /// Number of symbols that were indexed.
    pub symbols_indexed: i64,
    /// Number of references that were indexed.
    pub references_indexed: i64,
}

impl ExecutionStart<'_> {
    /// The record of a starting run, without an id.
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
    /// Updates the record of a run with its end. The duration is `measured` if known, otherwise the
    /// difference between start and end in whole seconds.
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
