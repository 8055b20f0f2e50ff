//! A pseudo-terminal that the program writes to.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::{Command, Stdio};

use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A terminal with a given number of columns.
pub(crate) struct Terminal {
    ours: OwnedFd,
    name: String,
}

impl Terminal {
    pub(crate) fn new(columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        Terminal { ours, name }
    }

    /// The end that a program writes to.
    pub(crate) fn end(&self) -> Stdio {
        let end = OpenOptions::new().read(true).write(true).open(&self.name);
        end.unwrap().into()
    }

    /// Runs a program that writes to it: what was shown, and the exit status.
    pub(crate) fn run(self, mut command: Command) -> (String, i32) {
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut shown = Vec::new();
        // Reading from a terminal that nobody has open any more is an error.
        let _ = File::from(self.ours).read_to_end(&mut shown);
        let status = child.wait().unwrap().code().unwrap();
        (String::from_utf8(shown).unwrap(), status)
    }
}
