//! Determines what a merge would change in tables of any shape: rows are matched by primary key.
//!
//! A rowid that is no column belongs to a database, not to a row: a row that the target has keeps the
//! target's, and a new one gets the next above the highest.

use std::cmp::Ordering;
use std::sync::Arc;

use super::change_set::ChangeSet;
use super::join::MergeCounts;
use super::report::MergeReport;
use crate::codec::{Entry, KindHasher, KindTotals};
use crate::error::{Error, Result};
use crate::migrate::copy_job::Job;
use crate::progress::Stage;
use crate::stream::{Batch, Item, MergeJoin, RecordStream, Source, Visited, check_table};
use crate::table::{
    CarriedTables, Cell, ObjectType, Row, TableSchema, TableSelection, read_row, write_row,
};

/// A table whose rows are merged, which both stores describe alike.
pub(super) struct TableToMerge {
    table: Arc<TableSchema>,
    /// Whether the text encodings differ, so that text which is not well-formed can't be merged.
    changes_encoding: bool,
}

/// What a merge would do with a table.
#[derive(Debug)]
pub(super) struct PlannedTable {
    pub(super) table: Arc<TableSchema>,
    pub(super) counts: MergeCounts,
    /// Counts and digest of the rows from the source.
    pub(super) totals: KindTotals,
    /// Counts and digest of the table after the merge.
    pub(super) expected: KindTotals,
}

/// The tables to merge, in the order of their keys.
///
/// # Errors
/// [`Error::NoSuchTable`], or [`Error::TableNotMergeable`] with the reason.
pub(super) fn tables_to_merge(
    job: &Job<'_>,
    source: &dyn Source,
    target: &dyn Source,
) -> Result<Vec<TableToMerge>> {
    let TableSelection::Named(names) = &job.options.tables else {
        return Ok(Vec::new());
    };
    let none = CarriedTables::default();
    let (ours, theirs) = (source.carried().unwrap_or(&none), target.carried().unwrap_or(&none));
    theirs.check_names(names, job.destination.given())?;
    let changes_encoding = ours.encoding != theirs.encoding;
    let mut merged = Vec::new();
    for source in ours.in_key_order() {
        if !job.options.tables.contains(&source.name) {
            continue;
        }
        let is_same = |target: &&Arc<TableSchema>| target.name.eq_ignore_ascii_case(&source.name);
        let found = theirs.tables.iter().find(is_same);
        let target = found.ok_or_else(|| Error::Internal("a table is lost".to_owned()))?;
        match why_not(&source, target, [ours, theirs]) {
            None => merged.push(TableToMerge { table: source, changes_encoding }),
            Some(why) => {
                let (path, table) = (job.destination.given().to_owned(), target.name.clone());
                return Err(Error::TableNotMergeable { path, table, why });
            }
        }
    }
    Ok(merged)
}

/// Why the rows of a table can't be merged into another.
fn why_not(
    source: &TableSchema,
    target: &TableSchema,
    stores: [&CarriedTables; 2],
) -> Option<&'static str> {
    let same_columns = source.columns.len() == target.columns.len()
        && source.columns.iter().zip(&target.columns).all(|(a, b)| a.eq_ignore_ascii_case(b));
    if stores.iter().any(|store| is_shadow_table(&target.name, store)) {
        Some("it is a part of a virtual table")
    } else if source.name != target.name {
        Some("its name is spelled otherwise in the source")
    } else if target.key.is_empty() {
        Some("it has no primary key by which rows could be matched")
    } else if !same_columns || source.key != target.key || source.rowid != target.rowid {
        Some("its columns or its primary key differ from those of the source")
    } else {
        None
    }
}

/// Whether a table has the name of a part of a virtual table. SQLite itself refuses others.
fn is_shadow_table(table: &str, carried: &CarriedTables) -> bool {
    let objects = carried.whole.iter().flat_map(|whole| &whole.objects);
    let mut virtual_tables =
        objects.filter(|object| object.object_type == ObjectType::VirtualTable);
    virtual_tables.any(|object| {
        let part = table.get(object.name.len()..).filter(|part| part.starts_with('_'));
        let is_same = |name: &str| name.eq_ignore_ascii_case(&object.name);
        part.is_some() && table.get(..object.name.len()).is_some_and(is_same)
    })
}

impl TableToMerge {
    /// Joins both tables, and adds the rows to write to `changes`.
    pub(super) fn plan(
        self,
        job: &Job<'_>,
        source: &mut dyn Source,
        target: &mut dyn Source,
        changes: &mut ChangeSet,
        report: &mut MergeReport<'_>,
    ) -> Result<PlannedTable> {
        let progress = job.progress;
        progress.start(Stage::CompareTables, None);
        let highest_rowid = match self.table.rowid {
            true => highest_rowid(target, &self.table)?,
            false => 0,
        };
        let mut join = TableJoin {
            of: &self,
            highest_rowid,
            changes,
            report,
            counts: MergeCounts::default(),
            totals: KindHasher::default(),
            expected: KindHasher::default(),
        };
        let (jobs, unchecked) =
            (job.options.threads(), None::<fn(&mut Batch) -> Result<Vec<bool>>>);
        check_table(source, &self.table, jobs, progress, unchecked, |source| {
            check_table(target, &self.table, jobs, progress, unchecked, |target| {
                join.run(source, target)
            })
        })?;
        progress.finish();
        let TableJoin { counts, totals, expected, .. } = join;
        let (totals, expected) = (totals.finish(), expected.finish());
        Ok(PlannedTable { table: self.table, counts, totals, expected })
    }
}

/// The highest rowid of a table's rows, or 0.
fn highest_rowid(target: &dyn Source, table: &TableSchema) -> Result<i64> {
    let mut highest = 0;
    target.visit_table(table, &mut |visited| {
        if let Visited::Entry { value, .. } = visited {
            let rowid = read_row(table, &value).ok().and_then(|row| row.rowid);
            highest = highest.max(rowid.unwrap_or(0));
        }
        Ok(())
    })?;
    Ok(highest)
}

struct TableJoin<'j, 'r> {
    of: &'j TableToMerge,
    highest_rowid: i64,
    changes: &'j mut ChangeSet,
    report: &'j mut MergeReport<'r>,
    counts: MergeCounts,
    totals: KindHasher,
    expected: KindHasher,
}

impl TableJoin<'_, '_> {
    fn run(
        &mut self,
        source: &mut RecordStream<'_, Vec<bool>>,
        target: &mut RecordStream<'_, Vec<bool>>,
    ) -> Result<()> {
        let mut streams = MergeJoin::start(source, target)?;
        while let Some(order) = streams.order() {
            let new = match streams.left.item() {
                Some(Item::Entry(entry)) if order.is_le() => self.brought(entry)?,
                _ => None,
            };
            let there = match streams.right.item() {
                Some(Item::Entry(entry)) if order.is_ge() => Some(entry),
                _ => None,
            };
            match (new, there) {
                (Some((key, row)), there) => self.write(key, row, there)?,
                (None, Some(there)) => {
                    self.counts.kept += u64::from(order == Ordering::Greater);
                    self.expected.update(there);
                }
                (None, None) => {}
            }
            if order.is_le() {
                streams.left.advance()?;
            }
            if order.is_ge() {
                streams.right.advance()?;
            }
        }
        Ok(())
    }

    /// The row that the source has, unless it is invalid or rejected.
    fn brought<'e>(&mut self, entry: Entry<'e>) -> Result<Option<(&'e [u8], Row<'e>)>> {
        if self.report.is_rejected(entry.key)? {
            return Ok(None);
        }
        let table = &self.of.table;
        let Ok(row) = table.decode(entry) else {
            return Ok(None);
        };
        let mut key = table.key.iter().filter_map(|place| row.cells.get(*place));
        let is_ill_formed = |cell: &Cell<'_>| matches!(cell, Cell::IllFormedText(_));
        let why = if key.any(Cell::is_null) {
            "its key is NULL, so it cannot be matched with a row of the target"
        } else if self.of.changes_encoding && row.cells.iter().any(is_ill_formed) {
            "the target has another text encoding, in which its ill-formed text means something else"
        } else {
            return Ok(Some((entry.key, row)));
        };
        self.report.reject_row(table, entry, why)?;
        Ok(None)
    }

    fn write(&mut self, key: &[u8], mut row: Row<'_>, there: Option<Entry<'_>>) -> Result<()> {
        let table = &self.of.table;
        if table.rowid {
            let kept = there.and_then(|there| read_row(table, there.value).ok()?.rowid);
            row.rowid = kept.or_else(|| self.new_rowid());
        }
        let mut value = Vec::new();
        write_row(&row, &mut value);
        let entry = Entry { key, value: &value };
        if table.rowid && row.rowid.is_none() {
            return self.report.reject_row(table, entry, "the target has no rowid left for it");
        }
        self.totals.update(entry);
        self.expected.update(entry);
        match there {
            Some(there) if there.value == value => {
                self.counts.unchanged += 1;
                return Ok(());
            }
            Some(_) => self.counts.updated += 1,
            None => self.counts.inserted += 1,
        }
        self.changes.push(entry)
    }

    fn new_rowid(&mut self) -> Option<i64> {
        self.highest_rowid = self.highest_rowid.checked_add(1)?;
        Some(self.highest_rowid)
    }
}
