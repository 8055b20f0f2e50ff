//! Tables of any shape: what is known about them, and how their rows are encoded as entries.
//!
//! The four kinds of records have types and rules of their own. A carried table has neither: its
//! rows are values of any storage class, exactly as SQLite has them. The rules are those of version 2
//! of the KV file format (`docs/format.md`).

mod carried;
mod entry;
pub(crate) mod json;
pub(crate) mod key;
mod kind;
mod row_object;
mod rowid_name;
mod selection;
#[cfg(test)]
mod test_rows;
pub(crate) mod value;

pub(crate) use carried::in_key_order;
pub use carried::{CarriedTables, ObjectType, SchemaObject, Settings, TableSchema, WholeDatabase};
pub(crate) use json::{RowObject, cell_json, rowid_name};
pub(crate) use key::{key_prefix, parse_key, shown_key, write_key, write_row_key};
pub use kind::Kind;
pub(crate) use row_object::read_row_object;
pub(crate) use rowid_name::free_rowid_name;
pub use selection::TableSelection;
pub use value::{Cell, Row};
pub(crate) use value::{RowError, is_canonical_row, read_row, write_row};
