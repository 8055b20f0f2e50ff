//! The conditions under which either store can keep a record exactly.

use super::{Record, RecordError};

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
