use super::schema::{KindSchema, place, places};
use super::value::record_type;

record_type! {
    /// Size and coupling of a source file.
    FileMetrics {
        /// Path of the source file; identifies the record.
        file_path: String,
        /// Number of symbols that the file defines.
        symbol_count: Option<i64>,
        /// Lines of code.
        loc: Option<i64>,
        /// Estimated lines of code. Finite; -0.0 is kept as 0.0.
        estimated_loc: Option<f64>,
        /// Number of references into the file.
        fan_in: Option<i64>,
        /// Number of references out of the file.
        fan_out: Option<i64>,
        /// The tool's complexity score. Finite; -0.0 is kept as 0.0.
        complexity_score: Option<f64>,
        /// When the metrics were computed, in Unix seconds.
        last_updated: i64,
    }
}

pub(super) static FILE_METRICS: KindSchema = KindSchema {
    name: "file-metrics",
    table: "file_metrics",
    key_prefix: "metrics:file:",
    fields: FileMetrics::FIELDS,
    key: &places(FileMetrics::FIELDS, ["file_path"]),
    doubles_colons: true,
    has_ids: false,
    time: place(FileMetrics::FIELDS, "last_updated"),
    hashed: None,
    largest: place(FileMetrics::FIELDS, "file_path"),
    without_default: &[],
    indexes: &[],
};

record_type! {
    /// Size and coupling of a symbol.
    SymbolMetrics {
        /// Id of the symbol in the tool's graph; identifies the record.
        symbol_id: i64,
        /// Name of the symbol.
        symbol_name: String,
        /// Kind of the symbol, such as `Function`.
        kind: String,
        /// Path of the source file that defines it.
        file_path: String,
        /// Lines of code.
        loc: Option<i64>,
        /// Estimated lines of code. Finite; -0.0 is kept as 0.0.
        estimated_loc: Option<f64>,
        /// Number of references to the symbol.
        fan_in: Option<i64>,
        /// Number of references from the symbol to others.
        fan_out: Option<i64>,
        /// Cyclomatic complexity.
        cyclomatic_complexity: Option<i64>,
        /// When the metrics were computed, in Unix seconds.
        last_updated: i64,
    }
}

pub(super) static SYMBOL_METRICS: KindSchema = KindSchema {
    name: "symbol-metrics",
    table: "symbol_metrics",
    key_prefix: "metrics:symbol:",
    fields: SymbolMetrics::FIELDS,
    key: &places(SymbolMetrics::FIELDS, ["symbol_id"]),
    doubles_colons: false,
    has_ids: false,
    time: place(SymbolMetrics::FIELDS, "last_updated"),
    hashed: None,
    largest: place(SymbolMetrics::FIELDS, "file_path"),
    without_default: &[],
    indexes: &[("idx_symbol_metrics_file_path", "file_path")],
};
