//! Errors as the user sees them: what happened, why, and what to do next.

mod hint;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chunkmigrate::Error;
use serde::Serialize;

use self::hint::{Hint, hint};
use super::term::terminal_escape::escaped;

/// An error that ends the program with a status of 2 or more.
#[derive(Debug, Default)]
pub(super) struct CliError {
    message: String,
    causes: Vec<String>,
    hint: Option<Hint>,
    /// A command that carries out the hint.
    command: Option<Box<str>>,
    /// The options of the command with their dashes, if it is known.
    options: Option<Box<[String]>>,
    cancelled: bool,
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            // SQLite's bare error code says less than the message above it.
            if !error.is::<rusqlite::ffi::Error>() {
                causes.push(error.to_string());
            }
            cause = error.source();
        }
        CliError {
            message: error.to_string(),
            causes,
            hint: hint(&error),
            cancelled: matches!(error, Error::Cancelled),
            ..CliError::default()
        }
    }
}

impl CliError {
    /// An invalid argument.
    pub(super) fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let about: Vec<&str> =
            text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        CliError {
            message: about.join(" ").trim_start_matches("error: ").to_owned(),
            hint: Some("run with --help for usage".into()),
            ..CliError::default()
        }
    }

    /// A report could not be written.
    pub(super) fn output(error: &io::Error) -> Self {
        CliError {
            message: "cannot write to stdout".to_owned(),
            causes: vec![error.to_string()],
            ..CliError::default()
        }
    }

    /// Restricts the hint to options that the command has, if it is known.
    pub(super) fn of_command(mut self, options: Option<Vec<String>>) -> Self {
        self.options = options.map(Vec::into_boxed_slice);
        self
    }

    /// Adds a command that carries out the hint, if there is one.
    pub(super) fn with_command(mut self, command: Option<String>) -> Self {
        self.command = command.map(String::into_boxed_str);
        self
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = self.hint?.for_command(self.options.as_deref());
        Some(match &self.command {
            Some(command) => format!("{hint}: `{command}`").into(),
            None => hint.into(),
        })
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        writeln!(out, "{red}error:{red:#} {}", escaped(&self.message))?;
        for cause in &self.causes {
            writeln!(out, "  caused by: {}", escaped(cause))?;
        }
        if let Some(hint) = self.hint() {
            writeln!(out, "{cyan}hint:{cyan:#} {}", escaped(&hint))?;
        }
        Ok(())
    }

    /// The error as a JSON document.
    pub(super) fn document(&self) -> impl Serialize + use<'_> {
        Document {
            error: ErrorJson { message: &self.message, causes: &self.causes, hint: self.hint() },
        }
    }
}

#[derive(Serialize)]
struct Document<'f> {
    error: ErrorJson<'f>,
}

#[derive(Serialize)]
struct ErrorJson<'f> {
    message: &'f str,
    causes: &'f [String],
    hint: Option<Cow<'static, str>>,
}

#[cfg(test)]
mod tests;
