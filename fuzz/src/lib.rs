//! What the fuzz targets do with an input. These are ordinary functions, so `cargo test` of the
//! main package runs them too, over the seeds and some generated inputs.

mod carried_tables;
mod compare;
mod content;
mod database;
mod encoding;
mod import;
mod key_parser;
mod kv_file;
mod memory_store;
mod model;
mod record_decoder;
mod round_trip;
mod row;
mod table;
mod table_key;
mod table_value;

pub use carried_tables::carried_tables;
pub use compare::compare;
pub use import::import;
pub use key_parser::key_parser;
pub use kv_file::kv_file;
pub use record_decoder::record_decoder;
pub use round_trip::round_trip;
pub use table_key::table_key;
pub use table_value::table_value;
