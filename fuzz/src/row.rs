//! Rows of tables that accept anything, and whether each is valid, decided from its values alone.

use std::collections::BTreeMap;
use std::fmt;

use chunkmigrate::record::{RecordKey, RecordKind};
use chunkmigrate::rusqlite::ToSql;
use chunkmigrate::rusqlite::types::{ToSqlOutput, Value};
use chunkmigrate::verify::InvalidReason;
use test_support::input::Input;

use super::encoding::Encoding;

/// A value as stored in a table.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    /// Stored bytes, which need not be text in the database's encoding.
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => write!(f, "null"),
            Cell::Integer(integer) => write!(f, "{integer}"),
            Cell::Real(real) => write!(f, "real {:016x}", real.to_bits()),
            Cell::Text(text) => write!(f, "\"{}\"", text.escape_ascii()),
            Cell::Blob(blob) => write!(f, "blob \"{}\"", blob.escape_ascii()),
        }
    }
}

/// What a column may contain: text, an integer, an offset or a real.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Class {
    Text,
    Integer,
    Offset,
    Real,
}

pub(crate) type Columns = &'static [(&'static str, Class, bool)];

/// Names, classes and whether NULL is allowed, written independently from the format description.
pub(crate) fn columns(kind: RecordKind) -> Columns {
    use Class::{Integer, Offset, Real, Text};
    match kind {
        RecordKind::Chunk => &[
            ("id", Integer, false),
            ("file_path", Text, false),
            ("byte_start", Offset, false),
            ("byte_end", Offset, false),
            ("content", Text, false),
            ("content_hash", Text, false),
            ("symbol_name", Text, true),
            ("symbol_kind", Text, true),
            ("created_at", Integer, false),
        ],
        RecordKind::ExecutionLog => &[
            ("id", Integer, false),
            ("execution_id", Text, false),
            ("tool_version", Text, false),
            ("args", Text, false),
            ("root", Text, true),
            ("db_path", Text, false),
            ("started_at", Integer, false),
            ("finished_at", Integer, true),
            ("duration_ms", Integer, true),
            ("outcome", Text, false),
            ("error_message", Text, true),
            ("files_indexed", Integer, true),
            ("symbols_indexed", Integer, true),
            ("references_indexed", Integer, true),
        ],
        RecordKind::FileMetrics => &[
            ("file_path", Text, false),
            ("symbol_count", Integer, true),
            ("loc", Integer, true),
            ("estimated_loc", Real, true),
            ("fan_in", Integer, true),
            ("fan_out", Integer, true),
            ("complexity_score", Real, true),
            ("last_updated", Integer, false),
        ],
        RecordKind::SymbolMetrics => &[
            ("symbol_id", Integer, false),
            ("symbol_name", Text, false),
            ("kind", Text, false),
            ("file_path", Text, false),
            ("loc", Integer, true),
            ("estimated_loc", Real, true),
            ("fan_in", Integer, true),
            ("fan_out", Integer, true),
            ("cyclomatic_complexity", Integer, true),
            ("last_updated", Integer, false),
        ],
    }
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) kind: RecordKind,
    pub(crate) rowid: i64,
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    /// A valid row.
    pub(crate) fn new(input: &mut Input<'_>, encoding: Encoding) -> Self {
        let kind = input.kind();
        let cells = columns(kind).iter().map(|&(name, class, nullable)| {
            if nullable && input.one_in(2) {
                return Cell::Null;
            }
            match (class, name) {
                (Class::Text, "file_path" | "execution_id") => {
                    Cell::Text(encoding.encode(&input.name()))
                }
                (Class::Text, _) => Cell::Text(encoding.encode(&input.text())),
                (Class::Integer, _) => Cell::Integer(input.integer()),
                (Class::Offset, _) => Cell::Integer(input.offset() as i64),
                (Class::Real, _) => Cell::Real(input.float()),
            }
        });
        Row { kind, rowid: 0, cells: cells.collect() }
    }

    /// Puts anything into a column; with `keeps_id` not into the first one.
    pub(crate) fn invalidate(&mut self, input: &mut Input<'_>, encoding: Encoding, keeps_id: bool) {
        let first = usize::from(keeps_id);
        let column = first + input.below((self.cells.len() - first) as u8);
        self.cells[column] = match input.below(8) {
            0 => Cell::Null,
            1 => Cell::Integer(input.integer()),
            2 => Cell::Real(input.float()),
            3 => Cell::Real(input.pick(&[f64::INFINITY, f64::NEG_INFINITY])),
            4 => Cell::Text(encoding.encode(&input.text())),
            5 => Cell::Text([encoding.encode(&input.text()), encoding.lone_surrogate()].concat()),
            6 => {
                let mut bytes = input.bytes();
                if encoding != Encoding::Utf8 {
                    // SQLite drops half code units.
                    bytes.truncate(bytes.len() / 2 * 2);
                }
                Cell::Text(bytes)
            }
            _ => Cell::Blob(input.bytes()),
        };
    }

    /// The first column with a value that no record has.
    fn fault(&self, encoding: Encoding) -> Option<(&'static str, InvalidReason)> {
        let mut columns = columns(self.kind).iter().zip(&self.cells);
        columns.find_map(|(&(name, class, nullable), cell)| {
            let reason = match (class, cell) {
                (_, Cell::Null) if nullable => return None,
                (_, Cell::Null) => InvalidReason::Null,
                (Class::Text, Cell::Text(bytes)) if encoding.decode(bytes).is_some() => {
                    return None;
                }
                (Class::Text, Cell::Text(_)) => InvalidReason::NotUtf8,
                (Class::Integer, Cell::Integer(_)) | (Class::Offset, Cell::Integer(0..)) => {
                    return None;
                }
                (Class::Offset, Cell::Integer(_)) => InvalidReason::Range,
                (Class::Real, Cell::Real(real)) if real.is_finite() => return None,
                (Class::Real, Cell::Real(_)) => InvalidReason::NotFinite,
                _ => InvalidReason::StorageClass,
            };
            Some((name, reason))
        })
    }

    fn key(&self, encoding: Encoding) -> Option<Vec<u8>> {
        let text = |column: usize| match &self.cells[column] {
            Cell::Text(bytes) => encoding.decode(bytes),
            _ => None,
        };
        let integer = |column: usize| match self.cells[column] {
            Cell::Integer(integer) => Some(integer),
            _ => None,
        };
        let offset = |column: usize| u64::try_from(integer(column)?).ok();
        let key = match self.kind {
            RecordKind::Chunk => RecordKey::Chunk {
                file_path: text(1)?,
                byte_start: offset(2)?,
                byte_end: offset(3)?,
            },
            RecordKind::ExecutionLog => RecordKey::ExecutionLog { execution_id: text(1)? },
            RecordKind::FileMetrics => RecordKey::FileMetrics { file_path: text(0)? },
            RecordKind::SymbolMetrics => RecordKey::SymbolMetrics { symbol_id: integer(0)? },
        };
        Some(key.encode())
    }

    fn id(&self) -> Option<i64> {
        match (self.kind, &self.cells[0]) {
            (RecordKind::Chunk | RecordKind::ExecutionLog, Cell::Integer(id)) => Some(*id),
            _ => None,
        }
    }

    /// The row as it returns to a UTF-8 database.
    pub(crate) fn returned(&self, encoding: Encoding) -> String {
        let cells = self.cells.iter().map(|cell| match cell {
            Cell::Text(bytes) => Cell::Text(encoding.decode(bytes).unwrap().into_bytes()),
            Cell::Real(real) => Cell::Real(real + 0.0),
            other => other.clone(),
        });
        format!("{} {:?}", self.kind, cells.collect::<Vec<_>>())
    }
}

/// The invalid rows, with the reasons.
pub(crate) fn faults(
    rows: &[Row],
    encoding: Encoding,
) -> Vec<Option<(&'static str, InvalidReason)>> {
    let (mut keys, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        if let Some(key) = row.key(encoding) {
            *keys.entry(key).or_insert(0) += 1;
        }
        if let Some(id) = row.id() {
            *ids.entry((row.kind, id)).or_insert(0) += 1;
        }
    }
    let fault = |row: &Row| {
        let shares_key = row.key(encoding).is_some_and(|key| keys[&key] > 1);
        let shares_id = row.id().is_some_and(|id| ids[&(row.kind, id)] > 1);
        let key_column = columns(row.kind)[usize::from(row.id().is_some())].0;
        row.fault(encoding)
            .or_else(|| shares_key.then_some((key_column, InvalidReason::DuplicateKey)))
            .or_else(|| shares_id.then_some(("id", InvalidReason::DuplicateId)))
    };
    rows.iter().map(fault).collect()
}

impl ToSql for Cell {
    fn to_sql(&self) -> chunkmigrate::rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Integer(integer) => ToSqlOutput::Owned(Value::Integer(*integer)),
            Cell::Real(real) => ToSqlOutput::Owned(Value::Real(*real)),
            Cell::Text(bytes) | Cell::Blob(bytes) => ToSqlOutput::Owned(Value::Blob(bytes.clone())),
        })
    }
}
