//! Text keys: one for each record, and their parser.

use std::io::Write as _;

use thiserror::Error;

use super::key_prefix;
use crate::record::{Record, RecordKey, RecordKind};

/// Why bytes are not a valid record key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key starts with an unknown prefix.
    #[error("the key starts with none of {}", RecordKind::ALL.map(key_prefix).join(", "))]
    UnknownPrefix,
    /// The key is not UTF-8.
    #[error("the key is not valid UTF-8 at byte {valid_up_to}")]
    NotUtf8 {
        /// Number of valid bytes before the error.
        valid_up_to: usize,
    },
    /// A chunk key has fewer than two `:` after its prefix.
    #[error("the chunk key lacks a path, start or end")]
    MissingOffset,
    /// A `:` in a path is not doubled.
    #[error("a ':' in the path is not doubled")]
    SingleColon,
    /// A number is not in this format's notation, or is out of range.
    #[error("{text:?} is not a valid number in a key")]
    Number {
        /// The text in place of the number.
        text: String,
    },
}

/// The key of a chunk: `chunk:` path `:` start `:` end, with every `:` in the path doubled.
///
/// The offsets are the chunk's half-open byte range. Keys with an offset above [`i64::MAX`] are
/// rejected by [`parse_key`].
///
/// ```
/// use chunkmigrate::codec::chunk_key;
///
/// assert_eq!(chunk_key(r"C:\a.rs", 7, 16), br"chunk:C::\a.rs:7:16");
/// ```
pub fn chunk_key(file_path: &str, byte_start: u64, byte_end: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(file_path.len() + 32);
    write_chunk_key(&mut key, file_path, byte_start, byte_end);
    key
}

/// The key of an execution: `execlog:` followed by the execution id, verbatim.
pub fn execution_log_key(execution_id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(execution_id.len() + 8);
    write_execution_log_key(&mut key, execution_id);
    key
}

/// The key of a file's metrics: `metrics:file:` followed by the path with every `:` doubled.
pub fn file_metrics_key(file_path: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(file_path.len() + 16);
    write_file_metrics_key(&mut key, file_path);
    key
}

/// The key of a symbol's metrics: `metrics:symbol:` followed by the id in decimal.
pub fn symbol_metrics_key(symbol_id: i64) -> Vec<u8> {
    let mut key = Vec::with_capacity(36);
    write_symbol_metrics_key(&mut key, symbol_id);
    key
}

/// The bytes of a key.
pub fn encode_key(key: &RecordKey) -> Vec<u8> {
    match key {
        RecordKey::Chunk {
            file_path,
            byte_start,
            byte_end,
        } => chunk_key(file_path, *byte_start, *byte_end),
        RecordKey::ExecutionLog { execution_id } => execution_log_key(execution_id),
        RecordKey::FileMetrics { file_path } => file_metrics_key(file_path),
        RecordKey::SymbolMetrics { symbol_id } => symbol_metrics_key(*symbol_id),
    }
}

/// The bytes of a record's key.
pub fn record_key(record: &Record) -> Vec<u8> {
    let mut key = Vec::new();
    record_key_into(record, &mut key);
    key
}

/// Appends the bytes of a record's key.
pub fn record_key_into(record: &Record, out: &mut Vec<u8>) {
    match record {
        Record::Chunk(r) => write_chunk_key(out, &r.file_path, r.byte_start, r.byte_end),
        Record::ExecutionLog(r) => write_execution_log_key(out, &r.execution_id),
        Record::FileMetrics(r) => write_file_metrics_key(out, &r.file_path),
        Record::SymbolMetrics(r) => write_symbol_metrics_key(out, r.symbol_id),
    }
}

/// The common prefix of all chunk keys of a file.
///
/// Keys of other files may start with it too, for example those of `a:b` with the prefix of `a`.
/// They sort after those of `a`.
///
/// ```
/// use chunkmigrate::codec::chunk_key;
/// use chunkmigrate::codec::file_chunks_prefix;
///
/// let prefix = file_chunks_prefix("a.rs");
/// assert_eq!(prefix, b"chunk:a.rs:");
/// assert!(chunk_key("a.rs", 0, 9).starts_with(&prefix));
/// assert!(!chunk_key("a.rs.orig", 0, 9).starts_with(&prefix));
/// ```
pub fn file_chunks_prefix(file_path: &str) -> Vec<u8> {
    let mut prefix = key_prefix(RecordKind::Chunk).as_bytes().to_vec();
    double_colons(&mut prefix, file_path);
    prefix.push(b':');
    prefix
}

/// Parses the bytes of a key.
///
/// Accepts exactly the keys that this module writes: a single `:` in a path, a leading zero or a
/// plus sign is an error.
///
/// # Errors
/// [`KeyError`] describes why the bytes are not a valid key.
///
/// ```
/// use chunkmigrate::codec::{KeyError, parse_key};
/// use chunkmigrate::record::RecordKey;
///
/// let file_path = "a:b.rs".to_owned();
/// let key = RecordKey::Chunk { file_path, byte_start: 0, byte_end: 2 };
/// assert_eq!(parse_key(b"chunk:a::b.rs:0:2"), Ok(key));
/// assert_eq!(parse_key(b"chunk:a:b.rs:0:2"), Err(KeyError::SingleColon));
/// assert_eq!(parse_key(b"chunk:a.rs:00:2"), Err(KeyError::Number { text: "00".to_owned() }));
/// ```
pub fn parse_key(key: &[u8]) -> Result<RecordKey, KeyError> {
    Ok(match split_key(key)? {
        Parts::Chunk { path, start, end } => RecordKey::Chunk {
            file_path: single_colons(path),
            byte_start: start,
            byte_end: end,
        },
        Parts::ExecutionLog(execution_id) => RecordKey::ExecutionLog {
            execution_id: execution_id.to_owned(),
        },
        Parts::FileMetrics(path) => RecordKey::FileMetrics {
            file_path: single_colons(path),
        },
        Parts::SymbolMetrics(symbol_id) => RecordKey::SymbolMetrics { symbol_id },
    })
}

/// The kind of record that a key identifies. Doesn't allocate.
///
/// # Errors
/// As [`parse_key`].
///
/// ```
/// use chunkmigrate::{codec::key_kind, record::RecordKind};
///
/// assert_eq!(key_kind(b"metrics:symbol:-7"), Ok(RecordKind::SymbolMetrics));
/// assert!(key_kind(b"metrics:symbol:seven").is_err());
/// ```
pub fn key_kind(key: &[u8]) -> Result<RecordKind, KeyError> {
    Ok(match split_key(key)? {
        Parts::Chunk { .. } => RecordKind::Chunk,
        Parts::ExecutionLog(_) => RecordKind::ExecutionLog,
        Parts::FileMetrics(_) => RecordKind::FileMetrics,
        Parts::SymbolMetrics(_) => RecordKind::SymbolMetrics,
    })
}

/// The parts of a key, with paths still escaped.
enum Parts<'k> {
    Chunk { path: &'k str, start: u64, end: u64 },
    ExecutionLog(&'k str),
    FileMetrics(&'k str),
    SymbolMetrics(i64),
}

fn split_key(key: &[u8]) -> Result<Parts<'_>, KeyError> {
    let (kind, rest) = RecordKind::ALL
        .into_iter()
        .find_map(|kind| Some((kind, key.strip_prefix(key_prefix(kind).as_bytes())?)))
        .ok_or(KeyError::UnknownPrefix)?;
    let rest = std::str::from_utf8(rest).map_err(|error| KeyError::NotUtf8 {
        valid_up_to: key_prefix(kind).len() + error.valid_up_to(),
    })?;
    match kind {
        RecordKind::Chunk => {
            // From the right: the path may contain colons, the numbers can't.
            let (rest, end) = rest.rsplit_once(':').ok_or(KeyError::MissingOffset)?;
            let (path, start) = rest.rsplit_once(':').ok_or(KeyError::MissingOffset)?;
            check_colons(path)?;
            let (start, end) = (parse_offset(start)?, parse_offset(end)?);
            Ok(Parts::Chunk { path, start, end })
        }
        RecordKind::ExecutionLog => Ok(Parts::ExecutionLog(rest)),
        RecordKind::FileMetrics => check_colons(rest).map(|()| Parts::FileMetrics(rest)),
        RecordKind::SymbolMetrics => parse_integer(rest).map(Parts::SymbolMetrics),
    }
}

fn write_chunk_key(out: &mut Vec<u8>, file_path: &str, byte_start: u64, byte_end: u64) {
    out.extend_from_slice(key_prefix(RecordKind::Chunk).as_bytes());
    double_colons(out, file_path);
    write_number(out, format_args!(":{byte_start}:{byte_end}"));
}

fn write_execution_log_key(out: &mut Vec<u8>, execution_id: &str) {
    out.extend_from_slice(key_prefix(RecordKind::ExecutionLog).as_bytes());
    out.extend_from_slice(execution_id.as_bytes());
}

fn write_file_metrics_key(out: &mut Vec<u8>, file_path: &str) {
    out.extend_from_slice(key_prefix(RecordKind::FileMetrics).as_bytes());
    double_colons(out, file_path);
}

fn write_symbol_metrics_key(out: &mut Vec<u8>, symbol_id: i64) {
    out.extend_from_slice(key_prefix(RecordKind::SymbolMetrics).as_bytes());
    write_number(out, format_args!("{symbol_id}"));
}

fn write_number(out: &mut Vec<u8>, number: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(number);
}

fn double_colons(out: &mut Vec<u8>, path: &str) {
    let mut parts = path.split(':');
    out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        out.extend_from_slice(b"::");
        out.extend_from_slice(part.as_bytes());
    }
}

fn check_colons(doubled: &str) -> Result<(), KeyError> {
    let colons = doubled.bytes().filter(|&byte| byte == b':').count();
    match colons == 0 || colons == 2 * doubled.matches("::").count() {
        true => Ok(()),
        false => Err(KeyError::SingleColon),
    }
}

fn single_colons(doubled: &str) -> String {
    doubled.replace("::", ":")
}

fn parse_offset(text: &str) -> Result<u64, KeyError> {
    u64::try_from(parse_integer(text)?).map_err(|_| no_number(text))
}

fn parse_integer(text: &str) -> Result<i64, KeyError> {
    let canonical = match text.strip_prefix('-').unwrap_or(text).as_bytes() {
        b"0" => text == "0",
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let integer = text.parse().ok().filter(|_| canonical);
    integer.ok_or_else(|| no_number(text))
}

fn no_number(text: &str) -> KeyError {
    KeyError::Number {
        text: text.to_owned(),
    }
}
