use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chunkmigrate::Error;
use clap::{Command, ValueHint};

use crate::cli::command_line::{NAME, command};
use crate::cli::commands::man_page::man_page;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::term::terminal_escape::escaped_path;
use crate::cli::term::ui::Ui;

/// Print the manual page of the program or of a command, or write all pages
///
/// A page goes to stdout as roff, the input of `man` and `groff`; it ignores --format and --quiet.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[AFTER_HELP]))]
pub(crate) struct Args {
    /// The command whose page to print
    ///
    /// [default: the program itself]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    command: Option<String>,
    /// Write the pages of the program and of every command into this directory
    ///
    /// The directory must exist; pages in it are overwritten.
    ///
    /// [default: none, one page goes to stdout]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

const AFTER_HELP: &str = "
Exit status:
  0
      the page was printed, or all pages were written
  2
      error: bad usage or I/O failure

Examples:
  Write the page of a command to a file:
      chunkmigrate man verify > verify.1
  Write all pages where `man -M man chunkmigrate` finds them:
      mkdir -p man/man1 && chunkmigrate man --dir man/man1
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    // No page for `help`, which only prints other commands' help.
    let mut program = command().disable_help_subcommand(true);
    program.build();
    match &args.dir {
        Some(dir) => {
            let pages = write_pages(&program, dir)?;
            let paths: Vec<_> = pages.iter().map(|page| page.to_string_lossy()).collect();
            let mut shown = pages.iter().map(|page| escaped_path(page));
            ui.report(
                |out| shown.try_for_each(|page| writeln!(out, "written  {page}")),
                &BTreeMap::from([("pages", paths)]),
            )?;
        }
        None => {
            let command = args.command.as_deref();
            let command = command.and_then(|name| program.find_subcommand(name));
            ui.print_raw(&man_page(command.unwrap_or(&program)))?;
        }
    }
    Ok(Exit::Done)
}

/// Writes the pages of the program and of its commands, and returns their paths.
fn write_pages(program: &Command, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    if let Err(error) = fs::read_dir(dir) {
        return Err(match error.kind() {
            ErrorKind::NotFound => Error::ParentMissing { path: dir.to_owned() },
            _ => Error::Io { action: "write to", path: dir.to_owned(), source: error },
        });
    }
    std::iter::once(program)
        .chain(program.get_subcommands())
        .map(|command| {
            let name = command.get_display_name().unwrap_or(NAME);
            let path = dir.join(format!("{name}.1"));
            match write_whole(dir, &path, &man_page(command)) {
                Ok(()) => Ok(path),
                Err(source) => Err(Error::Io { action: "write", path, source }),
            }
        })
        .collect()
}

/// Writes a page into a directory atomically; if that fails, an old page is kept.
fn write_whole(dir: &Path, path: &Path, page: &[u8]) -> io::Result<()> {
    let mut file =
        tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(dir)?;
    file.write_all(page)?;
    file.persist(path)?;
    Ok(())
}
