use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use super::Source;

/// The number of cores that the process may use: affinity and cgroup limits included.
static CORES: LazyLock<usize> =
    LazyLock::new(|| available_parallelism().map_or(1, NonZeroUsize::get));

/// Number of threads that convert and check records. The threads that read, write and hash come on
/// top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jobs(usize);

impl Jobs {
    /// The reading thread does the work itself.
    pub(crate) const IN_READER: Jobs = Jobs(0);

    /// The requested number, by default the number of cores that the process may use.
    pub(crate) fn new(requested: Option<NonZeroUsize>) -> Self {
        Jobs(requested.map_or_else(|| *CORES, NonZeroUsize::get))
    }

    /// The number for each of two stores that are read at the same time.
    pub(crate) fn shared_by(self, stores: [&dyn Source; 2]) -> Self {
        match stores.iter().all(|store| store.entries_are_canonical()) {
            true => Jobs(self.0.div_ceil(2)),
            // At least one of them is a KV file: the pool has only the other's rows to convert.
            false => self,
        }
    }

    /// The number for a store that is read without a check. Entries of a KV file need no conversion.
    pub(super) fn to_convert(self, source: &dyn Source) -> Self {
        match source.entries_are_canonical() {
            true => self,
            false => Jobs::IN_READER,
        }
    }

    pub(super) const fn of(threads: usize) -> Self {
        Jobs(threads)
    }

    pub(super) const fn threads(self) -> usize {
        self.0
    }
}
