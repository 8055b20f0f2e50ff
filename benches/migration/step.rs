//! One command to measure on the database, in separate processes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// A command, or two with a pipe between them.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    commands: Vec<Command>,
    /// Its output, which is removed before it runs.
    makes: Option<PathBuf>,
    pub(crate) runs: Vec<Run>,
}

/// One measurement of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
    /// User and system time of its processes.
    pub(crate) cpu: Duration,
    /// Peak memory of all its processes together, in bytes.
    pub(crate) peak: u64,
}

impl Step {
    pub(crate) fn new(name: &'static str, command: Command) -> Self {
        Step {
            name,
            commands: vec![command],
            makes: None,
            runs: Vec::new(),
        }
    }

    pub(crate) fn piped_into(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    pub(crate) fn making(mut self, file: &Path) -> Self {
        self.makes = Some(file.to_owned());
        self
    }

    /// Runs it once more.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        if let Some(file) = &self.makes
            && file.exists()
        {
            fs::remove_file(file)?;
        }
        let started = Instant::now();
        let mut children = Vec::new();
        let mut input = Stdio::null();
        let last = self.commands.len().saturating_sub(1);
        for (index, command) in self.commands.iter_mut().enumerate() {
            let output = match index == last {
                true => Stdio::null(),
                false => Stdio::piped(),
            };
            let mut child = command.stdin(input).stdout(output).spawn()?;
            input = child.stdout.take().map_or_else(Stdio::null, Stdio::from);
            children.push(child);
        }
        drop(input);
        let mut run = Run {
            wall: Duration::ZERO,
            cpu: Duration::ZERO,
            peak: 0,
        };
        for child in &mut children {
            let used = child.wait4()?;
            if !used.status.success() {
                let message = format!("{}: {}", self.name, used.status);
                return Err(io::Error::other(message));
            }
            run.cpu += used.rusage.utime + used.rusage.stime;
            run.peak += used.rusage.maxrss;
        }
        run.wall = started.elapsed();
        self.runs.push(run);
        Ok(())
    }

    /// The shortest time, which has the least noise.
    pub(crate) fn min(&self) -> f64 {
        self.sorted(|run| run.wall).first().copied().unwrap_or(0.0)
    }

    pub(crate) fn median(&self) -> f64 {
        let times = self.sorted(|run| run.wall);
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    }

    /// The least CPU time, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        self.sorted(|run| run.cpu).first().copied().unwrap_or(0.0)
    }

    /// The most memory of all runs, in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        let peak = self.runs.iter().map(|run| run.peak).max().unwrap_or(0);
        peak as f64 / f64::from(1 << 20)
    }

    fn sorted(&self, of: impl Fn(&Run) -> Duration) -> Vec<f64> {
        let mut seconds: Vec<f64> = self.runs.iter().map(|run| of(run).as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }
}
