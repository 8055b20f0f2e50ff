//! The conditions under which either store can keep a record exactly.

use thiserror::Error;

use super::{Record, RecordKind};

/// Why a record can't be kept exactly.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// An offset is above [`i64::MAX`], which no store can hold.
    #[error("{field} is above {max}", max = i64::MAX)]
    OffsetRange {
        /// The field that holds the offset.
        field: &'static str,
    },
    /// A float is infinite or not a number. SQLite would keep the latter as NULL.
    #[error("{field} is {value}, not a finite number")]
    NotFinite {
        /// The field that holds the float.
        field: &'static str,
        /// The float.
        value: f64,
    },
    /// The largest id there is, [`i64::MAX`], was given already.
    #[error("no ids left for {kind} records")]
    NoIdLeft {
        /// The kind of record.
        kind: RecordKind,
    },
}

impl Record {
    /// Checks the constraints that the field types don't enforce.
    ///
    /// # Errors
    /// An offset above [`i64::MAX`], or a float that is not finite.
    ///
    /// ```
    /// use chunkmigrate::record::{CodeChunk, Record, RecordError};
    ///
    /// let record = Record::Chunk(CodeChunk::new("a.rs", 0, u64::MAX, ""));
    /// assert_eq!(record.check(), Err(RecordError::OffsetRange { field: "byte_end" }));
    /// ```
    pub fn check(&self) -> Result<(), RecordError> {
        match self {
            Record::Chunk(chunk) => {
                check_offset("byte_start", chunk.byte_start)?;
                check_offset("byte_end", chunk.byte_end)
            }
            Record::ExecutionLog(_) => Ok(()),
            Record::FileMetrics(metrics) => {
                check_float("estimated_loc", metrics.estimated_loc)?;
                check_float("complexity_score", metrics.complexity_score)
            }
            Record::SymbolMetrics(metrics) => check_float("estimated_loc", metrics.estimated_loc),
        }
    }
}

fn check_offset(field: &'static str, offset: u64) -> Result<(), RecordError> {
    match i64::try_from(offset) {
        Ok(_) => Ok(()),
        Err(_) => Err(RecordError::OffsetRange { field }),
    }
}

fn check_float(field: &'static str, float: Option<f64>) -> Result<(), RecordError> {
    match float {
        Some(value) if !value.is_finite() => Err(RecordError::NotFinite { field, value }),
        _ => Ok(()),
    }
}
