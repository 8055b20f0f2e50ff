//! The tables and columns that contain records.

use crate::record::RecordKind;
use crate::stream::{InvalidRow, RawValue};

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnClass {
    Text,
    Integer,
    /// An integer, 0 or more.
    Offset,
    /// A finite float.
    Real,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) class: ColumnClass,
    pub(super) nullable: bool,
}

/// Specification of a record table. Columns are in the order of the record's fields.
#[derive(Debug)]
pub(super) struct TableSpec {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    /// The columns that form the key; they are also the first arguments of the key function.
    pub(super) key: &'static [&'static str],
    /// The SQL function that computes the key.
    pub(super) key_function: &'static str,
    /// The column of the ids, whose values must be unique in addition to the key.
    pub(super) id: Option<&'static str>,
    /// The column that is reported when a record is too large: the one most likely to be large.
    pub(super) largest: &'static str,
    /// SQL that creates the table with its indexes in a new database.
    pub(super) create: &'static str,
    pub(super) create_indexes: &'static str,
}

/// The id of the record in an invalid row, if the kind has ids and the row's is valid.
pub(crate) fn record_id(row: &InvalidRow) -> Option<i64> {
    let id = table_spec(row.kind).id?;
    row.values.iter().find_map(|(column, value)| match value {
        RawValue::Integer(value) if *column == id => Some(*value),
        _ => None,
    })
}

/// The columns that form the key of a kind, in the order of the key.
pub(crate) const fn key_columns(kind: RecordKind) -> &'static [&'static str] {
    table_spec(kind).key
}

pub(super) const fn table_spec(kind: RecordKind) -> &'static TableSpec {
    match kind {
        RecordKind::Chunk => &CODE_CHUNKS,
        RecordKind::ExecutionLog => &EXECUTION_LOG,
        RecordKind::FileMetrics => &FILE_METRICS,
        RecordKind::SymbolMetrics => &SYMBOL_METRICS,
    }
}

const fn required(name: &'static str, class: ColumnClass) -> Column {
    Column {
        name,
        class,
        nullable: false,
    }
}

const fn nullable(name: &'static str, class: ColumnClass) -> Column {
    Column {
        name,
        class,
        nullable: true,
    }
}

use ColumnClass::{Integer, Offset, Real, Text};

static CODE_CHUNKS: TableSpec = TableSpec {
    name: "code_chunks",
    columns: &[
        required("id", Integer),
        required("file_path", Text),
        required("byte_start", Offset),
        required("byte_end", Offset),
        required("content", Text),
        required("content_hash", Text),
        nullable("symbol_name", Text),
        nullable("symbol_kind", Text),
        required("created_at", Integer),
    ],
    key: &["file_path", "byte_start", "byte_end"],
    key_function: "chunk_key",
    id: Some("id"),
    largest: "content",
    create: "CREATE TABLE code_chunks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        file_path TEXT NOT NULL,
        byte_start INTEGER NOT NULL,
        byte_end INTEGER NOT NULL,
        content TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        symbol_name TEXT,
        symbol_kind TEXT,
        created_at INTEGER NOT NULL,
        UNIQUE(file_path, byte_start, byte_end)
    );",
    create_indexes: "
    CREATE INDEX idx_chunks_file_path ON code_chunks(file_path);
    CREATE INDEX idx_chunks_symbol_name ON code_chunks(symbol_name);
    CREATE INDEX idx_chunks_content_hash ON code_chunks(content_hash);",
};

static EXECUTION_LOG: TableSpec = TableSpec {
    name: "execution_log",
    columns: &[
        required("id", Integer),
        required("execution_id", Text),
        required("tool_version", Text),
        required("args", Text),
        nullable("root", Text),
        required("db_path", Text),
        required("started_at", Integer),
        nullable("finished_at", Integer),
        nullable("duration_ms", Integer),
        required("outcome", Text),
        nullable("error_message", Text),
        nullable("files_indexed", Integer),
        nullable("symbols_indexed", Integer),
        nullable("references_indexed", Integer),
    ],
    key: &["execution_id"],
    key_function: "execution_log_key",
    id: Some("id"),
    largest: "args",
    create: "CREATE TABLE execution_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        execution_id TEXT NOT NULL UNIQUE,
        tool_version TEXT NOT NULL,
        args TEXT NOT NULL,
        root TEXT,
        db_path TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        finished_at INTEGER,
        duration_ms INTEGER,
        outcome TEXT NOT NULL,
        error_message TEXT,
        files_indexed INTEGER DEFAULT 0,
        symbols_indexed INTEGER DEFAULT 0,
        references_indexed INTEGER DEFAULT 0
    );",
    create_indexes: "
    CREATE INDEX idx_execution_log_started_at ON execution_log(started_at DESC);
    CREATE INDEX idx_execution_log_execution_id ON execution_log(execution_id);
    CREATE INDEX idx_execution_log_outcome ON execution_log(outcome);",
};

static FILE_METRICS: TableSpec = TableSpec {
    name: "file_metrics",
    columns: &[
        required("file_path", Text),
        nullable("symbol_count", Integer),
        nullable("loc", Integer),
        nullable("estimated_loc", Real),
        nullable("fan_in", Integer),
        nullable("fan_out", Integer),
        nullable("complexity_score", Real),
        required("last_updated", Integer),
    ],
    key: &["file_path"],
    key_function: "file_metrics_key",
    id: None,
    largest: "file_path",
    create: "CREATE TABLE file_metrics (
        file_path TEXT PRIMARY KEY,
        symbol_count INTEGER DEFAULT 0,
        loc INTEGER DEFAULT 0,
        estimated_loc REAL DEFAULT 0,
        fan_in INTEGER DEFAULT 0,
        fan_out INTEGER DEFAULT 0,
        complexity_score REAL DEFAULT 0,
        last_updated INTEGER NOT NULL
    );",
    create_indexes: "",
};

static SYMBOL_METRICS: TableSpec = TableSpec {
    name: "symbol_metrics",
    columns: &[
        required("symbol_id", Integer),
        required("symbol_name", Text),
        required("kind", Text),
        required("file_path", Text),
        nullable("loc", Integer),
        nullable("estimated_loc", Real),
        nullable("fan_in", Integer),
        nullable("fan_out", Integer),
        nullable("cyclomatic_complexity", Integer),
        required("last_updated", Integer),
    ],
    key: &["symbol_id"],
    key_function: "symbol_metrics_key",
    id: None,
    largest: "file_path",
    create: "CREATE TABLE symbol_metrics (
        symbol_id INTEGER PRIMARY KEY,
        symbol_name TEXT NOT NULL,
        kind TEXT NOT NULL,
        file_path TEXT NOT NULL,
        loc INTEGER DEFAULT 0,
        estimated_loc REAL DEFAULT 0,
        fan_in INTEGER DEFAULT 0,
        fan_out INTEGER DEFAULT 0,
        cyclomatic_complexity INTEGER DEFAULT 0,
        last_updated INTEGER NOT NULL
    );",
    create_indexes: "
    CREATE INDEX idx_symbol_metrics_file_path ON symbol_metrics(file_path);",
};

/// Quotes a name for SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
