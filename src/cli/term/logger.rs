//! Prints what the library logs, for `--verbose`.

use std::io::{self, Write as _};
use std::time::Instant;

use log::{LevelFilter, Log, Metadata, Record};

use crate::cli::term::terminal_escape::escaped;

/// Writes lines with the seconds since the start of the program to stderr.
pub(super) struct Logger {
    started: Instant,
}

impl Logger {
    /// Logs what is done and why if `verbosity` is 1, and each stage if it is more.
    pub(super) fn install(verbosity: u8, started: Instant) {
        let level = match verbosity {
            0 => return,
            1 => LevelFilter::Info,
            _ => LevelFilter::Debug,
        };
        // There is no other logger: it is installed once.
        if log::set_boxed_logger(Box::new(Logger { started })).is_ok() {
            log::set_max_level(level);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("chunkmigrate")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let seconds = self.started.elapsed().as_secs_f64();
            let text = record.args().to_string();
            // If stderr can't be written, that can't be reported either.
            let _ = writeln!(io::stderr(), "[{seconds:7.3} s] {}", escaped(&text));
        }
    }

    fn flush(&self) {}
}
