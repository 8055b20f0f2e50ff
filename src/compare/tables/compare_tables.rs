//! Compares the tables that two stores carry in addition to the four kinds.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::row_check::{RowCheck, sound_rows};
use crate::codec::{Entry, KindHasher, KindTotals};
use crate::compare::counts::KindCounts;
use crate::compare::fields;
use crate::compare::finding::Finding;
use crate::compare::finding_class::{FindingClass, Side};
use crate::compare::metered::MeteredStream;
use crate::error::{Error, Result};
use crate::progress::{Progress, Stage};
use crate::stream::{Batch, Item, Jobs, MergeJoin, SortedStream, Source, check_table};
use crate::table::{CarriedTables, Kind, SchemaObject, TableSchema, TableSelection, key_prefix};

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

/// A table of one or both stores.
struct Pair {
    left: Option<Arc<TableSchema>>,
    right: Option<Arc<TableSchema>>,
}

impl Pair {
    fn name(&self) -> &str {
        let table = self.left.as_ref().or(self.right.as_ref());
        table.map_or("", |table| table.name.as_str())
    }

    fn kind(&self) -> Kind {
        Kind::table(self.name())
    }
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

fn schema_finding(kind: Option<Kind>, message: String) -> Finding {
    Finding::new(FindingClass::Schema, kind, message)
}

/// Compares the columns and the key of a table.
fn compare_schema(pair: &Pair, tell: &mut dyn FnMut(Finding) -> Result<()>) -> Result<()> {
    let kind = Some(pair.kind());
    let (left, right) = match (&pair.left, &pair.right) {
        (Some(left), Some(right)) => (left, right),
        (left, _) => {
            let side = if left.is_some() { Side::Left } else { Side::Right };
            let message = format!("the table is on the {} side only", side.name());
            return tell(schema_finding(kind, message).on(side));
        }
    };
    if left.kind != right.kind {
        let message = "the rows are records on one side only".to_owned();
        return tell(schema_finding(kind, message));
    }
    let lacks = |columns: &[String], column: &str| {
        !columns.iter().any(|other| other.eq_ignore_ascii_case(column))
    };
    let mut columns_differ = false;
    for (side, own, other) in [(Side::Left, left, right), (Side::Right, right, left)] {
        for column in own.columns.iter().filter(|column| lacks(&other.columns, column)) {
            columns_differ = true;
            let message = format!("the column {column} is on the {} side only", side.name());
            tell(schema_finding(kind.clone(), message).on(side))?;
        }
    }
    match left == right || columns_differ {
        true => Ok(()),
        false => tell(schema_finding(kind, difference("the table", &left.sql, &right.sql))),
    }
}

/// Says in what a table or another object differs. If the statements are equal, someone has changed a
/// file.
fn difference(what: &str, left: &str, right: &str) -> String {
    match left == right {
        false => format!("the statements that create {what} differ"),
        true => format!("the descriptions of {what} differ"),
    }
}

/// Compares sequences, and what whole databases have in addition to tables.
fn compare_rest(
    left: Option<&CarriedTables>,
    right: Option<&CarriedTables>,
    selection: &TableSelection,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(());
    };
    if left.encoding != right.encoding {
        let (left, right) = (&left.encoding, &right.encoding);
        let message = format!("the text encoding is {left} on the left, {right} on the right");
        tell(schema_finding(None, message))?;
    }
    compare_sequences(left, right, selection, tell)?;
    if matches!(selection, TableSelection::Named(_)) {
        return Ok(());
    }
    let (left, right) = match (&left.whole, &right.whole) {
        (Some(left), Some(right)) => (left, right),
        (None, None) => return Ok(()),
        (left, _) => {
            let side = if left.is_some() { Side::Left } else { Side::Right };
            let message = format!(
                "only the {} side has the rest of a database: indexes, views, triggers, virtual \
                 tables and settings",
                side.name()
            );
            return tell(schema_finding(None, message).on(side));
        }
    };
    let settings = [
        ("user_version", left.settings.user_version, right.settings.user_version),
        ("application_id", left.settings.application_id, right.settings.application_id),
    ];
    for (name, left, right) in settings {
        if left != right {
            let message = format!("{name} is {left} on the left, {right} on the right");
            tell(schema_finding(None, message))?;
        }
    }
    compare_objects(&left.objects, &right.objects, tell)
}

/// The sequences of a side. SQLite uses one only for a table whose name is spelled like that.
fn sequences(carried: &CarriedTables) -> BTreeMap<SequenceName, Vec<i64>> {
    let mut sequences: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, sequence) in &carried.sequences {
        let name = match carried.tables.iter().any(|table| table.name == *name) {
            true => SequenceName::OfTable(name.to_ascii_lowercase()),
            false => SequenceName::Unused(name.clone()),
        };
        sequences.entry(name).or_default().push(*sequence);
    }
    sequences
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum SequenceName {
    /// The name of a table, in lower case.
    OfTable(String),
    Unused(String),
}

/// Compares the sequences of tables that both sides have, and of two whole databases all others.
fn compare_sequences(
    left: &CarriedTables,
    right: &CarriedTables,
    selection: &TableSelection,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    let are_whole = left.whole.is_some() && right.whole.is_some();
    let table = |side: &CarriedTables, name: &str| {
        side.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name)).map(Arc::clone)
    };
    let (of_left, of_right) = (sequences(left), sequences(right));
    let names: BTreeSet<_> = of_left.keys().chain(of_right.keys()).collect();
    for name in names {
        let shown_name = match name {
            SequenceName::OfTable(name) if selection.is_none() || selection.contains(name) => {
                match (table(left, name), table(right, name)) {
                    (Some(left), Some(_)) => left.name.clone(),
                    _ => continue,
                }
            }
            SequenceName::Unused(name) if are_whole => name.clone(),
            _ => continue,
        };
        let (left, right) = (of_left.get(name), of_right.get(name));
        if left != right {
            let shown = |sequences: Option<&Vec<i64>>| match sequences {
                None => "none".to_owned(),
                Some(all) => all.iter().map(i64::to_string).collect::<Vec<_>>().join(", "),
            };
            let (left, right) = (shown(left), shown(right));
            let message =
                format!("id sequence of {shown_name}: {left} on the left, {right} on the right");
            let kind = Kind::table(&shown_name);
            tell(Finding::new(FindingClass::Sequence, Some(kind), message))?;
        }
    }
    Ok(())
}

fn compare_objects(
    left: &[SchemaObject],
    right: &[SchemaObject],
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    let has_name = |one: &SchemaObject, other: &SchemaObject| {
        one.object_type == other.object_type && one.name.eq_ignore_ascii_case(&other.name)
    };
    for (side, own, others) in [(Side::Left, left, right), (Side::Right, right, left)] {
        for object in own {
            let what = format!("the {} {}", object.object_type.noun(), object.name);
            let kind = Some(Kind::table(&object.table));
            match others.iter().find(|other| has_name(object, other)) {
                None => {
                    let message = format!("{what} is on the {} side only", side.name());
                    tell(schema_finding(kind, message).on(side))?;
                }
                Some(other) if side == Side::Left && object != other => {
                    tell(schema_finding(kind, difference(&what, &object.sql, &other.sql)))?;
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

struct RowsComparison<'c, 'f> {
    tables: (&'c TableSchema, &'c TableSchema),
    kind: Kind,
    counts: KindCounts,
    tell: &'f mut dyn FnMut(Finding) -> Result<()>,
}

impl RowsComparison<'_, '_> {
    /// Compares all rows; returns the totals of the sides whose rows are not built from a database.
    fn run(
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
