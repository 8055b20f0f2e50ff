//! Shared by the integration tests, the fuzz targets and the benchmark. What only one of them needs
//! is with it: `tests/common` runs the program, `fuzz/src` has the models.

pub mod big_database;
pub mod folder;
pub mod input;
pub mod kv_file;
pub mod records;
