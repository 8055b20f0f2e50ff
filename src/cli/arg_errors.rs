//! Handles arguments that ask for help or the version, or are invalid.

use std::ffi::OsString;

use clap::ValueEnum;

use super::exit_status::Exit;
use super::failure::CliError;
use super::term::terminal_escape;
use super::term::ui::{Format, Ui, When};

pub(super) fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let format = given(arguments, "--format").unwrap_or(Format::Human);
    let color = given(arguments, "--color").unwrap_or(When::Auto);
    let ui = Ui::unparsed(format, color);
    let text = error.render();
    if !error.use_stderr() {
        return match ui.print(&text.ansi()) {
            Ok(()) => Exit::Done,
            Err(failure) => ui.fail(&failure),
        };
    }
    // clap quotes arguments, which may be file names, without escaping them.
    if format == Format::Json || !arguments.iter().all(is_plain) {
        return ui.fail(&CliError::usage(error));
    }
    ui.tell(&text.ansi());
    Exit::Failed
}

/// The value of an option in unparsed arguments.
fn given<V: ValueEnum>(arguments: &[OsString], option: &str) -> Option<V> {
    let values = arguments.iter().skip(1).map(Some).chain([None]);
    arguments
        .iter()
        .zip(values)
        .find_map(|(argument, next)| match argument.to_str()?.strip_prefix(option)? {
            "" => next?.to_str(),
            rest => rest.strip_prefix('='),
        })
        .and_then(|value| V::from_str(value, false).ok())
}

/// Whether an argument can be shown on a terminal unescaped.
fn is_plain(argument: &OsString) -> bool {
    argument.to_string_lossy().chars().all(terminal_escape::is_plain)
}
