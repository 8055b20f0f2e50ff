use std::io;
use std::path::{Path, PathBuf};

use chunkmigrate::migrate::{ImportSource, import_to_kv, import_to_sqlite};
use clap::{ValueEnum, ValueHint};

use super::after_help::AfterHelp;
use super::copy_args::{CopyArgs, DatabaseArgs, STATUSES, report};
use super::exit::Exit;
use super::failure::Failure;
use super::ui::Ui;

/// Make a store of the lines that an export wrote
///
/// Each line is {"kind": ..., "key": ..., "value": {...}}. Their order, spaces in them and blank
/// lines don't matter; what they say does: a line that is no record is named with its number, and
/// so are all lines that share a key or an id. All lines are read before anything is written, into
/// a temporary file of about their size. As for every copy, each record is read back from the new
/// store and compared before it appears.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(super) struct Args {
    /// The lines to read: a file, a pipe, or - for stdin
    #[arg(value_name = "NDJSON", value_hint = ValueHint::FilePath)]
    source: PathBuf,
    /// The store to make, or with --merge to write into
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    target: PathBuf,
    /// Which kind of store it is
    ///
    /// [default: none, it has to be said]
    #[arg(long, value_enum, value_name = "STORE")]
    to: Store,
    #[command(flatten)]
    copy: CopyArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Store {
    /// A KV file
    Kv,
    /// A SQLite database
    Sqlite,
}

fn after_help() -> String {
    AfterHelp::default().end(
        &STATUSES,
        &[
            (
                "Make a KV file of an export",
                "chunkmigrate import code.ndjson new.kv --to kv",
            ),
            (
                "Make a database of its chunks",
                "chunkmigrate import code.ndjson new.db --to sqlite --only chunk",
            ),
            (
                "Add its records to a store that is there already",
                "chunkmigrate import code.ndjson code.kv --to kv --merge",
            ),
            (
                "Go from one store to another through a pipe",
                "chunkmigrate export code.kv | chunkmigrate import - new.db --to sqlite",
            ),
        ],
    )
}

pub(super) fn run(args: &Args, ui: &Ui) -> Result<Exit, Failure> {
    let options = args.copy.options(&DatabaseArgs::default());
    let source = match args.source == Path::new("-") {
        false => ImportSource::File(&args.source),
        true => ImportSource::Reader {
            name: Path::new("stdin"),
            reader: Box::new(io::stdin()),
        },
    };
    let import = match args.to {
        Store::Kv => import_to_kv,
        Store::Sqlite => import_to_sqlite,
    };
    let summary = import(source, &args.target, &options, &ui.progress())?;
    report(&summary, ui)
}
