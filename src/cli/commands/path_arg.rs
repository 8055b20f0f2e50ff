//! Paths on the command line, of which none may be stdin or stdout unless a command says so.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};

/// A store, which must be a file.
pub(crate) fn store_parser() -> impl TypedValueParser<Value = PathBuf> {
    parser("a store is not read and written from start to end, as stdin and stdout are")
}

/// A file that is written next to the report.
pub(crate) fn output_parser() -> impl TypedValueParser<Value = PathBuf> {
    parser("stdout has the report")
}

fn parser(why: &'static str) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(move |path| match path == Path::new("-") {
        true => Err(format!("{why} (a file of that name is ./-)")),
        false => Ok(path),
    })
}
