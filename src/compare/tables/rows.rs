//! Compares the rows of a table that two stores carry.

use std::cmp::Ordering;

use super::row_check::{RowCheck, sound_rows};
use crate::codec::{Entry, KindHasher, KindTotals};
use crate::compare::counts::KindCounts;
use crate::compare::fields;
use crate::compare::finding::Finding;
use crate::compare::finding_class::Side;
use crate::compare::metered::MeteredStream;
use crate::error::{Error, Result};
use crate::progress::{Progress, Stage};
use crate::stream::{Batch, Item, Jobs, MergeJoin, SortedStream, Source, check_table};
use crate::table::{Kind, TableSchema};

/// The comparison of the rows of a table.
pub(super) struct RowsComparison<'c, 'f> {
    pub(super) tables: (&'c TableSchema, &'c TableSchema),
    pub(super) kind: Kind,
    pub(super) counts: KindCounts,
    pub(super) tell: &'f mut dyn FnMut(Finding) -> Result<()>,
}

impl RowsComparison<'_, '_> {
    /// Compares all rows; returns the totals of the sides whose rows are not built from a database.
    pub(super) fn run(
        &mut self,
        left: &mut dyn Source,
        right: &mut dyn Source,
        jobs: Jobs,
        progress: &Progress,
    ) -> Result<[Option<KindTotals>; 2]> {
        progress.start(Stage::CompareTables, None);
        let (left_table, right_table) = self.tables;
        let from_rows = [left.entries_are_canonical(), right.entries_are_canonical()];
        // A value that equals one built from a row is sound; else the check of one side is enough.
        let equal_are_sound = from_rows.contains(&true);
        let check_left =
            (!equal_are_sound).then_some(|batch: &mut Batch| Ok(sound_rows(left_table, batch)));
        let check_right = None::<fn(&mut Batch) -> Result<_>>;
        let digests = check_table(left, left_table, jobs, progress, check_left, |left| {
            check_table(right, right_table, jobs, progress, check_right, |right| {
                let mut left = MeteredStream::new(left, !from_rows[0], Some(progress));
                let mut right = MeteredStream::new(right, !from_rows[1], None);
                self.join(&mut left, &mut right, equal_are_sound)?;
                Ok([left.digest, right.digest])
            })
        })?;
        progress.finish();
        match self.counts.is_consistent() {
            true => Ok(digests.map(|digest| digest.map(KindHasher::finish))),
            false => Err(Error::Internal(format!("the counts of {} don't add up", self.kind))),
        }
    }

    fn join(
        &mut self,
        left: &mut dyn SortedStream,
        right: &mut dyn SortedStream,
        equal_are_sound: bool,
    ) -> Result<()> {
        let mut streams = MergeJoin::start(left, right)?;
        let has_same_columns = self.tables.0.columns == self.tables.1.columns
            && self.tables.0.rowid == self.tables.1.rowid;
        while let Some(order) = streams.order() {
            match order {
                Ordering::Less => self.one(Side::Left, entry_of(streams.left.item())?)?,
                Ordering::Greater => self.one(Side::Right, entry_of(streams.right.item())?)?,
                Ordering::Equal => {
                    let is_sound = equal_are_sound || streams.left.is_known_sound();
                    let left = entry_of(streams.left.item())?;
                    let right = entry_of(streams.right.item())?;
                    if has_same_columns && is_sound && left.value == right.value {
                        self.counts.equal += 1;
                    } else {
                        self.both(left, right)?;
                    }
                }
            }
            if order.is_le() {
                streams.left.advance()?;
            }
            if order.is_ge() {
                streams.right.advance()?;
            }
        }
        self.counts.left = streams.left.items();
        self.counts.right = streams.right.items();
        Ok(())
    }

    /// A row whose key is on one side only.
    fn one(&mut self, side: Side, entry: Entry<'_>) -> Result<()> {
        let table = match side {
            Side::Left => self.tables.0,
            Side::Right => self.tables.1,
        };
        let checked = RowCheck::of(table, entry);
        let mut findings: Vec<_> = checked.findings(table, side, entry.key).collect();
        let (only, invalid) = match side {
            Side::Left => (&mut self.counts.only_left, &mut self.counts.invalid_left),
            Side::Right => (&mut self.counts.only_right, &mut self.counts.invalid_right),
        };
        match checked.row_if_key_matches() {
            None => *invalid += 1,
            Some(row) => {
                *only += 1;
                let fields = fields::row_fields(table, row);
                let only = Finding::only(self.kind.clone(), side, fields);
                findings.push(only.of_row(table, entry.key));
            }
        }
        self.tell_all(findings)
    }

    fn both(&mut self, left: Entry<'_>, right: Entry<'_>) -> Result<()> {
        let key = left.key;
        let (left_table, right_table) = self.tables;
        let checked_left = RowCheck::of(left_table, left);
        let checked_right = RowCheck::of(right_table, right);
        let mut findings: Vec<_> = checked_left.findings(left_table, Side::Left, key).collect();
        findings.extend(checked_right.findings(right_table, Side::Right, key));
        let rows = (checked_left.row_if_key_matches(), checked_right.row_if_key_matches());
        if let (Some(left), Some(right)) = rows {
            let fields = fields::row_differences((left_table, left), (right_table, right));
            if !fields.is_empty() {
                findings.push(Finding::fields(self.kind.clone(), fields).of_row(left_table, key));
            }
        }
        match findings.is_empty() {
            true => self.counts.equal += 1,
            false => self.counts.differing += 1,
        }
        self.tell_all(findings)
    }

    fn tell_all(&mut self, mut findings: Vec<Finding>) -> Result<()> {
        findings.sort_by_key(|finding| (finding.class, finding.side));
        findings.into_iter().try_for_each(&mut *self.tell)
    }
}

fn entry_of(item: Option<Item<'_>>) -> Result<Entry<'_>> {
    match item {
        Some(Item::Entry(entry)) => Ok(entry),
        _ => Err(Error::Internal("a carried table has an invalid row".to_owned())),
    }
}
