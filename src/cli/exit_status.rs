use std::process::ExitCode;

/// Exit statuses, as `--help` and the README state them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Everything done, everything compared equal.
    Done,
    /// Stores diverge, or rows are no records.
    Diverged,
    /// It could not be done, or its outcome could not be established.
    Failed,
    /// Stopped by a signal, by its number.
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

/// What the exit statuses of a command mean; what is `None` never comes of it.
pub(super) struct ExitStatusHelp {
    /// What 0 means.
    pub(super) done: &'static str,
    /// What 1 means.
    pub(super) diverged: Option<&'static str>,
    /// How things are after a signal.
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
