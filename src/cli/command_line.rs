//! The commands and options as clap knows them.

use chunkmigrate::kv::FORMAT_VERSION;
use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory as _};

use super::Cli;

/// What the program is called.
pub(super) const NAME: &str = "chunkmigrate";

/// The program with all its commands.
pub(super) fn command() -> Command {
    let command = Cli::command();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    // `man` knows the commands only here, where all of them are there.
    command.mut_subcommand("man", |man| {
        man.mut_arg("command", |arg| {
            arg.value_parser(PossibleValuesParser::new(names))
        })
    })
}

/// What `--version` tells: all that decides which files can be read.
pub(super) fn long_version() -> String {
    format!(
        "{}\nKV format {FORMAT_VERSION}\nSQLite {}",
        env!("CARGO_PKG_VERSION"),
        rusqlite::version()
    )
}
