//! Compares and checks the rows of carried tables.

mod compare_tables;
mod row_check;

pub use compare_tables::TableComparison;
pub(super) use compare_tables::compare_tables;
pub(crate) use row_check::{RowCheck, is_sound_batch};
