use serde::{Deserialize, Serialize};

use super::serde_helpers::{finite, required};

/// Size and coupling of a source file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMetrics {
    /// Path of the source file; identifies the record.
    pub file_path: String,
    /// Number of symbols that the file defines.
    #[serde(deserialize_with = "required")]
    pub symbol_count: Option<i64>,
    /// Lines of code.
    #[serde(deserialize_with = "required")]
    pub loc: Option<i64>,
    /// Estimated lines of code. Finite; -0.0 is kept as 0.0.
    #[serde(serialize_with = "finite", deserialize_with = "required")]
    pub estimated_loc: Option<f64>,
    /// Number of references into the file.
    #[serde(deserialize_with = "required")]
    pub fan_in: Option<i64>,
    /// Number of references out of the file.
    #[serde(deserialize_with = "required")]
    pub fan_out: Option<i64>,
    /// The tool's complexity score. Finite; -0.0 is kept as 0.0.
    #[serde(serialize_with = "finite", deserialize_with = "required")]
    pub complexity_score: Option<f64>,
    /// When the metrics were computed, in Unix seconds.
    pub last_updated: i64,
}

/// Size and coupling of a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SymbolMetrics {
    /// Id of the symbol in the tool's graph; identifies the record.
    pub symbol_id: i64,
    /// Name of the symbol.
    pub symbol_name: String,
    /// Kind of the symbol, such as `Function`.
    pub kind: String,
    /// Path of the source file that defines it.
    pub file_path: String,
    /// Lines of code.
    #[serde(deserialize_with = "required")]
    pub loc: Option<i64>,
    /// Estimated lines of code. Finite; -0.0 is kept as 0.0.
    #[serde(serialize_with = "finite", deserialize_with = "required")]
    pub estimated_loc: Option<f64>,
    /// Number of references to the symbol.
    #[serde(deserialize_with = "required")]
    pub fan_in: Option<i64>,
    /// Number of references from the symbol to others.
    #[serde(deserialize_with = "required")]
    pub fan_out: Option<i64>,
    /// Cyclomatic complexity.
    #[serde(deserialize_with = "required")]
    pub cyclomatic_complexity: Option<i64>,
    /// When the metrics were computed, in Unix seconds.
    pub last_updated: i64,
}
