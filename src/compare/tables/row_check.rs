//! Checks a row of a carried table: whether its value is the canonical row of its key.

use crate::codec::Entry;
use crate::compare::entry_check::Fault;
use crate::compare::finding::Finding;
use crate::compare::finding_class::{FindingClass, Side};
use crate::stream::Batch;
use crate::table::{Kind, Row, TableSchema, is_canonical_row, read_row, write_row, write_row_key};

/// The result of checking a value.
pub(crate) struct RowCheck<'v> {
    row: Option<Row<'v>>,
    faults: Vec<Fault>,
}

impl<'v> RowCheck<'v> {
    pub(crate) fn of(table: &TableSchema, entry: Entry<'v>) -> Self {
        let fault = |class, message| Fault { class, message, without_values: None };
        let row = match read_row(table, entry.value) {
            Ok(row) => row,
            Err(error) => {
                let message = format!("the value is not a valid row: {error}");
                let faults = vec![fault(FindingClass::Undecodable, message)];
                return RowCheck { row: None, faults };
            }
        };
        let mut faults = Vec::new();
        let mut canonical = Vec::with_capacity(entry.value.len());
        write_row(&row, &mut canonical);
        if canonical != entry.value {
            let message = "the value is this row, but not in its canonical bytes".to_owned();
            faults.push(fault(FindingClass::Noncanonical, message));
        }
        let mut own_key = Vec::with_capacity(entry.key.len());
        if !write_row_key(table, &row, &mut own_key) || own_key != entry.key {
            let own_key = String::from_utf8_lossy(&own_key);
            faults.push(Fault {
                without_values: Some("the row belongs to another key".to_owned()),
                ..fault(FindingClass::KeyMismatch, format!("the row belongs to the key {own_key}"))
            });
        }
        RowCheck { row: Some(row), faults }
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// The row if its key is the one it is stored under, whether or not its encoding is canonical.
    pub(crate) fn row_if_key_matches(&self) -> Option<&Row<'v>> {
        let is_of_key = !self.faults.iter().any(|fault| fault.class == FindingClass::KeyMismatch);
        self.row.as_ref().filter(|_| is_of_key)
    }

    /// The problems as findings on one side.
    pub(crate) fn findings(
        &self,
        table: &TableSchema,
        side: Side,
        key: &[u8],
    ) -> impl Iterator<Item = Finding> {
        self.faults.iter().map(move |fault| Finding {
            without_values: fault.without_values.clone(),
            ..Finding::new(fault.class, Some(Kind::table(&table.name)), fault.message.clone())
                .on(side)
                .of_row(table, key)
        })
    }
}

/// Whether each row of a batch is the canonical row of its key.
pub(crate) fn is_sound_batch(table: &TableSchema, batch: &Batch) -> bool {
    let mut buffer = Vec::new();
    let mut entries = batch.entries();
    entries.all(|entry| is_canonical_row(table, entry, &mut buffer))
}

/// For each row of a batch, whether it is the canonical row of its key.
pub(super) fn sound_rows(table: &TableSchema, batch: &Batch) -> Vec<bool> {
    let mut buffer = Vec::new();
    batch.entries().map(|entry| is_canonical_row(table, entry, &mut buffer)).collect()
}
