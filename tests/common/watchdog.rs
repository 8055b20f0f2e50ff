use std::process::Child;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::HANG;

/// Kills a program that hangs, so that a test waiting for it fails instead of hanging too.
#[must_use = "it watches until it is dropped"]
pub(crate) struct Watchdog {
    /// Dropping it reports that the program has ended.
    _alive: Sender<()>,
}

impl Watchdog {
    pub(crate) fn of(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        let (alive, ended) = channel();
        thread::spawn(move || {
            if ended.recv_timeout(HANG) == Err(RecvTimeoutError::Timeout) {
                kill_process(pid, Signal::KILL).unwrap();
            }
        });
        Watchdog { _alive: alive }
    }
}
