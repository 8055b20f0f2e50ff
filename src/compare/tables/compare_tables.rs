//! Compares the tables that two stores carry in addition to the four kinds.

use serde::Serialize;

use super::rows::RowsComparison;
use super::schema::{Pair, compare_rest, compare_schema};
use crate::codec::KindTotals;
use crate::compare::counts::KindCounts;
use crate::compare::finding::Finding;
use crate::compare::finding_class::Side;
use crate::error::Result;
use crate::progress::Progress;
use crate::stream::{Jobs, Source};
use crate::table::{CarriedTables, Kind, TableSelection, key_prefix};

/// The result of comparing a carried table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableComparison {
    /// The table.
    pub kind: Kind,
    /// The numbers of its rows.
    #[serde(flatten)]
    pub counts: KindCounts,
}

/// The tables of both stores by name, in key order.
fn pairs(left: Option<&CarriedTables>, right: Option<&CarriedTables>) -> Vec<Pair> {
    let tables = |carried: Option<&CarriedTables>| {
        carried.map(|carried| carried.tables.clone()).unwrap_or_default()
    };
    let mut of_right = tables(right);
    let of_left = tables(left).into_iter().map(|left| {
        let found = of_right.iter().position(|right| right.name.eq_ignore_ascii_case(&left.name));
        Pair { left: Some(left), right: found.map(|found| of_right.swap_remove(found)) }
    });
    let mut pairs: Vec<_> = of_left.collect();
    pairs.extend(of_right.into_iter().map(|right| Pair { left: None, right: Some(right) }));
    pairs.sort_by_cached_key(|pair| key_prefix(pair.name()));
    pairs
}

/// Totals of a table on the sides that have a manifest.
pub(in crate::compare) type TableTotals = (String, [Option<KindTotals>; 2]);

/// Compares all carried tables; calls `tell` for every divergence. Also returns the totals of each
/// table.
pub(in crate::compare) fn compare_tables(
    left: &mut dyn Source,
    right: &mut dyn Source,
    selection: &TableSelection,
    jobs: Jobs,
    progress: &Progress,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<(Vec<TableComparison>, Vec<TableTotals>)> {
    let mut compared = Vec::new();
    let mut totals = Vec::new();
    let is_selected = |pair: &Pair| selection.is_none() || selection.contains(pair.name());
    for pair in pairs(left.carried(), right.carried()).into_iter().filter(is_selected) {
        compare_schema(&pair, tell)?;
        let both = pair.left.as_ref().zip(pair.right.as_ref());
        let both = both.filter(|(left, right)| left.kind.is_none() && right.kind.is_none());
        let Some((left_table, right_table)) = both else {
            continue;
        };
        let mut comparison = RowsComparison {
            tables: (left_table, right_table),
            kind: pair.kind(),
            counts: KindCounts::default(),
            tell: &mut *tell,
        };
        let found = comparison.run(left, right, jobs, progress)?;
        totals.push((left_table.name.clone(), found));
        compared.push(TableComparison { kind: pair.kind(), counts: comparison.counts });
    }
    for (side, store) in [(Side::Left, &*left), (Side::Right, &*right)] {
        for table in store.left_out().iter().filter(|table| table.is_lost) {
            tell(Finding::left_out(table).on(side))?;
        }
    }
    compare_rest(left.carried(), right.carried(), selection, tell)?;
    Ok((compared, totals))
}
