use std::path::PathBuf;

use chunkmigrate::migrate;
use chunkmigrate::table::TableSelection;
use clap::ValueHint;

use crate::cli::commands::copy_args::{CopyArgs, DatabaseArgs, EXIT_STATUS, report};
use crate::cli::commands::path_arg::store_parser;
use crate::cli::commands::tables_arg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::term::ui::Ui;

/// Copy the records of a KV file into a SQLite database
///
/// The KV file is checked page by page and never changed. A new database gets Magellan's tables and
/// indexes; every record is read back from it and compared before it is published, complete or not
/// at all. With --merge, the records are written into the tables of an existing database, in one
/// transaction, and the rest of it stays unchanged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[EXIT_STATUS, EXAMPLES]))]
pub(crate) struct Args {
    /// The KV file to read
    #[arg(value_name = "KV", value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    source: PathBuf,
    /// The database to create, or with --merge to merge into
    #[arg(value_name = "SQLITE", value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    target: PathBuf,
    #[command(flatten)]
    copy: CopyArgs,
    /// With --merge, merge the rows of these tables too (comma-separated)
    ///
    /// Rows are matched by their primary keys: a row of the target with the same key is overwritten.
    /// The tables must exist in the target, with the same columns. A new database gets all tables
    /// that the KV file carries.
    ///
    /// [default: none, only the four kinds of records]
    #[arg(long, value_name = "LIST", value_parser = tables_arg::parse, value_hint = ValueHint::Other, requires = "merge")]
    tables: Vec<TableSelection>,
}

const EXAMPLES: &str = "
Examples:
  Copy everything to a new database:
      chunkmigrate kv-to-sqlite code.kv new.db
  Merge the records into the database of the indexer:
      chunkmigrate kv-to-sqlite code.kv magellan.db --merge
  Preview what that would change:
      chunkmigrate kv-to-sqlite code.kv magellan.db --merge --dry-run
  Recreate a database with only chunks:
      chunkmigrate kv-to-sqlite code.kv code.db --only chunk --replace
  Save the summary as JSON:
      chunkmigrate kv-to-sqlite code.kv new.db --format json > summary.json
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let options = args.copy.options(&DatabaseArgs::default(), ui);
    let options = options.tables(args.tables.iter().cloned().collect());
    let summary = migrate::kv_to_sqlite(&args.source, &args.target, &options, &ui.progress())?;
    report(&summary, ui)
}
