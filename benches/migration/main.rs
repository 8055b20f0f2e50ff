//! Measures copies and comparisons, and SQLite's own tools on the same database for comparison.
//!
//! `cargo bench -- --chunks 100000,1000000 --rounds 5` creates a database of each size and runs
//! every step once per round, so that a noisy machine disturbs all alike. Each step is a separate
//! process. Ratios are of the shortest times.

mod report;
mod step;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;
use test_support::big_database;

use crate::report::{FileSize, Measured, print_growth};
use crate::step::Step;

/// Measures copies and comparisons, and SQLite's own tools for comparison.
#[derive(Debug, Parser)]
struct Args {
    /// Number of chunks of each database to measure with; it has as many symbol metrics
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    chunks: Vec<usize>,
    /// How often each step is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Directory for databases; needs six times their size [default: a directory in target]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Only create a database, of the first size
    #[arg(long, value_name = "FILE", hide = true)]
    generate: Option<PathBuf>,
    /// Added by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args = Args::parse();
    if let Some(path) = args.generate {
        let chunks = args.chunks.first().copied().unwrap_or(0);
        return Ok(big_database::generate(&path, chunks)?);
    }
    args.chunks.sort_unstable();
    print_environment();
    let mut all = Vec::new();
    for chunks in args.chunks {
        let folder = match &args.folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?,
        };
        let measured = measure(folder.path(), chunks, args.rounds)?;
        measured.print();
        all.push(measured);
    }
    print_growth(&all);
    Ok(())
}

fn measure(folder: &Path, chunks: usize, rounds: usize) -> Result<Measured> {
    let database = folder.join("big.db");
    let mut steps = steps(folder, &database);
    // In a separate process: a parent's memory counts as its children's when they start.
    let generated = Command::new(std::env::current_exe()?)
        .arg("--generate")
        .arg(&database)
        .args(["--chunks", &chunks.to_string()])
        .status()?;
    if !generated.success() {
        return Err("the database could not be made".into());
    }
    for round in 1..=rounds {
        for step in &mut steps {
            eprintln!("{chunks} chunks, round {round} of {rounds}: {}", step.name);
            step.run()?;
        }
    }
    Ok(Measured {
        chunks,
        records: count_records(&database)?,
        database_bytes: fs::metadata(&database)?.len(),
        kv: FileSize::of(&folder.join("big.kv"))?,
        steps,
    })
}

/// The steps in an order in which each can use the output of those before it.
fn steps(folder: &Path, database: &Path) -> Vec<Step> {
    let [vacuumed, restored, kv, back] =
        ["vacuumed.db", "restored.db", "big.kv", "back.db"].map(|name| folder.join(name));
    let mut steps = Vec::new();
    let has_sqlite = is_installed("sqlite3");
    if has_sqlite {
        let vacuum = format!("VACUUM INTO '{}'", vacuumed.display());
        let command = command_of("sqlite3", &[database, Path::new(&vacuum)]);
        steps.push(Step::new("VACUUM INTO", command).making(&vacuumed));
        let dump = Step::new(
            ".dump \\| sqlite3",
            command_of("sqlite3", &[database, Path::new(".dump")]),
        );
        steps.push(
            dump.piped_into(command_of("sqlite3", &[&restored]))
                .making(&restored),
        );
    }
    let ours = |arguments: &[&str], files: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chunkmigrate"));
        command.args(arguments).arg("--quiet").args(files);
        command
    };
    let copy_only = ours(&["sqlite-to-kv", "--no-verify"], &[database, &kv]);
    steps.push(Step::new("sqlite-to-kv --no-verify", copy_only).making(&kv));
    let copy = ours(&["sqlite-to-kv"], &[database, &kv]);
    steps.push(Step::new("sqlite-to-kv", copy).making(&kv));
    steps.push(Step::new("verify", ours(&["verify"], &[database, &kv])));
    let back_again = ours(&["kv-to-sqlite"], &[&kv, &back]);
    steps.push(Step::new("kv-to-sqlite", back_again).making(&back));
    if has_sqlite && is_installed("sqldiff") {
        let diff = command_of("sqldiff", &[Path::new("--summary"), database, &vacuumed]);
        steps.push(Step::new("sqldiff --summary", diff));
    }
    steps
}

fn command_of(program: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    let command = command.arg("--version").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

fn count_records(database: &Path) -> Result<u64> {
    let connection = rusqlite::Connection::open(database)?;
    let sql = "SELECT (SELECT count(*) FROM code_chunks) + (SELECT count(*) FROM symbol_metrics)
             + (SELECT count(*) FROM file_metrics) + (SELECT count(*) FROM execution_log)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// The machine and the commit that were measured.
fn print_environment() {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        let output = output.filter(|output| output.status.success());
        output.map_or("unknown".to_owned(), |output| {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        })
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "commit {}",
        output("git", &["describe", "--always", "--dirty"])
    );
    println!("{cores} × {model}, {}", output("uname", &["-sr"]));
    println!(
        "chunkmigrate's SQLite {}, sqlite3 {}",
        rusqlite::version(),
        output("sqlite3", &["--version"])
    );
}
