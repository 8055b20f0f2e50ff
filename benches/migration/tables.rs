//! Measures whole databases: all tables carried into a KV file and back.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use rusqlite::Connection;

use crate::Result;
use crate::step::{Kind, Step};
use crate::steps::{Files, chunkmigrate, copies_of_sqlite};

/// Bytes of each embedding: 1,536 floats.
const EMBEDDING_BYTES: usize = 6144;

#[derive(Debug, Args)]
pub(crate) struct TablesArgs {
    /// The database to carry [default: chunks with text keys and embeddings of 6 KiB]
    database: Option<PathBuf>,
    /// Number of chunks of the default database
    #[arg(long, default_value_t = 200_000)]
    chunks: usize,
    /// How often each step is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures copies of a whole database, and prints them with ratios to SQLite's own copies.
pub(crate) fn print(folder: &Path, args: &TablesArgs) -> Result<()> {
    let files = Files::in_folder(folder);
    match &args.database {
        Some(database) => fs::copy(database, &files.database).map(drop)?,
        None => generate(&files.database, args.chunks)?,
    }
    let mut steps = copies_of_sqlite(&files);
    steps.extend(our_steps(&files));
    for round in 1..=args.rounds {
        for step in &mut steps {
            eprintln!("round {round} of {}: {}", args.rounds, step.label());
            step.run()?;
        }
    }
    let find = |name: &str| steps.iter().find(|step| step.name == name).map(Step::min);
    let (vacuum, dump) = (find("VACUUM INTO"), find(".dump \\| sqlite3"));
    let bytes = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
    let (database, kv) = (bytes(&files.database)?, bytes(&files.kv)?);
    println!(
        "\n{database} bytes as a database, {kv} as a KV file: {:.2}",
        kv as f64 / database as f64
    );
    println!("\n| step | seconds | / VACUUM INTO | / dump and restore | MiB |");
    println!("| --- | --- | --- | --- | --- |");
    let ratio = |seconds: f64, of: Option<f64>| match of {
        Some(of) => format!("{:.2}", seconds / of),
        None => "–".to_owned(),
    };
    for step in &steps {
        let (label, seconds, peak) = (step.label(), step.min(), step.peak_mib());
        let (to_vacuum, to_dump) = (ratio(seconds, vacuum), ratio(seconds, dump));
        println!("| {label} | {seconds:.2} | {to_vacuum} | {to_dump} | {peak:.0} |");
    }
    Ok(())
}

fn our_steps(files: &Files) -> [Step; 4] {
    let (database, kv, back) = (&files.database, &files.kv, &files.back);
    let ours = |name, arguments: &[&str], files: &[&Path]| {
        Step::new(name, Kind::Ours { jobs: None }, chunkmigrate(arguments, files))
    };
    let all = ["--tables", "all"];
    let with_all = |command| [&[command], all.as_slice()].concat();
    [
        ours("sqlite-to-kv --tables all", &with_all("sqlite-to-kv"), &[database, kv]).making(kv),
        ours("verify", &["verify"], &[database, kv]),
        ours("kv-to-sqlite", &["kv-to-sqlite"], &[kv, back]).making(back),
        ours("verify --tables all", &with_all("verify"), &[database, back]),
    ]
}

/// An index as code indexers with embeddings write it.
fn generate(path: &Path, chunks: usize) -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(1);
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;
         CREATE TABLE chunks (id TEXT PRIMARY KEY, file TEXT NOT NULL, line_start INTEGER,
             line_end INTEGER, content TEXT NOT NULL, embedding BLOB);
         CREATE INDEX chunks_of_file ON chunks (file);",
    )?;
    let mut insert = connection.prepare("INSERT INTO chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut embedding = vec![0; EMBEDDING_BYTES];
    for number in 0..chunks {
        let file = format!("src/module_{}/file_{}.rs", number / 400, number / 20);
        let line = (number % 20) * 30;
        let content: String = (0..rng.usize(100..900)).map(|_| rng.alphanumeric()).collect();
        rng.fill(&mut embedding);
        insert.execute((
            format!("{:016x}", rng.u64(..)),
            file,
            line,
            line + 29,
            content,
            &embedding,
        ))?;
    }
    drop(insert);
    connection.execute_batch("COMMIT")?;
    Ok(())
}
