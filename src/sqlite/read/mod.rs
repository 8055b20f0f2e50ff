//! Reads the tables of a database as records in key order.

pub(crate) mod catalog;
pub(crate) mod invalid_field;
pub(crate) mod key_function;
pub(crate) mod options;
pub(crate) mod other_tables;
pub(crate) mod row;
pub(crate) mod row_reader;
pub(crate) mod scan;
pub(crate) mod snapshot;
pub(crate) mod symbol_graph;
pub(crate) mod table_columns;
pub(crate) mod table_stats;
pub(crate) mod text_encoding;
