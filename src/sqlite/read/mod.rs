//! Reads the tables of a database as records in key order.

pub(in crate::sqlite) mod catalog;
pub(in crate::sqlite) mod invalid_field;
pub(in crate::sqlite) mod key_function;
pub(crate) mod options;
pub(in crate::sqlite) mod other_tables;
pub(in crate::sqlite) mod row;
pub(in crate::sqlite) mod row_reader;
pub(in crate::sqlite) mod scan;
pub(crate) mod snapshot;
pub(in crate::sqlite) mod symbol_graph;
pub(in crate::sqlite) mod table_columns;
pub(crate) mod table_stats;
pub(in crate::sqlite) mod text_encoding;
