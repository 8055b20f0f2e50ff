//! Compares what the descriptions of carried tables say: columns, statements, sequences, settings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::compare::finding::Finding;
use crate::compare::finding_class::{FindingClass, Side};
use crate::error::Result;
use crate::table::{CarriedTables, Kind, SchemaObject, TableSchema, TableSelection};

/// A table of one or both stores.
pub(super) struct Pair {
    pub(super) left: Option<Arc<TableSchema>>,
    pub(super) right: Option<Arc<TableSchema>>,
}

impl Pair {
    pub(super) fn name(&self) -> &str {
        let table = self.left.as_ref().or(self.right.as_ref());
        table.map_or("", |table| table.name.as_str())
    }

    pub(super) fn kind(&self) -> Kind {
        Kind::table(self.name())
    }
}

fn schema_finding(kind: Option<Kind>, message: String) -> Finding {
    Finding::new(FindingClass::Schema, kind, message)
}

/// Compares the columns and the key of a table.
pub(super) fn compare_schema(
    pair: &Pair,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
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
pub(super) fn compare_rest(
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
