//! Compares two whole stores: their records kind by kind, then their metadata.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::counts::KindCounts;
use super::entry_check::sound_items;
use super::evidence::Evidence;
use super::finding::Finding;
use super::finding_class::Side;
use super::finding_counts::FindingCounts;
use super::join::join_kind;
use super::manifest_check::ManifestCheck;
use super::metadata::{compare_sequences, tell_unknown_keys, warn_of_wrong_symbols};
use super::metered::MeteredStream;
use super::tables::{TableComparison, compare_tables};
use crate::codec::{KindHasher, KindTotals};
use crate::error::Result;
use crate::progress::{Progress, Stage};
use crate::record::{KindSet, PerKind, RecordKind};
use crate::stream::{Batch, Jobs, Source, StoreLabel, check_kind, digest_kind};
use crate::table::{CarriedTables, TableSelection};

/// Which kinds to compare, and how.
#[derive(Debug, Clone, Default)]
pub struct CompareOptions {
    /// The kinds to compare.
    pub only: KindSet,
    /// The tables to compare; `None` for all that the stores carry.
    pub tables: TableSelection,
    /// Whether to skip the comparison of a kind's records if its digests are equal. If they differ,
    /// the records are compared anyway.
    pub quick: bool,
    /// Whether to look for warnings even if digests are equal: records that may cause warnings are
    /// then always read.
    pub warnings: bool,
    /// Number of threads that convert and check records; `None` for as many as the process may use
    /// cores.
    pub jobs: Option<NonZeroUsize>,
}

impl CompareOptions {
    fn takes_digests(&self, kind: RecordKind) -> bool {
        let may_warn = kind == RecordKind::Chunk;
        self.quick && !(self.warnings && may_warn)
    }
}

/// The result of comparing two stores.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// The left store.
    pub left: StoreLabel,
    /// The right store.
    pub right: StoreLabel,
    /// The kinds that were compared.
    pub only: KindSet,
    /// Counts of each kind; all 0 for kinds that were not compared.
    pub kinds: PerKind<KindCounts>,
    /// The tables that both stores carry in addition to the four kinds, in the order of their keys.
    pub tables: Vec<TableComparison>,
    /// The selection of these tables.
    #[doc(hidden)]
    pub selection: TableSelection,
    /// Number of keys with an unknown form, on both sides.
    pub unknown_keys: u64,
    /// Number of divergences and warnings by class and kind.
    pub counts: FindingCounts,
    /// Evidence of which store is newer.
    #[doc(hidden)]
    pub evidence: Evidence,
}

impl Comparison {
    /// A comparison that has found nothing yet.
    #[doc(hidden)]
    pub fn new(left: &dyn Source, right: &dyn Source, only: KindSet) -> Self {
        Comparison {
            left: StoreLabel::of(left),
            right: StoreLabel::of(right),
            only,
            kinds: PerKind::default(),
            tables: Vec::new(),
            selection: selection_of([left.carried(), right.carried()]),
            unknown_keys: 0,
            counts: FindingCounts::default(),
            evidence: Evidence::default(),
        }
    }

    /// The side of the store that is newer, by its id sequences, the times in its records and the
    /// other store's manifest; `None` if there is no evidence, or if it is contradictory.
    pub fn newer(&self) -> Option<Side> {
        self.evidence.newer().map(|newer| newer.side)
    }

    /// The counts of the selected kinds and of the tables, in key order.
    pub fn kinds_and_tables(&self) -> Vec<TableComparison> {
        let kinds = self.only.iter();
        let kinds =
            kinds.map(|kind| TableComparison { kind: kind.into(), counts: *self.kinds.get(kind) });
        kinds.chain(self.tables.iter().cloned()).collect()
    }

    /// Whether both stores contain the same records and nothing invalid. Warnings don't count.
    pub fn is_identical(&self) -> bool {
        let kinds = self.kinds.iter().map(|(_, counts)| counts);
        let mut counts = kinds.chain(self.tables.iter().map(|table| &table.counts));
        self.counts.divergences() == 0 && counts.all(KindCounts::identical)
    }
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("Comparison", 7)?;
        json.serialize_field("left", &self.left)?;
        json.serialize_field("right", &self.right)?;
        json.serialize_field("kinds", &self.kinds_and_tables())?;
        json.serialize_field("unknown_keys", &self.unknown_keys)?;
        json.serialize_field("findings_total", &self.counts.total())?;
        json.serialize_field("divergences_total", &self.counts.divergences())?;
        json.serialize_field("warnings_total", &self.counts.warnings())?;
        json.end()
    }
}

/// Compares two stores and calls `found` for every divergence: first by kind, key and class, then
/// for the metadata (unknown keys, manifests, id sequences).
///
/// # Errors
/// A store can't be read to its end, or the error of `found`.
pub fn compare_stores(
    left: &mut dyn Source,
    right: &mut dyn Source,
    options: &CompareOptions,
    progress: &Progress,
    found: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<Comparison> {
    let mut comparison = Comparison::new(left, right, options.only);
    if !options.quick {
        let records = left.expected_of(options.only);
        progress.plan(records.or_else(|| right.expected_of(options.only)));
    }
    let mut counts = FindingCounts::default();
    let (mut left_faults, mut right_faults) = (0, 0);
    let mut tell = |divergence: Finding| {
        counts.count(divergence.class, divergence.kind.as_ref());
        if divergence.class.is_fault() {
            match divergence.side {
                Some(Side::Left) => left_faults += 1,
                Some(Side::Right) => right_faults += 1,
                None => {}
            }
        }
        found(divergence)
    };
    let (mut left_claims, mut right_claims) = (None, None);
    for kind in options.only.iter() {
        let mut pair = KindComparison {
            kind,
            left,
            right,
            left_claims: &mut left_claims,
            right_claims: &mut right_claims,
            evidence: &mut comparison.evidence,
            jobs: Jobs::new(options.jobs),
            progress,
        };
        *comparison.kinds.get_mut(kind) = match options.takes_digests(kind) {
            true => pair.compare_digests(&mut tell)?,
            false => pair.compare_records(&mut tell)?,
        };
    }
    let jobs = Jobs::new(options.jobs);
    let (tables, totals) = compare_tables(left, right, &options.tables, jobs, progress, &mut tell)?;
    for (name, [of_left, of_right]) in &totals {
        for (side, store, check, found) in [
            (Side::Left, &*left, &mut left_claims, of_left),
            (Side::Right, &*right, &mut right_claims, of_right),
        ] {
            let check = started(check, side, store)?;
            let wrong = found.as_ref().and_then(|found| check.table(name, found));
            wrong.map_or(Ok(()), &mut tell)?;
        }
    }
    comparison.tables = tables;
    progress.check_cancelled()?;
    let counted = |side: fn(&KindCounts) -> u64| -> u64 {
        let kinds = comparison.kinds.iter().map(|(_, counts)| counts);
        kinds.chain(comparison.tables.iter().map(|table| &table.counts)).map(side).sum()
    };
    let (left_keys, right_keys) = (counted(|c| c.left), counted(|c| c.right));
    let only = options.only;
    comparison.unknown_keys = tell_unknown_keys(left, Side::Left, left_keys, only, &mut tell)?
        + tell_unknown_keys(right, Side::Right, right_keys, only, &mut tell)?;
    let (of_left, of_right) = (origin(left, right)?, origin(right, left)?);
    for (check, origin, side) in
        [(left_claims, of_left, Side::Left), (right_claims, of_right, Side::Right)]
    {
        let Some(check) = check else { continue };
        let wrong = check.combined();
        if let (true, None, Some((made_at, is_made_of_other))) = (check.holds(), &wrong, origin) {
            let evidence = comparison.evidence.of_mut(side);
            evidence.made_at = made_at;
            evidence.is_made_of_other = is_made_of_other;
        }
        wrong.map_or(Ok(()), &mut tell)?;
    }
    let ids = compare_sequences(left, right, only, &mut tell)?;
    if only.contains(RecordKind::SymbolMetrics) {
        warn_of_wrong_symbols(left, Side::Left, &mut tell)?;
        warn_of_wrong_symbols(right, Side::Right, &mut tell)?;
    }
    (comparison.evidence.left.ids, comparison.evidence.right.ids) = ids;
    comparison.evidence.left.faults = left_faults;
    comparison.evidence.right.faults = right_faults;
    comparison.counts = counts;
    Ok(comparison)
}

/// The tables that at least one of two stores carries.
fn selection_of(carried: [Option<&CarriedTables>; 2]) -> TableSelection {
    let mut selection = carried.into_iter().flatten().map(CarriedTables::selection).collect();
    if let TableSelection::Named(names) = &mut selection {
        names.sort();
        names.dedup();
    }
    selection
}

/// When a store was created according to its manifest, and whether its source had the other store's
/// name.
fn origin(store: &dyn Source, other: &dyn Source) -> Result<Option<(Option<i64>, bool)>> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(store.origin()?.map(|origin| {
        let is_same = name(other.path()).is_some_and(|name| name == origin.file_name);
        (origin.made_at, is_same && origin.store == other.store().name())
    }))
}

/// The check of a store's manifest, which is read when the check is first needed.
fn started<'c>(
    check: &'c mut Option<ManifestCheck>,
    side: Side,
    store: &dyn Source,
) -> Result<&'c mut ManifestCheck> {
    match check {
        Some(check) => Ok(check),
        None => Ok(check.insert(ManifestCheck::new(side, store.manifest_totals()?))),
    }
}

struct KindComparison<'p> {
    kind: RecordKind,
    left: &'p mut dyn Source,
    right: &'p mut dyn Source,
    // Read after the first kind: one store may still be opening while the other is read.
    left_claims: &'p mut Option<ManifestCheck>,
    right_claims: &'p mut Option<ManifestCheck>,
    evidence: &'p mut Evidence,
    jobs: Jobs,
    progress: &'p Progress,
}

impl KindComparison<'_> {
    fn compare_records(
        &mut self,
        tell: &mut dyn FnMut(Finding) -> Result<()>,
    ) -> Result<KindCounts> {
        let (kind, progress) = (self.kind, self.progress);
        let expected = self.left.expected_records(kind);
        let expected = expected.or_else(|| self.right.expected_records(kind));
        progress.start(Stage::Compare(kind), expected);
        let from_rows = [&self.left, &self.right].map(|store| store.entries_are_canonical());
        let jobs = self.jobs.shared_by([self.left, self.right]);
        // What is known of one of two equal values holds for the other.
        let checks_right = from_rows == [false, true];
        let evidence = &mut *self.evidence;
        let check = |batch: &mut Batch| Ok(sound_items(kind, batch));
        let check_left = (!checks_right).then_some(&check);
        let check_right = checks_right.then_some(&check);
        let (counts, left, right) =
            check_kind(self.left, kind, jobs, progress, check_left, |left| {
                check_kind(self.right, kind, jobs, progress, check_right, |right| {
                    // Entries that are built from rows have no manifest to check.
                    let mut left = MeteredStream::new(left, !from_rows[0], Some(progress));
                    let mut right = MeteredStream::new(right, !from_rows[1], None);
                    let counts = join_kind(kind, &mut left, &mut right, evidence, tell)?;
                    Ok((counts, left.digest, right.digest))
                })
            })?;
        progress.finish();
        let [left, right] = [left, right].map(|digest| digest.map(KindHasher::finish));
        self.check_claims(left, right, tell)?;
        Ok(counts)
    }

    fn compare_digests(
        &mut self,
        tell: &mut dyn FnMut(Finding) -> Result<()>,
    ) -> Result<KindCounts> {
        let (kind, progress) = (self.kind, self.progress);
        let stage = Stage::Digest(kind);
        let left = digest_kind(self.left, kind, self.jobs, stage, progress)?;
        let right = digest_kind(self.right, kind, self.jobs, stage, progress)?;
        if left != right || left.invalid > 0 {
            return self.compare_records(tell);
        }
        self.check_claims(Some(left.totals), Some(right.totals), tell)?;
        Ok(KindCounts {
            left: left.totals.records,
            right: right.totals.records,
            equal: left.totals.records,
            ..KindCounts::default()
        })
    }

    /// Checks a kind's totals against the manifests of both stores.
    fn check_claims(
        &mut self,
        left: Option<KindTotals>,
        right: Option<KindTotals>,
        tell: &mut dyn FnMut(Finding) -> Result<()>,
    ) -> Result<()> {
        for (side, store, check, found) in [
            (Side::Left, &*self.left, &mut *self.left_claims, left),
            (Side::Right, &*self.right, &mut *self.right_claims, right),
        ] {
            let check = started(check, side, store)?;
            let wrong = found.and_then(|found| check.kind(self.kind, &found));
            wrong.map_or(Ok(()), &mut *tell)?;
        }
        Ok(())
    }
}
