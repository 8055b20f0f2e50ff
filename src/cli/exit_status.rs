use std::process::ExitCode;

/// Exit statuses, as documented in `--help` and the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Success; everything compared was equal.
    Done,
    /// Stores diverge, or there are invalid rows.
    Diverged,
    /// The operation failed or its result is unknown.
    Failed,
    /// Stopped by a signal with this number.
    Signal(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Diverged => 1,
            Exit::Failed => 2,
            Exit::Signal(number) => 128 + number,
        })
    }
}

/// The meaning of a command's exit statuses; `None` for those it never returns.
pub(super) struct ExitStatusHelp {
    /// The meaning of 0.
    pub(super) done: &'static str,
    /// The meaning of 1.
    pub(super) diverged: Option<&'static str>,
    /// The state after a signal.
    pub(super) stopped: Option<&'static str>,
}

impl ExitStatusHelp {
    /// Each status with its meaning.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let failed = match self.diverged {
            Some(_) => {
                "error: bad usage, unreadable or corrupt input, I/O failure, or out of memory"
            }
            None => "error: bad usage or I/O failure",
        };
        let mut entries = vec![("0", self.done.to_owned())];
        entries.extend(self.diverged.map(|text| ("1", text.to_owned())));
        entries.push(("2", failed.to_owned()));
        entries.extend(self.stopped.map(|text| {
            let text = format!("interrupted by SIGHUP, SIGINT or SIGTERM: {text}");
            ("129, 130, 143", text)
        }));
        entries
    }
}
