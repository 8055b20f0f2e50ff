//! The command-line interface: parses arguments and prints reports.

mod after_verify;
mod arg_errors;
mod command_line;
mod commands;
mod exit_status;
mod failure;
mod help_sections;
mod html;
mod report;
mod term;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use chunkmigrate::Error;
use clap::{FromArgMatches as _, Parser, Subcommand};

use self::arg_errors::usage;
use self::command_line::{command, long_version};
use self::commands::{
    completions, export, import, inspect, kv_to_sqlite, man, sample, sqlite_to_kv, verify,
};
use self::help_sections::after_help;
use self::term::ui::{GlobalArgs, Ui};

/// Migrate code chunks, metrics and execution logs between SQLite and KV files, and verify them
///
/// Every record is read back from the target and compared. What cannot be copied exactly is
/// reported; nothing is lost silently.
#[derive(Debug, Parser)]
#[command(name = command_line::NAME, version, long_version = long_version())]
#[command(arg_required_else_help = true, after_long_help = after_help(&[AFTER_HELP]))]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "
Exit status:
  0
      success; everything that was compared is equal
  1
      divergences found, or invalid or rejected items
  2
      error: bad usage, unreadable or corrupt input, I/O failure, or out of memory
  129, 130, 143
      interrupted by SIGHUP, SIGINT or SIGTERM: nothing was published, temporary files were removed

Examples:
  Check with built-in records that it works here:
      chunkmigrate verify
  Copy a database to a KV file:
      chunkmigrate sqlite-to-kv code.db new.kv
  Compare two stores record by record:
      chunkmigrate verify code.db code.kv
  Copy a KV file to a database:
      chunkmigrate kv-to-sqlite code.kv new.db
  Show all options of a command:
      chunkmigrate sqlite-to-kv --help
";

#[derive(Debug, Subcommand)]
enum Command {
    SqliteToKv(sqlite_to_kv::Args),
    KvToSqlite(kv_to_sqlite::Args),
    Verify(verify::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    Import(import::Args),
    Sample(sample::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the program with the arguments of the process.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let matches = command().try_get_matches_from(&arguments);
    let options = matches.as_ref().ok().and_then(options_of_command);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments).into(),
    };
    let ui = Ui::new(&cli.global);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| match cli.command {
        Command::SqliteToKv(args) => sqlite_to_kv::run(&args, &ui),
        Command::KvToSqlite(args) => kv_to_sqlite::run(&args, &ui),
        Command::Verify(args) => verify::run(&args, &ui),
        Command::Inspect(args) => inspect::run(&args, &ui),
        Command::Export(args) => export::run(&args, &ui),
        Command::Import(args) => import::run(&args, &ui),
        Command::Sample(args) => sample::run(&args, &ui),
        Command::Completions(args) => completions::run(&args, &ui),
        Command::Man(args) => man::run(&args, &ui),
    }));
    let panicked = || Error::Internal("the program panicked".to_owned()).into();
    match outcome.unwrap_or_else(|_| Err(panicked())) {
        Ok(exit) => exit,
        Err(failure) => ui.fail(&failure.of_command(options)),
    }
    .into()
}

/// The options of the selected command, with their dashes.
fn options_of_command(matches: &clap::ArgMatches) -> Option<Vec<String>> {
    let mut program = command();
    program.build();
    let command = program.find_subcommand(matches.subcommand_name()?)?;
    Some(long_options(command))
}

fn long_options(command: &clap::Command) -> Vec<String> {
    let names = command.get_arguments().filter_map(clap::Arg::get_long);
    names.map(|name| format!("--{name}")).collect()
}
