//! The CPU time of each thread of a process, from Linux's `/proc`.
//!
//! It is read every few milliseconds while the process runs. What a thread does after the last
//! reading before its end is missed. In runs of seconds that is little; in short ones it can be
//! most of the time. The table shows how much of the CPU time of the process was seen.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(10);
/// `USER_HZ`, in which `/proc` counts: 100 on every platform that matters.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time in ticks by thread name. Threads of the same name count as one: a stage has a new thread
/// for each kind of record. Two readers at the same time count as one too.
#[derive(Debug, Default)]
pub(crate) struct ThreadTimes(BTreeMap<String, u64>);

/// Watches the threads of a process until it has ended and was waited for.
pub(crate) fn watch_threads(process: u32) -> JoinHandle<ThreadTimes> {
    thread::spawn(move || {
        let mut threads = HashMap::new();
        while read_threads(process, &mut threads).is_ok() {
            thread::sleep(INTERVAL);
        }
        let mut times = ThreadTimes::default();
        for (name, ticks) in threads.into_values() {
            *times.0.entry(name).or_default() += ticks;
        }
        times
    })
}

/// Replaces the name and time of each thread that is running.
fn read_threads(process: u32, threads: &mut HashMap<String, (String, u64)>) -> io::Result<()> {
    let folder = PathBuf::from(format!("/proc/{process}/task"));
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let id = entry.file_name().to_string_lossy().into_owned();
        // It may have ended meanwhile.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some((name, ticks)) = parse_stat(&stat) {
            let name = match id == process.to_string() {
                true => "main",
                false => name,
            };
            threads.insert(id, (name.to_owned(), ticks));
        }
    }
    Ok(())
}

/// The name of a thread, and its user and system time.
fn parse_stat(stat: &str) -> Option<(&str, u64)> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    // The state follows the name; `proc(5)` counts it as the third field, the times as 14 and 15.
    let mut times = after.split(' ').skip(11).map(str::parse::<u64>);
    Some((name, times.next()?.ok()? + times.next()?.ok()?))
}

impl ThreadTimes {
    /// The name of the busiest thread, and its time in seconds.
    pub(crate) fn busiest(&self) -> Option<(&str, f64)> {
        let (name, ticks) = self.0.iter().max_by_key(|(_, ticks)| **ticks)?;
        Some((name, seconds(*ticks)))
    }

    /// The stages with their times in seconds, the busiest first. The threads of a pool, whose names
    /// end in a number, are one stage.
    pub(crate) fn stages(&self) -> Vec<(&str, f64)> {
        let mut stages: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, ticks) in self.0.iter().filter(|(_, ticks)| **ticks > 0) {
            let stage = match name.rsplit_once('-') {
                Some((stage, number)) if number.parse::<usize>().is_ok() => stage,
                _ => name,
            };
            *stages.entry(stage).or_default() += ticks;
        }
        let mut stages: Vec<_> = stages.into_iter().collect();
        stages.sort_by_key(|(_, ticks)| std::cmp::Reverse(*ticks));
        let in_seconds = |(stage, ticks)| (stage, seconds(ticks));
        stages.into_iter().map(in_seconds).collect()
    }
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}
