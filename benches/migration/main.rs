//! Measures copies and comparisons, and SQLite's own tools on the same database for comparison.
//!
//! `cargo bench -- --chunks 100000,1000000 --rounds 5` creates a database of each size and runs
//! every step once per round, so that a noisy machine disturbs all alike. Each step is a separate
//! process. Ratios are of the shortest times. `cargo bench -- tables` measures whole databases.

mod instructions;
mod lower_bound;
mod report;
mod step;
mod steps;
mod tables;
mod threads;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Parser, Subcommand};
use tempfile::TempDir;
use test_support::big_database;

use crate::report::{FileSize, Measured, print_growth};
use crate::steps::{Files, steps};
use crate::tables::TablesArgs;

/// Measures copies and comparisons, and SQLite's own tools for comparison.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
struct Args {
    /// Number of chunks of each database to measure with; it has as many symbol metrics
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    chunks: Vec<usize>,
    /// How often each step is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure each command with each of these numbers of threads [default: as many as cores]
    #[arg(long, value_delimiter = ',', value_name = "N")]
    jobs: Vec<usize>,
    /// Also count instructions, with valgrind and 20,000 chunks; takes minutes
    #[arg(long)]
    instructions: bool,
    /// Directory for databases; needs nine times their size [default: a directory in target]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Added by cargo
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program does in a process of its own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Measure a whole database, with all tables
    Tables(TablesArgs),
    #[command(hide = true)]
    Generate { database: PathBuf, chunks: usize },
    #[command(hide = true)]
    SaveEntries { kv: PathBuf, entries: PathBuf },
    #[command(hide = true)]
    ReadSorted { database: PathBuf },
    #[command(hide = true)]
    LoadRedb { entries: PathBuf, kv: PathBuf },
    #[command(hide = true)]
    InsertAndIndex { database: PathBuf, target: PathBuf },
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args = Args::parse();
    if let Some(part) = args.part.take() {
        return run_part(part, &args);
    }
    args.chunks.sort_unstable();
    print_environment();
    let mut all = Vec::new();
    for chunks in &args.chunks {
        let measured = measure(temporary_folder(&args)?.path(), *chunks, &args)?;
        measured.print();
        all.push(measured);
    }
    print_growth(&all);
    if args.instructions {
        instructions::print(temporary_folder(&args)?.path())?;
    }
    Ok(())
}

fn run_part(part: Part, args: &Args) -> Result<()> {
    match part {
        Part::Tables(tables) => {
            print_environment();
            tables::print(temporary_folder(args)?.path(), &tables)
        }
        Part::Generate { database, chunks } => Ok(big_database::generate(&database, chunks)?),
        Part::SaveEntries { kv, entries } => lower_bound::save_entries(&kv, &entries),
        Part::ReadSorted { database } => lower_bound::read_sorted(&database),
        Part::LoadRedb { entries, kv } => lower_bound::load_redb(&entries, &kv),
        Part::InsertAndIndex { database, target } => {
            lower_bound::insert_and_index(&database, &target)
        }
    }
}

fn temporary_folder(args: &Args) -> Result<TempDir> {
    let folder = args.folder.as_deref();
    let folder = folder.unwrap_or(Path::new(env!("CARGO_TARGET_TMPDIR")));
    Ok(tempfile::tempdir_in(folder)?)
}

fn measure(folder: &Path, chunks: usize, args: &Args) -> Result<Measured> {
    let rounds = args.rounds;
    let files = Files::in_folder(folder);
    files.create(chunks)?;
    let mut steps = steps(&files, &args.jobs)?;
    for round in 1..=rounds {
        for step in &mut steps {
            eprintln!("{chunks} chunks, round {round} of {rounds}: {}", step.label());
            step.run()?;
        }
    }
    Ok(Measured {
        chunks,
        records: count_records(&files.database)?,
        database_bytes: fs::metadata(&files.database)?.len(),
        kv: FileSize::of(&files.kv)?,
        steps,
    })
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
    println!("commit {}", output("git", &["describe", "--always", "--dirty"]));
    println!("{cores} × {model}, {}", output("uname", &["-sr"]));
    println!(
        "chunkmigrate's SQLite {}, sqlite3 {}",
        rusqlite::version(),
        output("sqlite3", &["--version"])
    );
}
