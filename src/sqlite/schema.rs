//! Which tables hold records, and which columns.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::error::SqliteError;
use crate::error::Result;
use crate::record::RecordKind;

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnClass {
    Text,
    Integer,
    /// An integer from 0 on.
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

/// A table as records need it. Columns stand in the order of the record's fields.
#[derive(Debug)]
pub(super) struct TableSpec {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    /// The columns that make the key, which are also the first arguments of the key function.
    pub(super) key: &'static [&'static str],
    /// The SQL function that computes the key.
    pub(super) key_function: &'static str,
    /// The column whose values must be unique beside the key.
    pub(super) id: Option<&'static str>,
    /// The table as a new database gets it, with its indexes.
    pub(super) create: &'static str,
    pub(super) create_indexes: &'static str,
}

/// The name of the table that holds a kind of record.
pub fn table_name(kind: RecordKind) -> &'static str {
    table_spec(kind).name
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

/// A table as a database has it.
#[derive(Debug)]
pub(super) struct TableLayout {
    pub(super) spec: &'static TableSpec,
    /// For each column of the spec: whether the table has it.
    present: Vec<bool>,
    /// Columns that the spec doesn't know, as the table writes them.
    pub(super) unknown: Vec<String>,
    /// A name of the row id that no column hides.
    pub(super) rowid: &'static str,
    /// Whether text is stored as UTF-16, so that its bytes must be read beside it.
    utf16: bool,
}

impl TableLayout {
    /// Looks at a table; `None` if the database has none of that name.
    pub(super) fn read(
        connection: &Connection,
        path: &Path,
        kind: RecordKind,
        utf16: bool,
    ) -> Result<Option<TableLayout>> {
        let spec = table_spec(kind);
        let engine = |source| SqliteError::from_engine("read the schema of", path, source);
        let found = connection
            .query_row(
                "SELECT type, wr FROM pragma_table_list(?1) WHERE schema = 'main'",
                [spec.name],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)),
            )
            .optional()
            .map_err(engine)?;
        let found = match found.as_ref().map(|(kind, wr)| (kind.as_str(), *wr)) {
            None => return Ok(None),
            Some(("table", false)) => None,
            Some(("table", true)) => Some("a WITHOUT ROWID table"),
            Some(("view", _)) => Some("a view"),
            Some(("virtual", _)) => Some("a virtual table"),
            Some(_) => Some("part of a virtual table"),
        };
        if let Some(found) = found {
            return Err(SqliteError::NotATable {
                path: path.to_owned(),
                table: spec.name,
                found,
            }
            .into());
        }
        let names: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_xinfo(?1, 'main')")
            .and_then(|mut statement| {
                statement
                    .query_map([spec.name], |row| row.get(0))?
                    .collect()
            })
            .map_err(engine)?;
        let is = |name: &str| names.iter().any(|found| found.eq_ignore_ascii_case(name));

        let present: Vec<bool> = spec.columns.iter().map(|column| is(column.name)).collect();
        for (column, present) in spec.columns.iter().zip(&present) {
            if !present && !column.nullable {
                return Err(SqliteError::MissingColumn {
                    path: path.to_owned(),
                    table: spec.name,
                    column: column.name,
                }
                .into());
            }
        }
        let rowid = ["rowid", "_rowid_", "oid"]
            .into_iter()
            .find(|name| !is(name))
            .ok_or_else(|| SqliteError::NotATable {
                path: path.to_owned(),
                table: spec.name,
                found: "a table whose columns hide its row id",
            })?;
        let unknown = names
            .iter()
            .filter(|name| {
                !spec
                    .columns
                    .iter()
                    .any(|column| column.name.eq_ignore_ascii_case(name))
            })
            .cloned()
            .collect();
        Ok(Some(TableLayout {
            spec,
            present,
            unknown,
            rowid,
            utf16,
        }))
    }

    /// The table's name for SQL, with the alias `t`.
    pub(super) fn table_clause(&self) -> String {
        // NOT INDEXED: a damaged index must neither hide a row nor supply a value.
        format!("main.{} AS t NOT INDEXED", self.spec.name)
    }

    /// SQL for the columns of the spec in their order, NULL where the table lacks one. In a UTF-16
    /// database as many columns follow, with the stored bytes of those that hold text.
    pub(super) fn select_list(&self) -> String {
        let columns = || self.spec.columns.iter().zip(&self.present);
        let values = columns().map(|(column, present)| match present {
            true => format!("t.{}", column.name),
            false => "NULL".to_owned(),
        });
        let bytes = columns().filter(|_| self.utf16);
        let bytes = bytes.map(|(Column { name, .. }, present)| match present {
            true => format!("CASE typeof(t.{name}) WHEN 'text' THEN CAST(t.{name} AS BLOB) END"),
            false => "NULL".to_owned(),
        });
        values.chain(bytes).collect::<Vec<_>>().join(", ")
    }

    /// SQL that computes the key of a row, NULL if it has none.
    pub(super) fn key_expression(&self) -> String {
        let arguments: Vec<String> = self.spec.key.iter().map(|c| format!("t.{c}")).collect();
        let text_bytes = match self.utf16 && self.has_text_key() {
            true => format!("CAST(t.{} AS BLOB)", self.spec.key.first().unwrap_or(&"")),
            false => "NULL".to_owned(),
        };
        format!(
            "{}({text_bytes}, {})",
            self.spec.key_function,
            arguments.join(", ")
        )
    }

    /// SQL for the bytes that a row takes: of all its text, and of the text in its key.
    pub(super) fn size_expressions(&self) -> (String, String) {
        let length = |name: &str| format!("ifnull(octet_length(t.{name}), 0)");
        let all: Vec<String> = self.text_columns().map(length).collect();
        let key = match self.has_text_key() {
            true => length(self.spec.key.first().unwrap_or(&"")),
            false => "0".to_owned(),
        };
        (all.join(" + "), key)
    }

    fn has_text_key(&self) -> bool {
        let first = self.spec.key.first();
        let column = self.spec.columns.iter().find(|c| Some(&c.name) == first);
        column.is_some_and(|column| column.class == ColumnClass::Text)
    }

    fn text_columns(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.spec.columns.iter().zip(&self.present);
        columns
            .filter(|(column, present)| **present && column.class == ColumnClass::Text)
            .map(|(column, _)| column.name)
    }
}

/// A name quoted for SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
