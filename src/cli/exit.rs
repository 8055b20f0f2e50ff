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
