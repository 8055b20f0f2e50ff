use std::io::{self, Write};
use std::path::PathBuf;

use chunkmigrate::internal::{SampleFile, write_sample};
use clap::ValueHint;
use indicatif::HumanBytes;

use crate::cli::commands::path_arg::store_parser;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::report::copy::write_target_facts;
use crate::cli::report::suggestions::after_sample;
use crate::cli::report::table::write_kinds;
use crate::cli::term::output::Output;
use crate::cli::term::terminal_escape::escaped_path;
use crate::cli::term::ui::Ui;

/// Write the built-in sample as a SQLite database, to try the other commands on
///
/// It holds the records that `chunkmigrate verify` without a file checks: text, paths, ids and numbers
/// that are hard to encode. The database is complete when it appears, and the same each time.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[AFTER_HELP]))]
pub(crate) struct Args {
    /// The database to create
    #[arg(value_name = "SQLITE", value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    target: PathBuf,
    /// Replace an existing database once the new one is complete
    ///
    /// [default: create a new database; fail if it exists]
    #[arg(long)]
    replace: bool,
}

const AFTER_HELP: &str = "
Exit status:
  0
      the database was written
  2
      error: bad usage or I/O failure
  129, 130, 143
      interrupted by SIGHUP, SIGINT or SIGTERM: no database was written, one that was there is unchanged

Examples:
  Write the sample:
      chunkmigrate sample sample.db
  Restore the sample after you changed it:
      chunkmigrate sample code.db --replace
  Write it and copy it into a KV file:
      chunkmigrate sample my.db && chunkmigrate sqlite-to-kv my.db my.kv
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let sample = write_sample(&args.target, args.replace, &ui.progress())?;
    ui.report(|out| write(out, &sample), &sample)?;
    Ok(Exit::Done)
}

fn write(out: &mut Output<'_>, sample: &SampleFile) -> io::Result<()> {
    let path = escaped_path(&sample.path);
    writeln!(out, "{path} (SQLite), {}\n", HumanBytes(sample.file_bytes))?;
    let kinds = sample.records.iter();
    let kinds = kinds.map(|(kind, count)| (kind.name().to_owned(), vec![*count]));
    write_kinds(out, &["records"], kinds)?;
    if !(sample.lost_access.is_empty() && sample.leftover_dirs.is_empty()) {
        writeln!(out)?;
        write_target_facts(out, &sample.lost_access, &sample.leftover_dirs)?;
    }
    if let Some(step) = after_sample(&sample.path) {
        writeln!(out)?;
        step.write(out)?;
    }
    Ok(())
}
