use std::collections::{BTreeMap, HashMap};

use crate::operation::{Answer, End, Operation, answer};
use chunkmigrate::record::{CodeChunk, ExecutionRecord, FileMetrics, SymbolMetrics};
use chunkmigrate::store::HotspotQuery;

/// The content of the stores, in the simplest form and without any of their code.
#[derive(Debug, Default, Clone)]
pub(crate) struct Model {
    chunks: Vec<CodeChunk>,
    last_chunk_id: i64,
    files: BTreeMap<String, FileMetrics>,
    symbols: BTreeMap<i64, SymbolMetrics>,
    executions: Vec<ExecutionRecord>,
    milliseconds: u64,
    /// When each handle on the log has started which execution.
    started: [HashMap<&'static str, u64>; 2],
}

impl Model {
    pub(crate) fn run(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::EnsureSchema => debug_answer(()),
            Operation::StoreChunk(chunk) => {
                answer(self.store(std::slice::from_ref(chunk)).map(|ids| ids[0]))
            }
            Operation::StoreChunks(chunks) => answer(self.store(chunks)),
            Operation::GetChunkBySpan(path, start, end) => debug_answer(
                self.chunks_where(|chunk| {
                    chunk.file_path == *path && (chunk.byte_start, chunk.byte_end) == (*start, *end)
                })
                .first(),
            ),
            Operation::GetChunksForFile(path) => {
                debug_answer(self.chunks_where(|chunk| chunk.file_path == *path))
            }
            Operation::GetChunksForSymbol(path, name) => debug_answer(self.chunks_where(|chunk| {
                chunk.file_path == *path && chunk.symbol_name.as_deref() == Some(name)
            })),
            Operation::GetChunksByKind(kind) => {
                debug_answer(self.chunks_where(|chunk| chunk.symbol_kind.as_deref() == Some(kind)))
            }
            Operation::DeleteChunksForFile(path) => {
                let before = self.chunks.len();
                self.chunks.retain(|chunk| chunk.file_path != *path);
                debug_answer(before - self.chunks.len())
            }
            Operation::CountChunks => debug_answer(self.chunks.len()),
            Operation::CountChunksForFile(path) => {
                debug_answer(self.chunks_where(|chunk| chunk.file_path == *path).len())
            }
            Operation::UpsertFileMetrics(file) => {
                let mut file = file.clone();
                keep("estimated_loc", &mut file.estimated_loc)?;
                keep("complexity_score", &mut file.complexity_score)?;
                self.files.insert(file.file_path.clone(), file);
                debug_answer(())
            }
            Operation::UpsertSymbolMetrics(symbol) => {
                let mut symbol = symbol.clone();
                keep("estimated_loc", &mut symbol.estimated_loc)?;
                self.symbols.insert(symbol.symbol_id, symbol);
                debug_answer(())
            }
            Operation::GetFileMetrics(path) => debug_answer(self.files.get(*path)),
            Operation::GetSymbolMetrics(id) => debug_answer(self.symbols.get(id)),
            Operation::DeleteFileMetrics(path) => {
                let before = self.files.len() + self.symbols.len();
                self.files.remove(*path);
                self.symbols.retain(|_, symbol| symbol.file_path != *path);
                debug_answer(before - self.files.len() - self.symbols.len())
            }
            Operation::GetHotspots(query) => debug_answer(self.hotspots(query)),
            Operation::StartExecution(handle, id, args) => answer(self.start(*handle, id, args)),
            Operation::FinishExecution(handle, id, end) => answer(self.finish(*handle, id, end)),
            Operation::GetByExecutionId(id) => {
                debug_answer(self.executions.iter().find(|run| run.execution_id == *id))
            }
            Operation::ListAll(limit) => {
                let mut all = self.executions.clone();
                all.sort_by_key(|run| (run.started_at, run.id));
                all.reverse();
                all.truncate(limit.unwrap_or(usize::MAX));
                debug_answer(all)
            }
            Operation::Wait(milliseconds) => {
                self.milliseconds += milliseconds;
                debug_answer(())
            }
        }
    }

    fn store(&mut self, chunks: &[CodeChunk]) -> Result<Vec<i64>, String> {
        let before = self.clone();
        let mut ids = Vec::new();
        for chunk in chunks {
            for (field, offset) in [("byte_start", chunk.byte_start), ("byte_end", chunk.byte_end)]
            {
                if offset > i64::MAX.unsigned_abs() {
                    *self = before;
                    return Err(format!("{field} is above 9223372036854775807"));
                }
            }
            self.chunks.retain(|old| {
                (&old.file_path, old.byte_start, old.byte_end)
                    != (&chunk.file_path, chunk.byte_start, chunk.byte_end)
            });
            self.last_chunk_id += 1;
            ids.push(self.last_chunk_id);
            self.chunks.push(CodeChunk { id: self.last_chunk_id, ..chunk.clone() });
        }
        Ok(ids)
    }

    fn chunks_where(&self, is_wanted: impl Fn(&CodeChunk) -> bool) -> Vec<CodeChunk> {
        let mut found: Vec<CodeChunk> = self.chunks.clone();
        found.retain(|chunk| is_wanted(chunk));
        found.sort_by_key(|chunk| (chunk.file_path.clone(), chunk.byte_start, chunk.byte_end));
        found
    }

    fn hotspots(&self, query: &HotspotQuery) -> Vec<FileMetrics> {
        let reaches = |number: Option<i64>, least: Option<i64>| match (number, least) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(number), Some(least)) => number >= least,
        };
        let mut found: Vec<FileMetrics> = self.files.values().cloned().collect();
        found.retain(|file| {
            reaches(file.loc, query.min_loc)
                && reaches(file.fan_in, query.min_fan_in)
                && reaches(file.fan_out, query.min_fan_out)
        });
        // They are ordered by path, and a stable sort keeps that order.
        found.sort_by(|a, b| match (a.complexity_score, b.complexity_score) {
            (Some(a), Some(b)) => b.partial_cmp(&a).unwrap(),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        found.truncate(query.limit.unwrap_or(usize::MAX));
        found
    }

    fn now(&self) -> i64 {
        1_700_000_000 + i64::try_from(self.milliseconds / 1000).unwrap()
    }

    fn start(&mut self, handle: usize, id: &'static str, args: &[String]) -> Result<i64, String> {
        if self.executions.iter().any(|run| run.execution_id == id) {
            return Err(format!("execution {id:?} already exists"));
        }
        let next = i64::try_from(self.executions.len()).unwrap() + 1;
        self.executions.push(ExecutionRecord {
            id: next,
            execution_id: id.to_owned(),
            tool_version: "1.0".to_owned(),
            args: serde_json::to_string(args).unwrap(),
            root: args.first().cloned(),
            db_path: "code.db".to_owned(),
            started_at: self.now(),
            finished_at: None,
            duration_ms: None,
            outcome: "running".to_owned(),
            error_message: None,
            files_indexed: Some(0),
            symbols_indexed: Some(0),
            references_indexed: Some(0),
        });
        self.started[handle].insert(id, self.milliseconds);
        Ok(next)
    }

    fn finish(&mut self, handle: usize, id: &'static str, end: &End) -> Result<(), String> {
        let now = self.now();
        let run = self.executions.iter_mut().find(|run| run.execution_id == id);
        let run = run.ok_or_else(|| format!("execution {id:?} not found"))?;
        let duration = match self.started[handle].remove(id) {
            Some(began) => i64::try_from(self.milliseconds - began).unwrap(),
            None => (now - run.started_at) * 1000,
        };
        run.finished_at = Some(now);
        run.duration_ms = Some(duration);
        run.outcome = end.outcome.to_owned();
        run.error_message = end.error_message.map(str::to_owned);
        run.files_indexed = Some(end.counts[0]);
        run.symbols_indexed = Some(end.counts[1]);
        run.references_indexed = Some(end.counts[2]);
        Ok(())
    }
}

fn debug_answer(value: impl std::fmt::Debug) -> Answer {
    answer(Ok::<_, String>(value))
}

/// A float as records have it: finite, and never -0.0.
fn keep(field: &str, float: &mut Option<f64>) -> Result<(), String> {
    match float {
        Some(float) if !float.is_finite() => {
            Err(format!("{field} is {float}, not a finite number"))
        }
        Some(float) => {
            *float += 0.0;
            Ok(())
        }
        None => Ok(()),
    }
}
