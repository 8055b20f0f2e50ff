use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use chunkmigrate::Error;
use chunkmigrate::migrate::{EndLine, ImportSource, import_to_kv, import_to_sqlite};
use chunkmigrate::table::TableSelection;
use clap::{ValueEnum, ValueHint};

use crate::cli::commands::copy_args::{CopyArgs, DatabaseArgs, EXIT_STATUS, report};
use crate::cli::commands::path_arg::store_parser;
use crate::cli::commands::tables_arg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::term::shell::{path_arg, quoted, shell_command};
use crate::cli::term::ui::Ui;

/// Build a store from exported JSON Lines (NDJSON)
///
/// Each line is {"kind": ..., "key": ..., "value": {...}}. Lines may be in any order and any JSON
/// formatting, with blank lines between. Every line is validated: an invalid line is reported by
/// line number, and so are all lines that share a key or an id. The end line of an export must
/// match the lines; without one, it is unknown whether the text is complete. Rows of carried tables
/// need the line that describes the tables; a new database gets them as kv-to-sqlite creates
/// them. All lines are read
/// before anything is written, into a temporary file of about their size. As with every copy, each
/// record is read back from the new store and compared before the store is published.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[EXIT_STATUS, EXAMPLES]))]
pub(crate) struct Args {
    /// The lines to read: a file, a pipe, or - for stdin
    #[arg(value_name = "NDJSON", value_hint = ValueHint::FilePath)]
    source: PathBuf,
    /// The store to create, or with --merge to merge into
    #[arg(value_name = "FILE", value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    target: PathBuf,
    /// Kind of the target store (required)
    #[arg(long, value_enum, value_name = "STORE")]
    to: Store,
    /// Fail if there is no end line
    ///
    /// Every export ends with one, unless it failed.
    ///
    /// [default: import text without an end line, with a warning]
    #[arg(long)]
    require_end: bool,
    /// Accept text without any lines
    ///
    /// Empty text is what a failed export leaves. The export of a store without records has an end
    /// line.
    ///
    /// [default: text without any lines is an error]
    #[arg(long)]
    allow_empty: bool,
    /// Import only these tables (comma-separated), or all
    ///
    /// With a list, the rest of a whole database is not restored. Quote a name as in SQL if it has a
    /// comma or is all.
    ///
    /// With --merge, rows are merged by their primary keys into tables that the target has.
    ///
    /// [default: all tables that the text describes; with --merge none]
    #[arg(long, value_name = "LIST", value_parser = tables_arg::parse, value_hint = ValueHint::Other)]
    tables: Vec<TableSelection>,
    #[command(flatten)]
    copy: CopyArgs,
}

/// Filters out the end lines of a text.
const WITHOUT_END_LINE: &str = "jq -c 'select(.kind != \"end\")'";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Store {
    /// A KV file
    Kv,
    /// A SQLite database
    Sqlite,
}

const EXAMPLES: &str = "
Examples:
  Build a KV file from an export:
      chunkmigrate import code.ndjson new.kv --to kv
  Build a database from its chunks:
      chunkmigrate import code.ndjson new.db --to sqlite --only chunk
  Restore a whole database from an export with --tables all:
      chunkmigrate import code.ndjson back.db --to sqlite
  Merge its records into an existing store:
      chunkmigrate import code.ndjson code.kv --to kv --merge
  Copy one store to another through a pipe:
      chunkmigrate export code.kv | chunkmigrate import - new.db --to sqlite
  Import only if the end line shows that the text is complete:
      chunkmigrate import code.ndjson new.kv --to kv --require-end
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let options = args.copy.options(&DatabaseArgs::default(), ui);
    let options = options
        .tables(args.tables.iter().cloned().collect())
        .require_end(args.require_end)
        .allow_empty(args.allow_empty);
    let source = match args.source == Path::new("-") {
        false => ImportSource::File(&args.source),
        true => ImportSource::Reader { name: Path::new("stdin"), reader: Box::new(io::stdin()) },
    };
    let import = match args.to {
        Store::Kv => import_to_kv,
        Store::Sqlite => import_to_sqlite,
    };
    let summary = import(source, &args.target, &options, &ui.progress())
        .map_err(|error| failure(error, &args.source))?;
    if summary.end_line == Some(EndLine::Missing) {
        ui.warn("warning: no end line: completeness unknown");
    }
    report(&summary, ui)
}

/// The error, with a command that can import the text, if there is one.
fn failure(error: Error, source: &Path) -> CliError {
    let filter = match &error {
        Error::LineCount { .. } | Error::LinesDiffer { .. } => Some(WITHOUT_END_LINE),
        Error::OtherFormat { format, .. } => format.to_stdout(),
        _ => None,
    };
    let command = filter.and_then(|filter| import_through(filter, source));
    CliError::from(error).with_command(command)
}

/// The command line of this process with the source read through a filter; for a pipe only the
/// filter.
fn import_through(filter: &str, source: &Path) -> Option<String> {
    if source == Path::new("-") {
        return Some(filter.to_owned());
    }
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let behind_command = arguments.iter().position(|word| word == "import")? + 1;
    let words = arguments.get_mut(behind_command..)?;
    *words.iter_mut().find(|word| word.as_os_str() == source)? = "-".into();
    let import = shell_command(arguments.iter().map(OsString::as_os_str))?;
    let source = quoted(&path_arg(source))?;
    Some(format!("{filter} {source} | {import}"))
}
