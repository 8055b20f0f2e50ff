//! A database of a given size, in Magellan's schema and shaped like real ones: many files, a few of
//! them large, in directories walked one after the other in no particular order; chunks of
//! lognormal size; a tenth of the files indexed again later, so that their ids are the newest.

use std::path::Path;

use chunkmigrate::internal::{Digest, create_tables, insert_records};
use chunkmigrate::record::{CodeChunk, ExecutionRecord, FileMetrics, Record, SymbolMetrics};
use chunkmigrate::rusqlite::{Connection, Result};
use fastrand::Rng;

/// The same size always gives the same records.
const SEED: u64 = 7;
const FILES_IN_A_FOLDER: usize = 40;
const FIRST_TIME: i64 = 1_700_000_000;
const WORDS: [&str; 32] = [
    "fn",
    "let",
    "mut",
    "self",
    "return",
    "if",
    "else",
    "match",
    "Some(value)",
    "None",
    "Ok(())",
    "impl",
    "struct",
    "pub",
    "use",
    "for",
    "in",
    "while",
    "loop",
    "&str",
    "String",
    "Vec<u8>",
    "->",
    "=>",
    "{",
    "}",
    "\n    ",
    "\n\n",
    "// größer",
    "\"text\"",
    "index + 1",
    "result?;",
];

struct SourceFile {
    path: String,
    chunks: usize,
}

/// Creates a database with this many chunks, as many symbol metrics, the metrics of their files,
/// and some runs.
pub fn generate(path: &Path, chunks: usize) -> Result<()> {
    let mut rng = Rng::with_seed(SEED);
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN;",
    )?;
    create_tables(&connection)?;

    let mut files = files(&mut rng, chunks);
    let text = text(&mut rng);
    let mut id = 0;
    for round in [Round::First, Round::Again] {
        for file in &files {
            if file_is_indexed_again(&file.path) == (round == Round::Again) {
                insert_records(&connection, &file_chunks(&mut rng, file, &text, &mut id))?;
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut symbol = 0;
    for file in &files {
        insert_records(&connection, &metrics(&mut rng, file, &mut symbol))?;
    }
    insert_records(&connection, &runs(chunks))?;
    connection.execute_batch("COMMIT")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    First,
    Again,
}

fn file_is_indexed_again(path: &str) -> bool {
    path.bytes().map(u32::from).sum::<u32>() % 10 == 0
}

/// Files directory by directory, directories and files in the order in which a walk may find them.
fn files(rng: &mut Rng, chunks: usize) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut left = chunks;
    while left > 0 {
        let number = files.len();
        let chunks = (lognormal(rng, 2.8, 0.8) as usize + 1).min(left);
        left -= chunks;
        let folder = number / FILES_IN_A_FOLDER;
        files.push(SourceFile {
            path: format!(
                "/home/dev/project/src/module_{folder}/part_{}/file_{number}.rs",
                folder % 7
            ),
            chunks,
        });
    }
    let mut folders: Vec<Vec<SourceFile>> = Vec::new();
    while !files.is_empty() {
        let rest = files.split_off(files.len().saturating_sub(FILES_IN_A_FOLDER));
        folders.push(rest);
    }
    rng.shuffle(&mut folders);
    for folder in &mut folders {
        rng.shuffle(folder);
    }
    folders.into_iter().flatten().collect()
}

fn file_chunks(rng: &mut Rng, file: &SourceFile, text: &str, id: &mut i64) -> Vec<Record> {
    let mut byte_start = 0;
    let chunk = |_| {
        *id += 1;
        let content = excerpt(rng, text);
        let byte_end = byte_start + content.len() as u64;
        let chunk = CodeChunk {
            id: *id,
            file_path: file.path.clone(),
            byte_start,
            byte_end,
            content_hash: Digest::of(&content).to_string(),
            content,
            symbol_name: (*id % 20 != 0).then(|| format!("symbol_{id}")),
            symbol_kind: (*id % 20 != 0).then(|| "Function".to_owned()),
            created_at: FIRST_TIME + *id / 100,
        };
        byte_start = byte_end + rng.u64(0..40);
        Record::Chunk(chunk)
    };
    (0..file.chunks).map(chunk).collect()
}

fn metrics(rng: &mut Rng, file: &SourceFile, symbol: &mut i64) -> Vec<Record> {
    let of_file = Record::FileMetrics(FileMetrics {
        file_path: file.path.clone(),
        symbol_count: Some(file.chunks as i64),
        loc: Some(rng.i64(1..2000)),
        estimated_loc: Some(rng.f64() * 2000.0),
        fan_in: Some(rng.i64(0..50)),
        fan_out: Some(rng.i64(0..50)),
        complexity_score: Some(rng.f64() * 9.0),
        last_updated: FIRST_TIME,
    });
    let of_symbol = |_| {
        *symbol += rng.i64(1..4);
        Record::SymbolMetrics(SymbolMetrics {
            symbol_id: *symbol,
            symbol_name: format!("symbol_{symbol}"),
            kind: "Function".to_owned(),
            file_path: file.path.clone(),
            loc: Some(rng.i64(1..100)),
            estimated_loc: Some(rng.f64() * 100.0),
            fan_in: Some(rng.i64(0..50)),
            fan_out: Some(rng.i64(0..50)),
            cyclomatic_complexity: Some(rng.i64(1..20)),
            last_updated: FIRST_TIME + *symbol,
        })
    };
    std::iter::once(of_file).chain((0..file.chunks).map(of_symbol)).collect()
}

fn runs(chunks: usize) -> Vec<Record> {
    let run = |id| {
        Record::ExecutionLog(ExecutionRecord {
            id,
            execution_id: format!("run-{id:08}"),
            tool_version: "4.17.0".to_owned(),
            args: r#"["index","--root","/home/dev/project"]"#.to_owned(),
            root: Some("/home/dev/project".to_owned()),
            db_path: "/home/dev/project/code.db".to_owned(),
            started_at: FIRST_TIME + id,
            finished_at: Some(FIRST_TIME + id + 1),
            duration_ms: Some(900 + id),
            outcome: "success".to_owned(),
            error_message: None,
            files_indexed: Some(id),
            symbols_indexed: None,
            references_indexed: None,
        })
    };
    (1..=chunks as i64 / 1000).map(run).collect()
}

/// A segment of the text, of about 500 bytes.
fn excerpt(rng: &mut Rng, text: &str) -> String {
    let len = (lognormal(rng, 5.9, 0.8) as usize).clamp(20, text.len() / 2);
    let start = rng.usize(0..text.len() - len);
    let piece = text.as_bytes().get(start..start + len).unwrap_or_default();
    String::from_utf8_lossy(piece).into_owned()
}

fn text(rng: &mut Rng) -> String {
    let mut text = String::new();
    while text.len() < 1 << 20 {
        text.push_str(rng.choice(WORDS).unwrap_or_default());
        text.push(' ');
    }
    text
}

/// The Box-Muller transform of two uniform numbers, as an exponent.
fn lognormal(rng: &mut Rng, mu: f64, sigma: f64) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * rng.f64()).cos();
    (mu + sigma * normal).exp()
}
