use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// Number of threads that convert and check records. The threads that read, write and hash come on
/// top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jobs(usize);

impl Jobs {
    /// The reading thread does the work itself.
    pub(crate) const IN_READER: Jobs = Jobs(0);

    /// The requested number, by default the number of cores that the process may use: affinity and
    /// cgroup limits included.
    pub(crate) fn new(requested: Option<NonZeroUsize>) -> Self {
        let cores = || available_parallelism().map_or(1, NonZeroUsize::get);
        Jobs(requested.map_or_else(cores, NonZeroUsize::get))
    }

    /// The share of each of two streams that are read at the same time.
    pub(crate) const fn half(self) -> Self {
        Jobs(self.0.div_ceil(2))
    }

    pub(super) const fn of(threads: usize) -> Self {
        Jobs(threads)
    }

    pub(super) const fn threads(self) -> usize {
        self.0
    }
}
