use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::backend::{RecordFilter, RecordStore, checked};
use super::constructors::constructors;
use crate::error::Result;
use crate::record::{FileMetrics, Record, RecordKey, RecordKind, SymbolMetrics};

/// The metrics of files and symbols, in a key-value backend or in SQLite.
///
/// Both return the same results for the same calls and fail for the same reasons, as with
/// [`ChunkStore`](super::ChunkStore).
///
/// ```
/// # fn main() -> chunkmigrate::Result<()> {
/// use chunkmigrate::record::FileMetrics;
/// use chunkmigrate::store::{HotspotQuery, MetricsOps};
///
/// let metrics = MetricsOps::in_memory(None)?;
/// metrics.upsert_file_metrics(&FileMetrics {
///     file_path: "src/main.rs".to_owned(),
///     symbol_count: Some(12),
///     loc: Some(340),
///     estimated_loc: Some(310.5),
///     fan_in: Some(4),
///     fan_out: Some(9),
///     complexity_score: Some(17.25),
///     last_updated: 1_700_000_000,
/// })?;
/// let hotspots = metrics.get_hotspots(&HotspotQuery { limit: Some(10), ..Default::default() })?;
/// assert_eq!(hotspots[0].file_path, "src/main.rs");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MetricsOps {
    records: Arc<dyn RecordStore>,
}

/// Selects the files that count as hotspots. A missing number is below every minimum.
///
/// ```
/// use chunkmigrate::store::{HotspotQuery, MetricsOps};
///
/// # fn main() -> chunkmigrate::Result<()> {
/// let metrics = MetricsOps::in_memory(None)?;
/// let query = HotspotQuery { limit: Some(20), min_loc: Some(500), ..HotspotQuery::default() };
/// assert!(metrics.get_hotspots(&query)?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HotspotQuery {
    /// Maximum number of files; `None` for all.
    pub limit: Option<usize>,
    /// Minimum lines of code.
    pub min_loc: Option<i64>,
    /// Minimum number of references into the file.
    pub min_fan_in: Option<i64>,
    /// Minimum number of references out of the file.
    pub min_fan_out: Option<i64>,
}

impl HotspotQuery {
    fn is_met_by(&self, metrics: &FileMetrics) -> bool {
        let reaches = |number: Option<i64>, least: Option<i64>| least.is_none() || number >= least;
        reaches(metrics.loc, self.min_loc)
            && reaches(metrics.fan_in, self.min_fan_in)
            && reaches(metrics.fan_out, self.min_fan_out)
    }
}

impl MetricsOps {
    constructors!();

    fn of(records: Arc<dyn RecordStore>) -> Self {
        MetricsOps { records }
    }

    /// Whether the metrics are in a key-value backend.
    pub fn has_kv_backend(&self) -> bool {
        self.records.has_kv_backend()
    }

    /// Stores the metrics of a file, replacing existing ones.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite). Otherwise see
    /// [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::FileMetrics, store::MetricsOps};
    /// # let file = FileMetrics { file_path: "a.rs".to_owned(), symbol_count: None, loc: None,
    /// #     estimated_loc: None, fan_in: None, fan_out: None, complexity_score: None, last_updated: 0 };
    /// let metrics = MetricsOps::in_memory(None)?;
    /// metrics.upsert_file_metrics(&file)?;
    /// metrics.upsert_file_metrics(&FileMetrics { loc: Some(7), ..file })?;
    /// assert_eq!(metrics.get_file_metrics("a.rs")?.and_then(|file| file.loc), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn upsert_file_metrics(&self, metrics: &FileMetrics) -> Result<()> {
        self.upsert(Record::FileMetrics(metrics.clone()))
    }

    /// Stores the metrics of a symbol, replacing existing ones.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite). In an older Magellan
    /// database the symbol must exist in the graph. Otherwise see
    /// [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::SymbolMetrics, store::MetricsOps};
    /// # let symbol = SymbolMetrics { symbol_id: 7, symbol_name: "main".to_owned(),
    /// #     kind: "Function".to_owned(), file_path: "a.rs".to_owned(), loc: None, estimated_loc: None,
    /// #     fan_in: None, fan_out: None, cyclomatic_complexity: None, last_updated: 0 };
    /// let metrics = MetricsOps::in_memory(None)?;
    /// metrics.upsert_symbol_metrics(&symbol)?;
    /// assert_eq!(metrics.get_symbol_metrics(7)?, Some(symbol));
    /// # Ok(())
    /// # }
    /// ```
    pub fn upsert_symbol_metrics(&self, metrics: &SymbolMetrics) -> Result<()> {
        self.upsert(Record::SymbolMetrics(metrics.clone()))
    }

    /// The metrics of a file; `None` if there are none.
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let metrics = chunkmigrate::store::MetricsOps::in_memory(None)?;
    /// assert_eq!(metrics.get_file_metrics("src/main.rs")?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_file_metrics(&self, file_path: &str) -> Result<Option<FileMetrics>> {
        let record =
            self.records.get(&RecordKey::FileMetrics { file_path: file_path.to_owned() })?;
        Ok(record.and_then(Record::into_file_metrics))
    }

    /// The metrics of a symbol; `None` if there are none.
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// let metrics = chunkmigrate::store::MetricsOps::in_memory(None)?;
    /// assert_eq!(metrics.get_symbol_metrics(7)?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_symbol_metrics(&self, symbol_id: i64) -> Result<Option<SymbolMetrics>> {
        let record = self.records.get(&RecordKey::SymbolMetrics { symbol_id })?;
        Ok(record.and_then(Record::into_symbol_metrics))
    }

    /// Deletes the metrics of a file and of its symbols in one transaction; returns the number of
    /// deleted records.
    ///
    /// Reads the metrics of all symbols: O(n) in their number.
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// # use chunkmigrate::{record::SymbolMetrics, store::MetricsOps};
    /// # let symbol = SymbolMetrics { symbol_id: 7, symbol_name: "main".to_owned(),
    /// #     kind: "Function".to_owned(), file_path: "a.rs".to_owned(), loc: None, estimated_loc: None,
    /// #     fan_in: None, fan_out: None, cyclomatic_complexity: None, last_updated: 0 };
    /// let metrics = MetricsOps::in_memory(None)?;
    /// metrics.upsert_symbol_metrics(&symbol)?;
    /// assert_eq!(metrics.delete_file_metrics("a.rs")?, 1);
    /// assert_eq!(metrics.get_symbol_metrics(7)?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_file_metrics(&self, file_path: &str) -> Result<u64> {
        let file = RecordKey::FileMetrics { file_path: file_path.to_owned() };
        let symbols = RecordFilter::all(RecordKind::SymbolMetrics).with("file_path", file_path);
        let kinds = [RecordKind::FileMetrics, RecordKind::SymbolMetrics];
        let mut deleted = 0;
        self.records.transaction(&kinds, &mut |transaction| {
            let symbols = transaction.delete_all(&symbols)?;
            deleted = symbols + u64::from(transaction.delete(&file)?);
            Ok(())
        })?;
        Ok(deleted)
    }

    /// The files that match a query, ordered by descending `complexity_score`, those without one
    /// last, then by `file_path`.
    ///
    /// Reads the metrics of all files, O(n) in their number, but keeps only the requested number in
    /// memory.
    ///
    /// # Errors
    /// See [`ChunkStore`](super::ChunkStore#errors).
    ///
    /// ```
    /// # fn main() -> chunkmigrate::Result<()> {
    /// use chunkmigrate::store::{HotspotQuery, MetricsOps};
    ///
    /// let metrics = MetricsOps::in_memory(None)?;
    /// let large = HotspotQuery { min_loc: Some(1000), ..Default::default() };
    /// assert!(metrics.get_hotspots(&large)?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_hotspots(&self, query: &HotspotQuery) -> Result<Vec<FileMetrics>> {
        let all = RecordFilter::all(RecordKind::FileMetrics);
        let mut first = BTreeMap::new();
        self.records.visit(&all, &mut |record| {
            if let Some(file) = record.into_file_metrics().filter(|file| query.is_met_by(file)) {
                let score = file.complexity_score.map(ordered);
                first.insert((Reverse(score), file.file_path.clone()), file);
                if query.limit.is_some_and(|limit| first.len() > limit) {
                    first.pop_last();
                }
            }
            Ok(())
        })?;
        Ok(first.into_values().collect())
    }

    fn upsert(&self, record: Record) -> Result<()> {
        let record = checked(record)?;
        self.records.transaction(&[record.kind()], &mut |transaction| transaction.upsert(&record))
    }
}

/// Maps finite floats, without -0.0, to integers in the same order.
fn ordered(float: f64) -> i64 {
    let bits = float.to_bits().cast_signed();
    match float.is_sign_negative() {
        true => bits ^ i64::MAX,
        false => bits,
    }
}
