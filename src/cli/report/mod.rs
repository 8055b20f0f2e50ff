//! Reports of the commands, as text and as JSON.

pub(super) mod advice;
pub(super) mod copy;
pub(super) mod copy_outcome;
mod field;
pub(super) mod findings;
pub(super) mod other_tables;
pub(super) mod pace;
pub(super) mod pluralize;
pub(super) mod suggestions;
pub(super) mod table;
pub(super) mod text_diff;
pub(super) mod values;
pub(super) mod verify;
pub(super) mod verify_outcome;
