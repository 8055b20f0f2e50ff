use std::path::PathBuf;

use super::findings::Findings;
use crate::compare::{CompareOptions, Comparison, Finding, FindingCounts, Values};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::open::OpenOptions;
use crate::record::RecordKind;
use crate::stream::Source;

/// How stores are verified.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The kinds to compare; empty means all.
    pub only: Vec<RecordKind>,
    /// Whether equal digests of a kind are proof enough, so that its records are not compared one
    /// by one. Warnings are then looked for only if they count or are kept: with `strict` or
    /// `report`.
    pub quick: bool,
    /// Whether a warning makes two stores diverge.
    pub strict: bool,
    /// How many findings the report keeps; all are counted.
    pub limit: usize,
    /// A file for every finding, one JSON object a line.
    pub report: Option<PathBuf>,
    /// How values are written into that file, and are going to be shown: the findings that the report
    /// keeps have theirs in full, up to 16 MiB altogether, and then so.
    pub values: Values,
    /// Columns of databases to leave out although they hold values, each as `TABLE.COLUMN`. Not
    /// every database needs to have them.
    pub without_columns: Vec<String>,
    /// Where round trips and sorting put what they need for a while.
    pub temp_dir: Option<PathBuf>,
}

impl Default for VerifyOptions {
    /// All kinds, record by record; warnings are told and change no verdict.
    fn default() -> Self {
        VerifyOptions {
            only: Vec::new(),
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
            only: self.only.clone(),
            quick: self.quick,
            warnings: self.wants_warnings(),
        }
    }

    /// Whether warnings are looked for even where equal digests are proof enough.
    fn wants_warnings(&self) -> bool {
        self.strict || self.report.is_some()
    }

    /// Fails if a column that is to be left out is in none of the stores: its name is wrong, or
    /// nothing has to be left out.
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

    pub(super) fn open_options(&self) -> OpenOptions {
        OpenOptions {
            only: self.only.clone(),
            without_columns: self.without_columns.clone(),
            allow_no_columns: true,
            temp_dir: self.temp_dir.clone(),
            ..OpenOptions::default()
        }
    }
}

/// A store as a report names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLabel {
    /// The file, or what stands in for one that was there for a while only.
    pub path: PathBuf,
    /// Which store it is.
    pub store: StoreKind,
    /// Whether the last writer of a KV file closed it; if not, its last complete state was compared.
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
    /// How they compare.
    pub comparison: Comparison,
}

/// What a verification found.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether the stores are identical: see `is_identical`"]
pub struct VerifyReport {
    /// The comparisons: one of two files, or one for each step of a round trip.
    pub hops: Vec<Hop>,
    /// The kinds that were compared; empty means all.
    pub only: Vec<RecordKind>,
    /// The columns that were left out where they are, each as `TABLE.COLUMN`.
    pub without_columns: Vec<String>,
    /// Whether equal digests were proof enough.
    pub quick: bool,
    /// Whether all warnings were looked for; else only those about kinds whose digests differ.
    pub has_all_warnings: bool,
    /// Whether a warning makes two stores diverge.
    pub strict: bool,
    /// The first findings in order; where there is no room for all, divergences go before warnings.
    pub findings: Vec<Finding>,
    /// The file that holds every finding, if there is one.
    pub report: Option<PathBuf>,
}

impl VerifyReport {
    /// The report of some comparisons; publishes the file of findings.
    pub(super) fn of(hops: Vec<Hop>, options: &VerifyOptions, findings: Findings) -> Result<Self> {
        let (findings, report) = findings.finish()?;
        Ok(VerifyReport {
            hops,
            only: options.only.clone(),
            without_columns: options.without_columns.clone(),
            quick: options.quick,
            has_all_warnings: !options.quick || options.wants_warnings(),
            strict: options.strict,
            findings,
            report,
        })
    }

    /// Number of all findings, by class and kind.
    pub fn counts(&self) -> FindingCounts {
        let mut counts = FindingCounts::default();
        self.hops
            .iter()
            .for_each(|hop| counts.add(&hop.comparison.counts));
        counts
    }

    /// Number of all divergences, without warnings.
    pub fn divergences(&self) -> u64 {
        self.hops.iter().map(|hop| hop.comparison.divergences).sum()
    }

    /// Number of all warnings.
    pub fn warnings(&self) -> u64 {
        self.hops.iter().map(|hop| hop.comparison.warnings).sum()
    }

    /// Number of keys of no known form.
    pub fn unknown_keys(&self) -> u64 {
        let hops = self.hops.iter();
        hops.map(|hop| hop.comparison.unknown_keys).sum()
    }

    /// Number of records that were found the same in the first comparison.
    pub fn equal(&self) -> u64 {
        let kinds = self.hops.first().map(|hop| hop.comparison.kinds);
        let kinds = kinds.unwrap_or_default();
        kinds.iter().map(|(_, counts)| counts.equal).sum()
    }

    /// The verdict. It is earned: every record of both sides was read and, unless it is a quick
    /// one, compared.
    pub fn is_identical(&self) -> bool {
        let identical = |hop: &Hop| hop.comparison.is_identical();
        let warned = self.strict && self.warnings() > 0;
        !self.hops.is_empty() && self.hops.iter().all(identical) && !warned
    }
}
