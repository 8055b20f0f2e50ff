//! The measurements, as Markdown.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::step::{Kind, Step};

/// One size of database, with all measurements of it.
pub(crate) struct Measured {
    pub(crate) chunks: usize,
    pub(crate) records: u64,
    pub(crate) database_bytes: u64,
    pub(crate) kv: FileSize,
    pub(crate) steps: Vec<Step>,
}

/// Length of a file and its size on disk, in bytes.
pub(crate) struct FileSize {
    pub(crate) apparent: u64,
    pub(crate) allocated: u64,
}

impl FileSize {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(FileSize { apparent: metadata.len(), allocated: metadata.blocks() * 512 })
    }
}

impl Measured {
    fn step(&self, label: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.label() == label)
    }

    /// The shortest time of a step as a multiple of another's.
    fn ratio(&self, of: &Step, to: &str) -> Option<f64> {
        let to = match to {
            SLOWEST_BOUND => self.slowest_bound()?,
            to => self.step(to)?,
        };
        Some(of.min() / to.min())
    }

    fn slowest_bound(&self) -> Option<&Step> {
        let bounds = self.steps.iter();
        let bounds = bounds.filter(|step| step.kind == Kind::LowerBound);
        bounds.max_by(|a, b| a.min().total_cmp(&b.min()))
    }

    pub(crate) fn print(&self) {
        let megabytes = self.database_bytes as f64 / 1e6;
        println!(
            "\n{} chunks, {} records in all, {megabytes:.0} MB of SQLite, {} rounds\n",
            self.chunks,
            self.records,
            self.steps.first().map_or(0, |step| step.runs.len()),
        );
        println!(
            "| way | seconds (min) | median | CPU seconds | records/s | MB/s | × VACUUM INTO | peak MiB |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for step in &self.steps {
            println!(
                "| {} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {:.2} | {:.0} |",
                step.label(),
                step.min(),
                step.median(),
                step.cpu(),
                self.records as f64 / step.min(),
                megabytes / step.min(),
                self.ratio(step, "VACUUM INTO").unwrap_or(f64::NAN),
                step.peak_mib(),
            );
        }
        self.print_ratios();
        self.print_threads();
    }

    fn print_ratios(&self) {
        println!("\n| ratio | is | bar | aim |");
        println!("| --- | --- | --- | --- |");
        for (of, to, bar, aim) in BARS {
            for step in self.steps.iter().filter(|step| step.name == of) {
                let of = step.label();
                match self.ratio(step, to) {
                    Some(is) => println!("| {of} / {to} | {is:.2} | {bar} | {aim} |"),
                    None => println!(
                        "| {of} / {to} | not measured: the tool is not installed | {bar} | {aim} |"
                    ),
                }
            }
        }
        let kv = &self.kv;
        let of_sqlite = kv.apparent as f64 / self.database_bytes as f64;
        println!("| size of the KV file / of the database | {of_sqlite:.3} | 1.25 | 1.22 |");
        let of_allocated = kv.apparent as f64 / kv.allocated as f64;
        println!("| KV file, apparent / allocated | {of_allocated:.3} | 1.02 | 1.00 |");
    }

    /// Shares of threads in the CPU time of each step's best run.
    fn print_threads(&self) {
        println!("\n| way | busiest thread | its share of CPU time | seen in all | stages |");
        println!("| --- | --- | --- | --- | --- |");
        for step in self.steps.iter().filter(|step| step.is_ours()) {
            let Some(run) = step.best() else { continue };
            let share = |seconds: f64| seconds / run.cpu.as_secs_f64();
            let Some((busiest, seconds)) = run.threads.busiest() else {
                continue;
            };
            let stages = run.threads.stages();
            let seen: f64 = stages.iter().map(|(_, seconds)| seconds).sum();
            let stages = stages.iter();
            let stages = stages.map(|(name, seconds)| format!("{name} {:.2}", share(*seconds)));
            println!(
                "| {} | {busiest} | {:.2} | {:.2} | {} |",
                step.label(),
                share(seconds),
                share(seen),
                stages.collect::<Vec<_>>().join(", "),
            );
        }
    }
}

/// The slowest of the lower bounds.
const SLOWEST_BOUND: &str = "slowest part alone";

/// The goals for a million chunks, those relative to the slowest part for eight or more cores.
const BARS: [(&str, &str, &str, &str); 9] = [
    ("sqlite-to-kv --no-verify", "VACUUM INTO", "4.0", "2.5"),
    ("sqlite-to-kv", "VACUUM INTO", "4.8", "3.0"),
    ("sqlite-to-kv", ".dump \\| sqlite3", "0.35", "0.22"),
    ("verify", "sqldiff --summary", "0.9", "0.6"),
    ("kv-to-sqlite", ".dump \\| sqlite3", "0.5", "0.3"),
    ("sqlite-to-kv --no-verify", SLOWEST_BOUND, "1.35", "1.2"),
    ("sqlite-to-kv", SLOWEST_BOUND, "1.9", "1.5"),
    ("verify", SLOWEST_BOUND, "1.35", "1.2"),
    ("kv-to-sqlite", SLOWEST_BOUND, "1.9", "1.5"),
];

/// How the time per record grows from the smallest to the largest database.
pub(crate) fn print_growth(measured: &[Measured]) {
    let (Some(small), Some(large)) = (measured.first(), measured.last()) else {
        return;
    };
    if small.records == large.records {
        return;
    }
    println!("\n| time for a record, {} chunks / {} chunks | is |", large.chunks, small.chunks);
    println!("| --- | --- |");
    for step in &large.steps {
        if let Some(same) = small.step(&step.label()) {
            let of_large = step.min() / large.records as f64;
            let of_small = same.min() / small.records as f64;
            println!("| {} | {:.2} |", step.label(), of_large / of_small);
        }
    }
}
