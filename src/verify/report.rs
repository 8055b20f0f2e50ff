use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::findings::Findings;
use crate::compare::{
    CompareOptions, Comparison, Finding, FindingClass, FindingCounts, Values, serialize_findings,
};
use crate::error::{Error, Result};
use crate::record::KindSet;
use crate::setters::setters;
use crate::sqlite::SourceOptions;
use crate::stream::Source;
use crate::table::TableSelection;

/// Options of a verification.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// The kinds to compare.
    pub only: KindSet,
    /// The tables to compare in addition. `None` for those that a KV file carries, if one of the
    /// stores is a KV file.
    pub tables: TableSelection,
    /// Whether to skip the comparison of a kind's records if its digests are equal. Warnings are
    /// then searched for only if they affect the result or are kept: with `strict` or `report`.
    pub quick: bool,
    /// Whether a warning counts as a divergence.
    pub strict: bool,
    /// Maximum number of findings of each class that the report keeps; all are counted.
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
    /// As [`CopyOptions::jobs`](crate::migrate::CopyOptions::jobs).
    pub jobs: Option<NonZeroUsize>,
}

impl Default for VerifyOptions {
    /// All kinds, record by record; warnings are reported but don't affect the result.
    fn default() -> Self {
        VerifyOptions {
            only: KindSet::ALL,
            tables: TableSelection::None,
            quick: false,
            strict: false,
            limit: 10,
            report: None,
            values: Values::Full,
            without_columns: Vec::new(),
            temp_dir: None,
            jobs: None,
        }
    }
}

impl VerifyOptions {
    setters! {
        only: impl Into<KindSet>,
        tables: TableSelection,
        quick: bool,
        strict: bool,
        limit: usize,
        report: impl Into<Option<PathBuf>>,
        values: Values,
        without_columns: impl Into<Vec<String>>,
        temp_dir: impl Into<Option<PathBuf>>,
        jobs: impl Into<Option<NonZeroUsize>>,
    }

    pub(super) fn compare_options(&self) -> CompareOptions {
        CompareOptions {
            only: self.only,
            tables: self.tables.clone(),
            quick: self.quick,
            warnings: self.wants_warnings(),
            jobs: self.jobs,
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
            if !stores.iter().any(|store| store.has_unknown_column(column)) {
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

    /// Fails if a table to compare exists in none of the stores.
    pub(super) fn check_tables(&self, stores: &[&dyn Source]) -> Result<()> {
        check_names(stores, &self.tables)
    }

    pub(super) fn open_options(&self) -> SourceOptions {
        SourceOptions {
            only: self.only,
            tables: self.tables.clone(),
            may_lack_tables: true,
            without_columns: self.without_columns.clone(),
            allow_no_columns: true,
            temp_dir: self.temp_dir.clone(),
            ..SourceOptions::default()
        }
    }
}

/// Fails if none of the stores has a named table.
pub(super) fn check_names(stores: &[&dyn Source], selection: &TableSelection) -> Result<()> {
    let TableSelection::Named(names) = selection else {
        return Ok(());
    };
    let carried: Vec<_> = stores.iter().filter_map(|store| store.carried()).collect();
    let tables = || carried.iter().flat_map(|carried| &carried.tables);
    let left_out = || stores.iter().flat_map(|store| store.left_out());
    for name in names {
        let is_carried = tables().any(|table| table.name.eq_ignore_ascii_case(name));
        if !is_carried && !left_out().any(|table| table.name.eq_ignore_ascii_case(name)) {
            let path = stores.first().map(|store| store.path().to_owned());
            return Err(Error::NoSuchTable {
                path: path.unwrap_or_default(),
                table: name.clone(),
                tables: tables().map(|table| table.name.clone()).collect(),
            });
        }
    }
    Ok(())
}

/// The result of a verification.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "says whether the stores are identical: see `is_identical`"]
pub struct VerifyReport {
    /// The comparisons: one for two files, or one for each step of a round trip.
    pub legs: Vec<Comparison>,
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
    /// The first findings of each class, in order.
    pub findings: Vec<Finding>,
    /// How their values are displayed. If redacted, the findings contain no text from a value.
    pub values: Values,
    /// The file with all findings, if there is one.
    pub report: Option<PathBuf>,
    /// The HTML page of this report, if the caller has written one.
    pub html: Option<PathBuf>,
    /// The self-test after the round trip of the built-in sample.
    #[doc(hidden)]
    pub self_test: Option<SelfTest>,
}

/// The self-test of the verifier with the built-in sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SelfTest {
    /// Number of records in the sample.
    pub total: u64,
    /// Number of its records that the KV file contains unchanged.
    pub intact: u64,
    /// The classes of findings that were detected, after corrupting one record for each.
    pub detected_classes: Vec<FindingClass>,
}

impl SelfTest {
    /// Whether every record is unchanged and every kind of damage was detected.
    fn is_passed(&self) -> bool {
        let is_right = |class: &FindingClass| {
            self.detected_classes.contains(class) == class.is_of_comparison()
        };
        self.intact == self.total && FindingClass::ALL.iter().all(is_right)
    }
}

impl VerifyReport {
    /// Creates the report on some comparisons; publishes the file of findings.
    pub(super) fn of(
        legs: Vec<Comparison>,
        options: &VerifyOptions,
        findings: Findings,
    ) -> Result<Self> {
        let (findings, report) = findings.finish()?;
        Ok(VerifyReport {
            legs,
            only: options.only,
            without_columns: options.without_columns.clone(),
            quick: options.quick,
            has_all_warnings: !options.quick || options.wants_warnings(),
            strict: options.strict,
            findings,
            values: options.values,
            report,
            html: None,
            self_test: None,
        })
    }

    /// Number of all findings by class and kind.
    pub fn counts(&self) -> FindingCounts {
        let mut counts = FindingCounts::default();
        self.legs.iter().for_each(|leg| counts.add(&leg.counts));
        counts
    }

    /// Number of all divergences, excluding warnings.
    pub fn divergences(&self) -> u64 {
        self.counts().divergences()
    }

    /// Number of all warnings.
    pub fn warnings(&self) -> u64 {
        self.counts().warnings()
    }

    /// Number of keys with an unknown form.
    pub fn unknown_keys(&self) -> u64 {
        let legs = self.legs.iter();
        legs.map(|leg| leg.unknown_keys).sum()
    }

    /// Number of records that were equal in the first comparison.
    pub fn equal(&self) -> u64 {
        let counts = self.legs.first().map(Comparison::kinds_and_tables).unwrap_or_default();
        counts.iter().map(|kind| kind.counts.equal).sum()
    }

    /// Whether the stores are identical: every record on both sides was read and, unless quick,
    /// compared. A self-test must be passed, too.
    pub fn is_identical(&self) -> bool {
        let identical = Comparison::is_identical;
        let warned = self.strict && self.warnings() > 0;
        let passed = self.self_test.as_ref().is_none_or(SelfTest::is_passed);
        !self.legs.is_empty() && self.legs.iter().all(identical) && !warned && passed
    }
}

impl Serialize for VerifyReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let path = |path: &Option<PathBuf>| {
            let path = path.as_deref().map(Path::to_string_lossy);
            path.map(Cow::into_owned)
        };
        let verdict = match self.is_identical() {
            true => "identical",
            false => "diverged",
        };
        let first = self.legs.first();
        let findings = self.findings.iter().map(|f| f.shown(self.values));
        let findings: Vec<_> = findings.collect();

        let mut json = serializer.serialize_struct("VerifyReport", 18)?;
        json.serialize_field("verdict", verdict)?;
        json.serialize_field("quick", &self.quick)?;
        if !self.without_columns.is_empty() {
            json.serialize_field("without_columns", &self.without_columns)?;
        }
        json.serialize_field("left", &first.map(|leg| &leg.left))?;
        json.serialize_field("right", &self.legs.last().map(|leg| &leg.right))?;
        json.serialize_field("kinds", &first.map(Comparison::kinds_and_tables))?;
        json.serialize_field("unknown_keys", &self.unknown_keys())?;
        serialize_findings(&mut json, &findings, &self.counts())?;
        if !self.has_all_warnings {
            json.serialize_field("warnings_skipped", &true)?;
        }
        json.serialize_field("report", &path(&self.report))?;
        json.serialize_field("html", &path(&self.html))?;
        if self.legs.len() > 1 {
            json.serialize_field("legs", &self.legs)?;
        }
        if let Some(self_test) = &self.self_test {
            json.serialize_field("self_test", self_test)?;
        }
        json.end()
    }
}
