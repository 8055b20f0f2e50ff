//! Signals that stop the work cleanly.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

/// The signal that was received, if any.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignalFlag(Arc<AtomicUsize>);

impl SignalFlag {
    /// Records SIGINT, SIGTERM and SIGHUP instead of terminating. A signal that the parent ignores
    /// stays ignored, as expected by `nohup` and by shells with background jobs. Exceeding the file
    /// size limit becomes a write error instead of a signal.
    pub(crate) fn install() -> io::Result<Self> {
        let stop = SignalFlag::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if is_ignored(signal) {
                continue;
            }
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&stop.0), number)?;
        }
        flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(stop)
    }

    pub(crate) fn signal(&self) -> Option<u8> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            number => u8::try_from(number).ok(),
        }
    }
}

/// Whether the process was started with a signal ignored; `false` without `/proc`.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
