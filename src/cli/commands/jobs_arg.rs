use std::num::NonZeroUsize;

use clap::ValueHint;

/// The option for the number of threads.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct JobsArg {
    /// Number of threads that convert and check records
    ///
    /// The threads that read, write and hash come on top. More threads don't take more memory for
    /// records.
    ///
    /// [default: as many as there are cores that the process may use]
    #[arg(short, long, value_name = "N", value_hint = ValueHint::Other)]
    pub(crate) jobs: Option<NonZeroUsize>,
}
