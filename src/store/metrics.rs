use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::backend::{self, RecordFilter, RecordStore, checked};
use crate::error::Result;
use crate::fsio::IfMissing;
use crate::kv::KvBackend;
use crate::record::{FileMetrics, Record, RecordKey, RecordKind, SymbolMetrics};
use crate::sqlite::SharedConnection;

/// The metrics of a tool's files and symbols, in a key-value backend or in SQLite.
///
/// Both give the same answers to the same calls, as with [`ChunkStore`](super::ChunkStore), and fail
/// for the same reasons.
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

/// Which files are hotspots. A file whose number is absent is below every minimum.
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
    /// How many files at most; all without it.
    pub limit: Option<usize>,
    /// Least lines of code.
    pub min_loc: Option<i64>,
    /// Least number of references into the file.
    pub min_fan_in: Option<i64>,
    /// Least number of references out of the file.
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
    /// Metrics in a SQLite file, which is made if there is none. Tables are made by the first write;
    /// until then there are no metrics.
    ///
    /// # Errors
    /// The file can't be opened, or is no database.
    pub fn new(path: &Path) -> Result<Self> {
        let records = backend::in_sqlite_file(path, IfMissing::Create)?;
        Ok(MetricsOps { records })
    }

    /// Metrics in a SQLite file that is there.
    ///
    /// # Errors
    /// There is no file, it can't be opened, or is no database.
    pub fn open(path: &Path) -> Result<Self> {
        let records = backend::in_sqlite_file(path, IfMissing::Fail)?;
        Ok(MetricsOps { records })
    }

    /// Metrics in a SQLite database that is open already: a `rusqlite::Connection`, or a
    /// [`SharedConnection`] that others use too, as in the example there.
    pub fn with_connection(connection: impl Into<SharedConnection>) -> Self {
        let records = backend::over_connection(connection.into());
        MetricsOps { records }
    }

    /// Metrics in a key-value backend.
    pub fn with_kv_backend(backend: Arc<dyn KvBackend>) -> Self {
        let records = backend::over_kv_backend(backend);
        MetricsOps { records }
    }

    /// Metrics in a key-value backend if one is given, else in a new SQLite database in memory, which
    /// goes with the store.
    ///
    /// # Errors
    /// SQLite can't make the database.
    pub fn in_memory(backend: Option<Arc<dyn KvBackend>>) -> Result<Self> {
        let records = backend::in_memory(backend)?;
        Ok(MetricsOps { records })
    }

    /// Whether the metrics are in a key-value backend.
    pub fn has_kv_backend(&self) -> bool {
        self.records.has_kv_backend()
    }

    /// Stores the metrics of a file, in place of those that it may have.
    ///
    /// # Errors
    /// [`RecordError`](crate::record::RecordError): a float that is not finite. Else see
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

    /// Stores the metrics of a symbol, in place of those that it may have.
    ///
    /// # Errors
    /// [`RecordError`](crate::record::RecordError): a float that is not finite. In an older database
    /// of Magellan the symbol must be in its graph. Else see [`ChunkStore`](super::ChunkStore#errors).
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
        let record = self.records.get(&RecordKey::FileMetrics {
            file_path: file_path.to_owned(),
        })?;
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

    /// Takes the metrics of a file and those of its symbols away, in one transaction; returns how many
    /// records that were.
    ///
    /// The metrics of all symbols are read: O(n) in their number.
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
        let file = RecordKey::FileMetrics {
            file_path: file_path.to_owned(),
        };
        let symbols = RecordFilter::FileSymbols { file_path };
        let kinds = [RecordKind::FileMetrics, RecordKind::SymbolMetrics];
        let mut deleted = 0;
        self.records.transaction(&kinds, &mut |transaction| {
            let symbols = transaction.delete_all(&symbols)?;
            deleted = symbols + u64::from(transaction.delete(&file)?);
            Ok(())
        })?;
        Ok(deleted)
    }

    /// The files that meet a query, those of the highest `complexity_score` first, those without one
    /// last, files of one score by `file_path`.
    ///
    /// The metrics of all files are read, O(n) in their number, and as many kept as are asked for.
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
        let all = RecordFilter::Kind(RecordKind::FileMetrics);
        let mut first = BTreeMap::new();
        self.records.visit(&all, &mut |record| {
            if let Some(file) = record
                .into_file_metrics()
                .filter(|file| query.is_met_by(file))
            {
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
        self.records
            .transaction(&[record.kind()], &mut |transaction| {
                transaction.upsert(&record)
            })
    }
}

/// An integer that is in the same order as finite floats without -0.0.
fn ordered(float: f64) -> i64 {
    let bits = float.to_bits().cast_signed();
    match float.is_sign_negative() {
        true => bits ^ i64::MAX,
        false => bits,
    }
}
