//! The global options, and output to the user.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use chunkmigrate::Progress;
use clap::{ArgAction, Args, ValueEnum};
use serde::Serialize;

use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::term::json::{Document, write_safe_json};
use crate::cli::term::logger::Logger;
use crate::cli::term::output::Output;
use crate::cli::term::progress::{ProgressMode, TerminalProgress};
use crate::cli::term::signals::SignalFlag;
use crate::cli::term::terminal_escape::escaped;

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Format of the report
    ///
    /// Doesn't affect help, completions, man pages or exports.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Print no human-readable report and no progress; errors are still printed
    ///
    /// The exit status gives the outcome. With --progress always, progress is shown anyway.
    ///
    /// [default: report to stdout, progress to stderr]
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Tell on stderr what is done and why; twice, also how long each stage takes
    ///
    /// Reports are longer: they list all tables that were not copied. No progress bars are shown.
    ///
    /// [default: the report, and errors]
    #[arg(long, short, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// When to show progress on stderr
    ///
    /// On a terminal: a bar with rate and time left. Otherwise, with always: one line per second.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
    /// When to use colour
    ///
    /// With auto, NO_COLOR turns colour off.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable text
    Human,
    /// One JSON document
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    Auto,
    /// Even without a terminal
    Always,
    /// Never
    Never,
}

impl From<When> for ColorChoice {
    fn from(when: When) -> Self {
        match when {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        }
    }
}

pub(crate) struct Ui {
    format: Format,
    quiet: bool,
    verbosity: u8,
    mode: ProgressMode,
    color: ColorChoice,
    stop: SignalFlag,
    started: Instant,
}

impl Ui {
    pub(crate) fn new(args: &GlobalArgs) -> Self {
        let mode = match (args.progress, io::stderr().is_terminal()) {
            (When::Auto, _) if args.quiet || args.verbose > 0 => ProgressMode::Hidden,
            (When::Never, _) | (When::Auto, false) => ProgressMode::Hidden,
            (When::Auto, true) if is_dumb() => ProgressMode::Hidden,
            (_, true) if !is_dumb() => ProgressMode::Bars,
            _ => ProgressMode::Lines,
        };
        let started = Instant::now();
        Logger::install(args.verbose, started);
        Ui {
            format: args.format,
            quiet: args.quiet,
            verbosity: args.verbose,
            mode,
            color: args.color.into(),
            // Without handlers a signal ends the process at once, which is safe too.
            stop: SignalFlag::install().unwrap_or_default(),
            started,
        }
    }

    /// The settings for arguments that could not be parsed.
    pub(crate) fn unparsed(format: Format, color: When) -> Self {
        Ui {
            format,
            quiet: false,
            verbosity: 0,
            mode: ProgressMode::Hidden,
            color: color.into(),
            stop: SignalFlag::default(),
            started: Instant::now(),
        }
    }

    /// Maximum number of findings of each class to print: by default, more for programs than for people.
    pub(crate) fn limit(&self, said: Option<usize>) -> usize {
        said.unwrap_or(match self.format {
            Format::Human => 10,
            Format::Json => 1000,
        })
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress::new(TerminalProgress::new(self.mode, self.stop.clone()))
    }

    /// Prints a report to stdout, as text or as JSON.
    pub(crate) fn report(
        &self,
        human: impl FnOnce(&mut Output<'_>) -> io::Result<()>,
        json: &impl Serialize,
    ) -> Result<(), CliError> {
        let written = match self.format {
            // Not through the colour-adapting stream, which would drop bytes of strings.
            Format::Json => write_json(json),
            Format::Human if self.quiet => Ok(()),
            Format::Human => {
                let columns = stdout_columns();
                let mut out = AutoStream::new(io::stdout(), self.color).lock();
                let elapsed = self.started.elapsed();
                let mut text = Output::new(&mut out, columns, elapsed).verbose(self.verbosity > 0);
                human(&mut text).and_then(|()| out.flush())
            }
        };
        ignore_broken_pipe(written)
    }

    /// Prints text to stdout, with colours if enabled.
    pub(crate) fn print(&self, text: &dyn Display) -> Result<(), CliError> {
        let mut out = AutoStream::new(io::stdout(), self.color).lock();
        ignore_broken_pipe(write!(out, "{text}").and_then(|()| out.flush()))
    }

    /// Prints output for another program to stdout.
    pub(crate) fn print_raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        ignore_broken_pipe(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Prints text to stderr, with colours if enabled.
    pub(crate) fn tell(&self, text: &dyn Display) {
        let mut stderr = AutoStream::new(io::stderr(), self.color).lock();
        // If stderr can't be written, the error can't be reported either.
        let _ = write!(stderr, "{text}");
    }

    pub(crate) fn warn(&self, text: &str) {
        self.tell(&format_args!("{}\n", escaped(text)));
    }

    /// Prints an error and returns the exit status.
    pub(crate) fn fail(&self, failure: &CliError) -> Exit {
        let exit = match (failure.is_cancelled(), self.stop.signal()) {
            (true, Some(signal)) => Exit::Signal(signal),
            _ => Exit::Failed,
        };
        let told = match self.format {
            Format::Json => write_json(&failure.document()),
            Format::Human => Err(ErrorKind::Unsupported.into()),
        };
        if told.is_err() {
            let mut stderr = AutoStream::new(io::stderr(), self.color).lock();
            // If stderr can't be written, the error can't be reported either.
            let _ = failure.write(&mut stderr);
        }
        exit
    }
}

/// The width of the terminal that stdout is, if it is one.
fn stdout_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

/// Whether the terminal can't redraw a line.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// Ignores a closed pipe: the reader closed it because it has read enough.
pub(crate) fn ignore_broken_pipe(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::output(&error)),
        _ => Ok(()),
    }
}

fn write_json(result: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write_safe_json(&mut out, &Document::new(result))?;
    out.write_all(b"\n")?;
    out.flush()
}
