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
