//! The built-in sample of records with difficult encodings.

use crate::codec::Digest;
use crate::record::{CodeChunk, ExecutionRecord, FileMetrics, IdSequences, Record, SymbolMetrics};

/// Texts that are often encoded incorrectly.
const TEXTS: [&str; 22] = [
    "",
    " leading and trailing ",
    "fn main() {\r\n\tprintln!(\"hello\");\r\n}\r\n",
    "quote \" backslash \\ slash / both \\\"",
    "\u{0}NUL at the start, \u{0} inside, at the end \u{0}",
    "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{e}\u{f}",
    "\u{10}\u{11}\u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1b}\u{1c}\u{1d}\u{1e}\u{1f}",
    "delete \u{7f} and C1 controls \u{80}\u{85}\u{9f}",
    "caf\u{e9}",
    "cafe\u{301}",
    "\u{301}lone combining mark",
    "family \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} flag \u{1f1ea}\u{1f1fa}",
    "line separator \u{2028} paragraph separator \u{2029}",
    "bidi \u{202e}override\u{202c} \u{2066}isolate\u{2069}",
    "\u{feff}byte order mark",
    "noncharacters \u{fffe} \u{ffff} \u{10ffff}",
    "private use \u{e000} replacement \u{fffd}",
    "\u{d7ff}\u{e000} around the surrogates",
    "\u{1b}[31mterminal escape\u{1b}[0m",
    "{\"json\":[1,2,{\"deep\":null}]}",
    "\u{4e2d}\u{6587} \u{65e5}\u{672c}\u{8a9e} \u{d55c}\u{ad6d}\u{c5b4}",
    "'; DROP TABLE code_chunks; --",
];

/// Paths whose keys sort close together.
const PATHS: [&str; 14] = [
    "",
    ":",
    "::",
    "a",
    "a:",
    ":a",
    "a:b",
    "a::b",
    "a.rs",
    "a/b.rs",
    "A.RS",
    "src/na:\u{ef}ve file.rs",
    "src\\windows\\path.rs",
    "nul\u{0}in.rs",
];

/// Floats at the boundaries of each notation.
const FLOATS: [f64; 26] = [
    0.0,
    1.0,
    -1.0,
    0.1,
    0.30000000000000004,
    1e-5,
    9.999999999999999e-6,
    1e-7,
    1.5e-7,
    123456.789,
    1e15,
    1.5e15,
    9007199254740991.0,
    9007199254740993.0,
    9999999999999998.0,
    1e16,
    1e17,
    1e21,
    1e22,
    1e23,
    5e-324,
    2.225073858507201e-308,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    f64::EPSILON,
];

/// Integers at the boundaries of their range.
const INTEGERS: [i64; 9] =
    [0, 1, -1, 9, 10, 9_007_199_254_740_993, i64::MAX - 1, i64::MAX, i64::MIN];

/// Spans whose offsets sort differently as text and as numbers.
const SPANS: [(u64, u64); 6] =
    [(0, 0), (1, 5), (10, 3), (9, 10), (100, 1000), (i64::MAX as u64, i64::MAX as u64)];

/// The records of the sample, in no particular order.
pub fn sample_records() -> Vec<Record> {
    let chunks = chunks().into_iter().map(Record::Chunk);
    let executions = executions().into_iter().map(Record::ExecutionLog);
    let files = file_metrics().into_iter().map(Record::FileMetrics);
    let symbols = symbol_metrics().into_iter().map(Record::SymbolMetrics);
    chunks.chain(executions).chain(files).chain(symbols).collect()
}

/// The id sequences of the sample: for the execution log above every id, as if the last runs had
/// been deleted, and for chunks the maximum.
pub fn sample_sequences() -> IdSequences {
    IdSequences { code_chunks: i64::MAX, execution_log: 1000 }
}

fn chunks() -> Vec<CodeChunk> {
    let by_text = TEXTS.iter().map(|text| (*text, "src/texts.rs", None));
    let by_path = PATHS.iter().map(|path| ("let path;", *path, Some((7, 16))));
    let by_span = SPANS.iter().map(|span| ("", "src/spans.rs", Some(*span)));
    let all = by_text.chain(by_path).chain(by_span);
    let mut chunks: Vec<CodeChunk> = (1..)
        .zip(all)
        .map(|(id, (content, path, span))| {
            let length = content.len() as u64;
            let offset = id as u64 * 100;
            let (byte_start, byte_end) = span.unwrap_or((offset, offset + length));
            CodeChunk {
                id,
                file_path: path.to_owned(),
                byte_start,
                byte_end,
                content: content.to_owned(),
                content_hash: Digest::of(content).to_string(),
                symbol_name: (id % 3 != 0).then(|| content.to_owned()),
                symbol_kind: (id % 2 != 0).then(|| "Function".to_owned()),
                created_at: 1_700_000_000 + id,
            }
        })
        .collect();
    // Ids and times at the boundaries of their range.
    for (chunk, integer) in chunks.iter_mut().zip(INTEGERS) {
        chunk.created_at = integer;
        if !(0..1000).contains(&integer) {
            chunk.id = integer;
        }
    }
    chunks
}

fn executions() -> Vec<ExecutionRecord> {
    let texts = TEXTS.iter().chain(&PATHS).enumerate();
    let mut seen = Vec::new();
    texts
        .filter(|(_, text)| {
            let new = !seen.contains(*text);
            seen.push(**text);
            new
        })
        .map(|(index, text)| {
            let number = index as i64;
            let some = |value: i64| (index % 4 != 0).then_some(value);
            let text = (*text).to_owned();
            ExecutionRecord {
                id: number + 1,
                execution_id: text.clone(),
                tool_version: "4.17.0".to_owned(),
                args: "[\"watch\",\"--root\",\".\"]".to_owned(),
                root: some(0).map(|_| text.clone()),
                db_path: text.clone(),
                started_at: 1_700_000_000 - number,
                finished_at: some(1_700_000_001),
                duration_ms: some(i64::MAX - number),
                outcome: if index % 4 == 0 { "running" } else { "success" }.to_owned(),
                error_message: (index % 2 == 0).then_some(text),
                files_indexed: some(0),
                symbols_indexed: some(i64::MIN + number),
                references_indexed: some(number),
            }
        })
        .collect()
}

fn file_metrics() -> Vec<FileMetrics> {
    let empty = |file_path: &str| FileMetrics {
        file_path: file_path.to_owned(),
        symbol_count: None,
        loc: None,
        estimated_loc: None,
        fan_in: None,
        fan_out: None,
        complexity_score: None,
        last_updated: 0,
    };
    let by_float = FLOATS.iter().enumerate().map(|(index, float)| FileMetrics {
        symbol_count: Some(index as i64),
        loc: INTEGERS.get(index % INTEGERS.len()).copied(),
        estimated_loc: Some(*float),
        fan_in: Some(0),
        fan_out: None,
        complexity_score: Some(-float + 0.0),
        last_updated: 1_700_000_000,
        ..empty(&format!("src/float_{index}.rs"))
    });
    by_float.chain(PATHS.map(empty)).collect()
}

fn symbol_metrics() -> Vec<SymbolMetrics> {
    let texts = TEXTS.iter().cycle();
    let floats = FLOATS.iter().cycle();
    let all = INTEGERS.iter().chain(&[-10, 100, 1000]).zip(texts).zip(floats);
    all.map(|((symbol_id, text), float)| SymbolMetrics {
        symbol_id: *symbol_id,
        symbol_name: (*text).to_owned(),
        kind: "Method".to_owned(),
        file_path: (*text).to_owned(),
        loc: Some(*symbol_id),
        estimated_loc: (*symbol_id != 0).then_some(*float),
        fan_in: Some(1),
        fan_out: (*symbol_id > 0).then_some(2),
        cyclomatic_complexity: None,
        last_updated: *symbol_id,
    })
    .collect()
}
