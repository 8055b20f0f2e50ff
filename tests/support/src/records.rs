//! Records that differ from others in little.

use chunkmigrate::record::{FileMetrics, Record, SymbolMetrics};

/// The metrics of a file, all of them NULL.
pub fn file_metrics(file_path: &str) -> FileMetrics {
    FileMetrics {
        file_path: file_path.to_owned(),
        symbol_count: None,
        loc: None,
        estimated_loc: None,
        fan_in: None,
        fan_out: None,
        complexity_score: None,
        last_updated: 0,
    }
}

/// The metrics of a function, all of them NULL.
pub fn symbol_metrics(symbol_id: i64, file_path: &str) -> SymbolMetrics {
    SymbolMetrics {
        symbol_id,
        symbol_name: "main".to_owned(),
        kind: "Function".to_owned(),
        file_path: file_path.to_owned(),
        loc: None,
        estimated_loc: None,
        fan_in: None,
        fan_out: None,
        cyclomatic_complexity: None,
        last_updated: 0,
    }
}

/// A change to a field that every kind has.
pub fn other_time(record: &Record) -> Record {
    let mut record = record.clone();
    let time = match &mut record {
        Record::Chunk(r) => &mut r.created_at,
        Record::ExecutionLog(r) => &mut r.started_at,
        Record::FileMetrics(r) => &mut r.last_updated,
        Record::SymbolMetrics(r) => &mut r.last_updated,
    };
    *time = time.wrapping_add(1);
    record
}
