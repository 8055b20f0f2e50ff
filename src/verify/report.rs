use std::path::PathBuf;

use super::findings::Findings;
use crate::compare::{CompareOptions, Comparison, Finding, FindingCounts, Values};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::record::KindSet;
use crate::sqlite::SourceOptions;
use crate::stream::Source;

/// Options of a verification.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The kinds to compare.
    pub only: KindSet,
    /// Whether to skip the comparison of a kind's records if its digests are equal. Warnings are
    /// then searched for only if they affect the result or are kept: with `strict` or `report`.
    pub quick: bool,
    /// Whether a warning counts as a divergence.
    pub strict: bool,
    /// Maximum number of findings that the report keeps; all are counted.
    pub limit: usize,
    /// A file for all findings, as JSON Lines.
    pub report: Option<PathBuf>,
    /// How values are displayed in that file and in the report. The findings in the report keep
    /// their full values up to 16 MiB in total, and only the displayed form after that.
    pub values: Values,
    /// Columns of databases to ignore although they contain values, each as `TABLE.COLUMN`. Not
    /// every database needs to have them.
    pub without_columns: Vec<String>,
    /// Directory for the temporary files of round trips and sorting.
    pub temp_dir: Option<PathBuf>,
}

impl Default for VerifyOptions {
    /// All kinds, record by record; warnings are reported but don't affect the result.
    fn default() -> Self {
        VerifyOptions {
            only: KindSet::ALL,
            quick: false,
            strict: false,
            limit: 20,
            report: None,
            values: Values::Full,
            without_columns: Vec::new(),
            temp_dir: None,
        }
    }
}

impl VerifyOptions {
    pub(super) fn compare_options(&self) -> CompareOptions {
        CompareOptions {
            only: self.only,
            quick: self.quick,
            warnings: self.wants_warnings(),
        }
    }

    /// Whether to look for warnings even if digests are equal.
    fn wants_warnings(&self) -> bool {
        self.strict || self.report.is_some()
    }

    /// Fails if a column to ignore exists in none of the stores: its name is wrong, or nothing
    /// needs to be ignored.
    pub(super) fn check_columns(&self, stores: &[&dyn Source]) -> Result<()> {
        for column in &self.without_columns {
            let mut is_there = false;
            for store in stores {
                is_there = is_there || store.has_unknown_column(column);
            }
            if !is_there {
                let path = stores.first().map(|store| store.path().to_owned());
                return Err(Error::CannotIgnoreColumn {
                    path: path.unwrap_or_default(),
                    column: column.clone(),
                    why: "no table to compare has such a column",
                });
            }
        }
        Ok(())
    }

    pub(super) fn open_options(&self) -> SourceOptions {
        SourceOptions {
            only: self.only,
            without_columns: self.without_columns.clone(),
            allow_no_columns: true,
            temp_dir: self.temp_dir.clone(),
            ..SourceOptions::default()
        }
    }
}

/// A store as displayed in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLabel {
    /// The file, or a label for a temporary one.
    pub path: PathBuf,
    /// The kind of store.
    pub store: StoreKind,
    /// Whether the last writer of a KV file closed it; if not, its last complete state was
    /// compared.
    pub closed_cleanly: bool,
}

impl StoreLabel {
    pub(super) fn of(snapshot: &dyn Source) -> Result<Self> {
        Ok(StoreLabel {
            path: snapshot.path().to_owned(),
            store: snapshot.store(),
            closed_cleanly: snapshot.closed_cleanly(),
        })
    }

    pub(super) fn called(name: &str, store: StoreKind) -> Self {
        StoreLabel {
            path: PathBuf::from(name),
            store,
            closed_cleanly: true,
        }
    }
}

/// One comparison of a verification.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Hop {
    /// The left store.
    pub left: StoreLabel,
    /// The right store.
    pub right: StoreLabel,
    /// The result of the comparison.
    pub comparison: Comparison,
}

/// The result of a verification.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether the stores are identical: see `is_identical`"]
pub struct VerifyReport {
    /// The comparisons: one for two files, or one for each step of a round trip.
    pub hops: Vec<Hop>,
    /// The kinds that were compared.
    pub only: KindSet,
    /// The ignored columns, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// Whether equal digests were accepted without comparing records.
    pub quick: bool,
    /// Whether all warnings were searched for; otherwise only those of kinds whose digests differ.
    pub has_all_warnings: bool,
    /// Whether a warning counts as a divergence.
    pub strict: bool,
    /// The first findings in order; if not all are kept, divergences take precedence over warnings.
    pub findings: Vec<Finding>,
    /// The file with all findings, if there is one.
    pub report: Option<PathBuf>,
}

impl VerifyReport {
    /// Creates the report on some comparisons; publishes the file of findings.
    pub(super) fn of(hops: Vec<Hop>, options: &VerifyOptions, findings: Findings) -> Result<Self> {
        let (findings, report) = findings.finish()?;
        Ok(VerifyReport {
            hops,
            only: options.only,
            without_columns: options.without_columns.clone(),
            quick: options.quick,
            has_all_warnings: !options.quick || options.wants_warnings(),
            strict: options.strict,
            findings,
            report,
        })
    }

    /// Number of all findings by class and kind.
    pub fn counts(&self) -> FindingCounts {
        let mut counts = FindingCounts::default();
        self.hops
            .iter()
            .for_each(|hop| counts.add(&hop.comparison.counts));
        counts
    }

    /// Number of all divergences, excluding warnings.
    pub fn divergences(&self) -> u64 {
        self.hops.iter().map(|hop| hop.comparison.divergences).sum()
    }

    /// Number of all warnings.
    pub fn warnings(&self) -> u64 {
        self.hops.iter().map(|hop| hop.comparison.warnings).sum()
    }

    /// Number of keys with an unknown form.
    pub fn unknown_keys(&self) -> u64 {
        let hops = self.hops.iter();
        hops.map(|hop| hop.comparison.unknown_keys).sum()
    }

    /// Number of records that were equal in the first comparison.
    pub fn equal(&self) -> u64 {
        let kinds = self.hops.first().map(|hop| hop.comparison.kinds);
        let kinds = kinds.unwrap_or_default();
        kinds.iter().map(|(_, counts)| counts.equal).sum()
    }

    /// Whether the stores are identical: every record on both sides was read and, unless quick,
    /// compared.
    pub fn is_identical(&self) -> bool {
        let identical = |hop: &Hop| hop.comparison.is_identical();
        let warned = self.strict && self.warnings() > 0;
        !self.hops.is_empty() && self.hops.iter().all(identical) && !warned
    }
}
