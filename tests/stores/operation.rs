use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::modes::Stores;
use chunkmigrate::Result;
use chunkmigrate::record::{CodeChunk, FileMetrics, SymbolMetrics};
use chunkmigrate::store::{ExecutionEnd, ExecutionStart, HotspotQuery};

/// A request to the stores of a tool.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    EnsureSchema,
    StoreChunk(CodeChunk),
    StoreChunks(Vec<CodeChunk>),
    GetChunkBySpan(&'static str, u64, u64),
    GetChunksForFile(&'static str),
    GetChunksForSymbol(&'static str, &'static str),
    GetChunksByKind(&'static str),
    DeleteChunksForFile(&'static str),
    CountChunks,
    CountChunksForFile(&'static str),
    UpsertFileMetrics(FileMetrics),
    UpsertSymbolMetrics(SymbolMetrics),
    GetFileMetrics(&'static str),
    GetSymbolMetrics(i64),
    DeleteFileMetrics(&'static str),
    GetHotspots(HotspotQuery),
    /// By one of two handles on the log.
    StartExecution(usize, &'static str, Vec<String>),
    FinishExecution(usize, &'static str, End),
    GetByExecutionId(&'static str),
    ListAll(Option<usize>),
    /// This many milliseconds pass.
    Wait(u64),
}

/// How an execution ends.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) outcome: &'static str,
    pub(crate) error_message: Option<&'static str>,
    pub(crate) counts: [i64; 3],
}

/// An answer, or the message of an error. Two modes agree if these are equal.
pub(crate) type Answer = Result<String, String>;

/// A result as a tool sees it.
pub(crate) fn answer<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> Answer {
    match result {
        Ok(value) => Ok(format!("{value:?}")),
        Err(error) => Err(error.to_string()),
    }
}

fn debug_text<T: std::fmt::Debug>(result: chunkmigrate::Result<T>) -> chunkmigrate::Result<String> {
    result.map(|value| format!("{value:?}"))
}

impl Operation {
    /// Runs it on stores.
    pub(crate) fn run(&self, stores: &Stores) -> Answer {
        self.try_run(stores).map_err(|error| error.to_string())
    }

    /// Runs it on stores, with the original error.
    pub(crate) fn try_run(&self, stores: &Stores) -> chunkmigrate::Result<String> {
        let Stores { chunks, metrics, logs, clock, .. } = stores;
        match self {
            Operation::EnsureSchema => debug_text(chunks.ensure_schema()),
            Operation::StoreChunk(chunk) => debug_text(chunks.store_chunk(chunk)),
            Operation::StoreChunks(several) => debug_text(chunks.store_chunks(several)),
            Operation::GetChunkBySpan(path, start, end) => {
                debug_text(chunks.get_chunk_by_span(path, *start, *end))
            }
            Operation::GetChunksForFile(path) => debug_text(chunks.get_chunks_for_file(path)),
            Operation::GetChunksForSymbol(path, name) => {
                debug_text(chunks.get_chunks_for_symbol(path, name))
            }
            Operation::GetChunksByKind(kind) => debug_text(chunks.get_chunks_by_kind(kind)),
            Operation::DeleteChunksForFile(path) => debug_text(chunks.delete_chunks_for_file(path)),
            Operation::CountChunks => debug_text(chunks.count_chunks()),
            Operation::CountChunksForFile(path) => debug_text(chunks.count_chunks_for_file(path)),
            Operation::UpsertFileMetrics(file) => debug_text(metrics.upsert_file_metrics(file)),
            Operation::UpsertSymbolMetrics(symbol) => {
                debug_text(metrics.upsert_symbol_metrics(symbol))
            }
            Operation::GetFileMetrics(path) => debug_text(metrics.get_file_metrics(path)),
            Operation::GetSymbolMetrics(id) => debug_text(metrics.get_symbol_metrics(*id)),
            Operation::DeleteFileMetrics(path) => debug_text(metrics.delete_file_metrics(path)),
            Operation::GetHotspots(query) => debug_text(metrics.get_hotspots(query)),
            Operation::StartExecution(handle, execution_id, args) => {
                debug_text(logs[*handle].start_execution(&ExecutionStart {
                    execution_id,
                    tool_version: "1.0",
                    args,
                    root: args.first().map(String::as_str),
                    db_path: "code.db",
                }))
            }
            Operation::FinishExecution(handle, execution_id, end) => {
                let [files_indexed, symbols_indexed, references_indexed] = end.counts;
                let end = ExecutionEnd {
                    outcome: end.outcome,
                    error_message: end.error_message,
                    files_indexed,
                    symbols_indexed,
                    references_indexed,
                };
                debug_text(logs[*handle].finish_execution(execution_id, &end))
            }
            Operation::GetByExecutionId(id) => debug_text(logs[0].get_by_execution_id(id)),
            Operation::ListAll(limit) => debug_text(logs[1].list_all(*limit)),
            Operation::Wait(milliseconds) => {
                clock.go_on(*milliseconds);
                debug_text(Ok(()))
            }
        }
    }
}

/// Paths, one of which is a prefix of another, and whatever else keys must keep apart.
fn path() -> impl Strategy<Value = &'static str> {
    select(vec![
        "", "a", "a:", "a:b", "a::b", ":", "a:0", "a:0:1", "ab", "A", "a ", "ü\0\"\\", "a/b.rs",
    ])
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["", "main", "main\0", "Main", "\u{301}x"])
}

/// Small, so that spans collide, or at the limits.
fn offset() -> impl Strategy<Value = u64> {
    let max = i64::MAX.unsigned_abs();
    prop_oneof![20 => 0..12u64, 1 => Just(max), 1 => Just(max + 1), 1 => Just(u64::MAX)]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -3..12i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn float() -> impl Strategy<Value = f64> {
    let odd =
        vec![0.0, -0.0, -1.5, f64::MIN_POSITIVE, 5e-324, -5e-324, f64::MAX, f64::MIN, 1e16, 0.1];
    prop_oneof![
        8 => (-8..8i32).prop_map(|n| f64::from(n) / 4.0),
        4 => select(odd),
        1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ]
}

fn chunk() -> impl Strategy<Value = CodeChunk> {
    let span = (path(), offset(), offset());
    let symbol = (option::of(name()), option::of(name()));
    (number(), span, name(), symbol, number()).prop_map(
        |(id, (file_path, byte_start, byte_end), content, (symbol_name, symbol_kind), time)| {
            CodeChunk {
                id,
                file_path: file_path.to_owned(),
                byte_start,
                byte_end,
                content: content.to_owned(),
                content_hash: "hash".to_owned(),
                symbol_name: symbol_name.map(str::to_owned),
                symbol_kind: symbol_kind.map(str::to_owned),
                created_at: time,
            }
        },
    )
}

fn file_metrics() -> impl Strategy<Value = FileMetrics> {
    let optional = || option::of(number());
    let numbers = (optional(), optional(), optional(), optional(), number());
    let floats = (option::of(float()), option::of(float()));
    (path(), numbers, floats).prop_map(|(file_path, numbers, floats)| FileMetrics {
        file_path: file_path.to_owned(),
        symbol_count: numbers.0,
        loc: numbers.1,
        estimated_loc: floats.0,
        fan_in: numbers.2,
        fan_out: numbers.3,
        complexity_score: floats.1,
        last_updated: numbers.4,
    })
}

fn symbol_metrics() -> impl Strategy<Value = SymbolMetrics> {
    let optional = || option::of(number());
    let numbers = (optional(), optional(), optional(), number());
    (number(), name(), path(), numbers, option::of(float())).prop_map(
        |(symbol_id, symbol_name, file_path, numbers, estimated_loc)| SymbolMetrics {
            symbol_id,
            symbol_name: symbol_name.to_owned(),
            kind: "Function".to_owned(),
            file_path: file_path.to_owned(),
            loc: numbers.0,
            estimated_loc,
            fan_in: numbers.1,
            fan_out: numbers.2,
            cyclomatic_complexity: None,
            last_updated: numbers.3,
        },
    )
}

fn hotspot_query() -> impl Strategy<Value = HotspotQuery> {
    let least = || option::of(number());
    (option::of(0..4usize), least(), least(), least()).prop_map(
        |(limit, min_loc, min_fan_in, min_fan_out)| HotspotQuery {
            limit,
            min_loc,
            min_fan_in,
            min_fan_out,
        },
    )
}

fn execution_id() -> impl Strategy<Value = &'static str> {
    select(vec!["", "1", "1:", "1:2", "\0", "ü"])
}

fn end() -> impl Strategy<Value = End> {
    (name(), option::of(name()), [number(), number(), number()])
        .prop_map(|(outcome, error_message, counts)| End { outcome, error_message, counts })
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let args = prop::collection::vec(name().prop_map(str::to_owned), 0..3);
    let limit = option::of(0..4usize);
    let chunks = prop_oneof![
        1 => Just(Operation::EnsureSchema),
        6 => chunk().prop_map(Operation::StoreChunk),
        4 => prop::collection::vec(chunk(), 0..5).prop_map(Operation::StoreChunks),
        3 => (path(), offset(), offset()).prop_map(|(p, s, e)| Operation::GetChunkBySpan(p, s, e)),
        3 => path().prop_map(Operation::GetChunksForFile),
        2 => (path(), name()).prop_map(|(p, n)| Operation::GetChunksForSymbol(p, n)),
        2 => name().prop_map(Operation::GetChunksByKind),
        2 => path().prop_map(Operation::DeleteChunksForFile),
        1 => Just(Operation::CountChunks),
        2 => path().prop_map(Operation::CountChunksForFile),
    ];
    let metrics = prop_oneof![
        4 => file_metrics().prop_map(Operation::UpsertFileMetrics),
        4 => symbol_metrics().prop_map(Operation::UpsertSymbolMetrics),
        2 => path().prop_map(Operation::GetFileMetrics),
        2 => number().prop_map(Operation::GetSymbolMetrics),
        1 => path().prop_map(Operation::DeleteFileMetrics),
        4 => hotspot_query().prop_map(Operation::GetHotspots),
    ];
    let log = prop_oneof![
        4 => (0..2usize, execution_id(), args)
            .prop_map(|(handle, id, args)| Operation::StartExecution(handle, id, args)),
        4 => (0..2usize, execution_id(), end())
            .prop_map(|(handle, id, end)| Operation::FinishExecution(handle, id, end)),
        2 => execution_id().prop_map(Operation::GetByExecutionId),
        2 => limit.prop_map(Operation::ListAll),
        2 => (0..5000u64).prop_map(Operation::Wait),
    ];
    prop_oneof![chunks, metrics, log]
}
