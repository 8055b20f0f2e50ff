//! Compares the tables that two stores carry in addition to the four kinds.

mod compare_tables;
mod row_check;
mod rows;
mod schema;

pub use compare_tables::TableComparison;
pub(super) use compare_tables::compare_tables;
pub(crate) use row_check::{RowCheck, is_sound_batch};
