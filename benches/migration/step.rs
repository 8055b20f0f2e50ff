//! One command to measure on the database, in separate processes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::threads::{ThreadTimes, watch_threads};

/// Whose command a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A tool of SQLite.
    Reference,
    /// This project's program, with this number of threads if one was requested.
    Ours { jobs: Option<usize> },
    /// A part of the work that no implementation can do without.
    LowerBound,
}

/// A command, or two with a pipe between them.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    commands: Vec<Command>,
    /// Its output, which is removed before it runs.
    makes: Option<PathBuf>,
    pub(crate) runs: Vec<Run>,
}

/// One measurement of a step.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
    /// User and system time of its processes.
    pub(crate) cpu: Duration,
    /// Peak memory of all its processes together, in bytes.
    pub(crate) peak: u64,
    /// Empty for steps other than our own.
    pub(crate) threads: ThreadTimes,
}

impl Step {
    pub(crate) fn new(name: &'static str, kind: Kind, command: Command) -> Self {
        Step { name, kind, commands: vec![command], makes: None, runs: Vec::new() }
    }

    pub(crate) fn piped_into(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    pub(crate) fn making(mut self, file: &Path) -> Self {
        self.makes = Some(file.to_owned());
        self
    }

    /// The same step under another program, which takes the command as its last arguments.
    pub(crate) fn under(mut self, program: &str, arguments: &[String]) -> Self {
        for command in &mut self.commands {
            let mut under = Command::new(program);
            under.args(arguments).arg(command.get_program());
            under.args(command.get_args());
            *command = under;
        }
        self
    }

    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Ours { .. })
    }

    /// Its name in tables.
    pub(crate) fn label(&self) -> String {
        match self.kind {
            Kind::Ours { jobs: Some(jobs) } => format!("{} --jobs {jobs}", self.name),
            _ => self.name.to_owned(),
        }
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
        let watched = children.first().filter(|_| self.is_ours());
        let watched = watched.map(|child| watch_threads(child.id()));
        let mut run = Run {
            wall: Duration::ZERO,
            cpu: Duration::ZERO,
            peak: 0,
            threads: ThreadTimes::default(),
        };
        for child in &mut children {
            let used = child.wait4()?;
            if !used.status.success() {
                let message = format!("{}: {}", self.label(), used.status);
                return Err(io::Error::other(message));
            }
            run.cpu += used.rusage.utime + used.rusage.stime;
            run.peak += used.rusage.maxrss;
        }
        run.wall = started.elapsed();
        if let Some(watched) = watched {
            run.threads = watched.join().unwrap_or_default();
        }
        self.runs.push(run);
        Ok(())
    }

    /// The run with the shortest time, which has the least noise.
    pub(crate) fn best(&self) -> Option<&Run> {
        self.runs.iter().min_by_key(|run| run.wall)
    }

    /// The shortest time, in seconds.
    pub(crate) fn min(&self) -> f64 {
        self.best().map_or(0.0, |run| run.wall.as_secs_f64())
    }

    pub(crate) fn median(&self) -> f64 {
        let mut times: Vec<Duration> = self.runs.iter().map(|run| run.wall).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2);
        median.map_or(0.0, Duration::as_secs_f64)
    }

    /// The least CPU time, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let least = self.runs.iter().map(|run| run.cpu).min();
        least.unwrap_or_default().as_secs_f64()
    }

    /// The most memory of all runs, in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        let peak = self.runs.iter().map(|run| run.peak).max().unwrap_or(0);
        peak as f64 / f64::from(1 << 20)
    }
}
