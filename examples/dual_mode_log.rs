//! A small indexer that keeps functions, metrics and a log of its runs in SQLite or in a KV file:
//!
//!     cargo run --example dual_mode_log -- --sqlite code.db src/*.rs
//!     cargo run --example dual_mode_log -- --kv code.kv src/*.rs
//!
//! It prints the last runs and the files with the most branches, the same from either store.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use chunkmigrate::kv::RedbBackend;
use chunkmigrate::record::{CodeChunk, FileMetrics};
use chunkmigrate::store::{ChunkStore, ExecutionEnd, ExecutionLog, ExecutionStart};
use chunkmigrate::store::{HotspotQuery, MetricsOps};

const USAGE: &str = "usage: dual_mode_log --sqlite|--kv STORE SOURCE...";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let Err(error) = run(&args, &mut io::stdout().lock()) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Stores {
    chunks: ChunkStore,
    metrics: MetricsOps,
    log: ExecutionLog,
}

impl Stores {
    /// The only place that knows of two backends: everything after it is the same for both.
    fn open(flag: &str, path: &Path) -> Result<Self, Box<dyn Error>> {
        match flag {
            "--sqlite" => Ok(Stores {
                chunks: ChunkStore::new(path)?,
                metrics: MetricsOps::new(path)?,
                log: ExecutionLog::new(path)?,
            }),
            "--kv" => {
                let backend = Arc::new(RedbBackend::open_or_create(path)?);
                Ok(Stores {
                    chunks: ChunkStore::with_kv_backend(backend.clone()),
                    metrics: MetricsOps::with_kv_backend(backend.clone()),
                    log: ExecutionLog::with_kv_backend(backend),
                })
            }
            _ => Err(USAGE.into()),
        }
    }
}

pub(crate) fn run(args: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let [flag, store, sources @ ..] = args else {
        return Err(USAGE.into());
    };
    let stores = Stores::open(flag, Path::new(store))?;
    // The time and the process id: no other run has both.
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let execution_id = format!("{nanos:x}-{}", std::process::id());
    stores.log.start_execution(&ExecutionStart {
        execution_id: &execution_id,
        tool_version: env!("CARGO_PKG_VERSION"),
        args,
        root: None,
        db_path: store,
    })?;

    // Whatever happens, the log gets the end of the run, with what was done until then.
    let mut end = ExecutionEnd::default();
    let mut each = sources.iter();
    let indexed = each.try_for_each(|source| index(&stores, source, &mut end));
    let error = indexed.as_ref().err().map(ToString::to_string);
    end.outcome = error.as_ref().map_or("success", |_| "error");
    end.error_message = error.as_deref();
    let logged = stores.log.finish_execution(&execution_id, &end);

    indexed?;
    logged?;
    print(&stores, out)
}

/// Stores the functions of a file and its metrics, replacing what was stored for it.
fn index(stores: &Stores, source: &str, end: &mut ExecutionEnd<'_>) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(source).map_err(|error| format!("{source}: {error}"))?;
    let functions = functions(source, &text);
    stores.chunks.delete_chunks_for_file(source)?;
    stores.chunks.store_chunks(&functions)?;

    let words = ["if ", "match ", "while ", "for ", "loop "];
    let branches: usize = words.map(|word| text.matches(word).count()).iter().sum();
    stores.metrics.upsert_file_metrics(&FileMetrics {
        file_path: source.to_owned(),
        symbol_count: Some(functions.len() as i64),
        loc: Some(text.lines().count() as i64),
        // Unknown values are absent, not 0.
        estimated_loc: None,
        fan_in: None,
        fan_out: None,
        complexity_score: Some(branches as f64),
        last_updated: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64,
    })?;
    end.files_indexed += 1;
    end.symbols_indexed += functions.len() as i64;
    Ok(())
}

/// Naive: from a line that begins with `fn` to the next line that begins with `}`.
fn functions(source: &str, text: &str) -> Vec<CodeChunk> {
    let (mut functions, mut open, mut offset) = (Vec::new(), None, 0);
    for line in text.split_inclusive('\n') {
        if open.is_none() && line.starts_with(['f', 'p']) {
            let signature = line.split_once("fn ");
            let name = signature.and_then(|(_, rest)| rest.split(['(', '<']).next());
            open = name.map(|name| (offset, name));
        }
        offset += line.len();
        if let Some((start, name)) = open.take_if(|_| line.starts_with('}')) {
            let content = text.get(start..offset).unwrap_or_default();
            let chunk = CodeChunk::new(source, start as u64, offset as u64, content);
            functions.push(chunk.with_symbol(name, "Function"));
        }
    }
    functions
}

fn print(stores: &Stores, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    for run in stores.log.list_all(Some(5))? {
        let counts = [run.files_indexed, run.symbols_indexed];
        let [files, symbols] = counts.map(Option::unwrap_or_default);
        let outcome = run.error_message.unwrap_or(run.outcome);
        writeln!(out, "{files} files, {symbols} functions: {outcome}")?;
    }
    let query = HotspotQuery { limit: Some(5), ..Default::default() };
    for file in stores.metrics.get_hotspots(&query)? {
        let branches = file.complexity_score.unwrap_or_default();
        writeln!(out, "{branches} branches in {}", file.file_path)?;
    }
    Ok(())
}
