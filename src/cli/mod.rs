//! Flags in, reports out. One file a subcommand.

mod copy_args;
mod copy_document;
mod copy_report;
mod copy_verdict;
mod escape;
mod exit;
mod export;
mod failure;
mod finding_report;
mod hint;
mod html;
mod import;
mod inspect;
mod kind;
mod kv_to_sqlite;
mod other_tables;
mod progress;
mod safe_json;
mod signals;
mod sqlite_to_kv;
mod table;
mod ui;
mod verify;
mod verify_document;
mod verify_report;
mod verify_verdict;
mod words;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use chunkmigrate::Error;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use self::exit::Exit;
use self::failure::Failure;
use self::ui::{GlobalArgs, Ui};

/// Move code chunks, metrics and execution logs between SQLite and a key-value file, with proof
///
/// Every record is read back from what was written and compared. What can't be carried over exactly
/// is named, and nothing is lost in silence.
#[derive(Debug, Parser)]
#[command(name = "chunkmigrate", version, arg_required_else_help = true)]
#[command(after_long_help = EXIT_STATUSES)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUSES: &str = "\
Exit status:
    0         done; everything compared, everything equal
    1         divergence found, or rows that are no records
    2         could not be done, or its outcome not be established
    129, 130, 143
              interrupted (SIGHUP, SIGINT, SIGTERM); nothing published";

#[derive(Debug, Subcommand)]
enum Command {
    SqliteToKv(sqlite_to_kv::Args),
    KvToSqlite(kv_to_sqlite::Args),
    Verify(verify::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    Import(import::Args),
}

/// Runs the program with the arguments of the process.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
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
    }));
    let panicked = || Error::Internal("the program panicked".to_owned()).into();
    match outcome.unwrap_or_else(|_| Err(panicked())) {
        Ok(exit) => exit,
        Err(failure) => ui.fail(&failure),
    }
    .into()
}

/// Prints help or what is wrong with the arguments.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // Nothing is lost with help that nobody reads.
        let _ = error.print();
        return Exit::Done;
    }
    match wants_json(arguments) {
        true => Ui::json().fail(&Failure::usage(error)),
        // Arguments, which may be names of files, are quoted as they are.
        false if !arguments.iter().all(is_plain) => {
            let mut stderr = anstream::stderr().lock();
            let _ = Failure::usage(error).write(&mut stderr);
            Exit::Failed
        }
        false => {
            let _ = error.print();
            Exit::Failed
        }
    }
}

/// Whether an argument may be shown on a terminal.
fn is_plain(argument: &OsString) -> bool {
    argument.to_string_lossy().chars().all(escape::is_plain)
}

/// Whether arguments that could not be parsed ask for JSON.
fn wants_json(arguments: &[OsString]) -> bool {
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    arguments.iter().any(|argument| argument == "--format=json")
        || pairs
            .into_iter()
            .any(|(flag, value)| flag == "--format" && value == "json")
}
