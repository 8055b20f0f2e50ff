use std::path::PathBuf;

use chunkmigrate::migrate;
use clap::ValueHint;

use crate::cli::commands::copy_args::{CopyArgs, DatabaseArgs, EXIT_STATUS, report};
use crate::cli::commands::path_arg::store_parser;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::term::ui::Ui;

/// Copy the records of a SQLite database into a KV file
///
/// The source is read in one transaction and never changed. Every record is read back from the new
/// target and compared before the target is published, complete or not at all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[EXIT_STATUS, EXAMPLES]))]
pub(crate) struct Args {
    /// The database to read
    #[arg(value_name = "SQLITE", value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    source: PathBuf,
    /// The KV file to create, or with --merge to merge into
    #[arg(value_name = "KV", value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    target: PathBuf,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

const EXAMPLES: &str = "
Examples:
  Copy everything to a new KV file:
      chunkmigrate sqlite-to-kv code.db new.kv
  Preview what would be copied:
      chunkmigrate sqlite-to-kv code.db new.kv --dry-run
  Copy two kinds of records:
      chunkmigrate sqlite-to-kv code.db new.kv --only chunk,file-metrics
  Recreate a KV file, skipping invalid rows:
      chunkmigrate sqlite-to-kv code.db code.kv --replace --on-invalid skip
  Replace a KV file with a fresh copy of the database:
      chunkmigrate sqlite-to-kv code.db code.kv --replace
  Add to a KV file, keeping its other records:
      chunkmigrate sqlite-to-kv code.db code.kv --merge
  Save the summary as JSON:
      chunkmigrate sqlite-to-kv code.db new.kv --format json > summary.json
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let options = args.copy.options(&args.database, ui);
    let summary = migrate::sqlite_to_kv(&args.source, &args.target, &options, &ui.progress())?;
    report(&summary, ui)
}
