//! Batches of any items, for property tests.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Batch, InvalidReason, InvalidRow, Visited};
use crate::codec::test_entries::TestEntry;
use crate::error::Result;

/// As what an entry is added to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Borrowed,
    Owned,
    /// As a row, unless a row can't have that entry.
    Row,
    /// An invalid row in its place.
    Invalid,
}

/// For more entries than a batch of a test has.
pub(crate) fn forms() -> impl Strategy<Value = Vec<Form>> {
    let form = select(vec![Form::Borrowed, Form::Owned, Form::Row, Form::Row, Form::Invalid]);
    vec(form, 10..11)
}

pub(crate) fn batch_of<'e>(items: impl Iterator<Item = (&'e TestEntry, &'e Form)>) -> Batch {
    let mut batch = Batch::default();
    for (entry, form) in items {
        let pushed = visit_as(entry, *form, &mut |visited| {
            batch.push(visited);
            Ok(())
        });
        pushed.unwrap();
    }
    batch
}

/// Calls `visit` as a source does that has the entry in this form.
pub(super) fn visit_as(
    entry: &TestEntry,
    form: Form,
    visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
) -> Result<()> {
    let TestEntry { key, value, .. } = entry;
    match form {
        Form::Row if entry.is_sound() => {
            let record = entry.record().unwrap();
            let values = &record.values();
            visit(Visited::Row { key, values })
        }
        Form::Invalid => visit(Visited::Invalid(Box::new(invalid_row(entry)))),
        Form::Owned => visit(Visited::Entry { key, value: Cow::Owned(value.clone()) }),
        Form::Row | Form::Borrowed => visit(Visited::Entry { key, value: Cow::Borrowed(value) }),
    }
}

pub(super) fn invalid_row(entry: &TestEntry) -> InvalidRow {
    InvalidRow {
        kind: entry.kind,
        table: entry.kind.table(),
        rowid: 1,
        column: "id",
        reason: InvalidReason::StorageClass,
        message: "id is TEXT, must be an INTEGER".to_owned(),
        key: Some(entry.key.clone()),
        values: Vec::new(),
    }
}
