//! The tables that a text carries, as its `tables` line describes them.

use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};
use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::codec::one_line;
use crate::table::{CarriedTables, TableSchema, TableSelection, key_prefix};

/// The content of a `tables` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TablesLine {
    pub(super) carried: CarriedTables,
    /// The tables whose rows have lines, by the prefix of their keys.
    tables: BTreeMap<Vec<u8>, Arc<TableSchema>>,
}

impl TablesLine {
    /// Reads a description of tables; or says what is wrong with it.
    pub(super) fn read(json: &RawValue) -> Result<Self, String> {
        let invalid = |why: &str| format!("not a description of tables: {why}");
        let carried: CarriedTables =
            serde_json::from_str(json.get()).map_err(|error| invalid(&one_line(&error)))?;
        carried.check().map_err(invalid)?;
        let tables = carried.tables.iter().filter(|table| table.kind.is_none());
        let tables = tables.map(|table| (key_prefix(&table.name), Arc::clone(table))).collect();
        Ok(TablesLine { carried, tables })
    }

    /// The description of the tables that are imported.
    ///
    /// # Errors
    /// A named table is not described.
    pub(super) fn selected(
        &self,
        selection: &TableSelection,
        path: &Path,
    ) -> crate::Result<CarriedTables> {
        let TableSelection::Named(names) = selection else {
            return Ok(self.carried.clone());
        };
        self.carried.check_names(names, path)?;
        Ok(self.carried.of_tables(|table| selection.contains(&table.name)))
    }

    /// The table of a row's key.
    pub(super) fn of_key(&self, key: &[u8]) -> Option<&Arc<TableSchema>> {
        // No prefix starts with another one.
        let mut before = self.tables.range::<[u8], _>((Unbounded, Included(key)));
        let (prefix, table) = before.next_back()?;
        key.starts_with(prefix).then_some(table)
    }

    /// The table whose rows have lines of the kind `table:NAME`.
    pub(super) fn table(&self, name: &str) -> Option<&Arc<TableSchema>> {
        self.tables.get(&key_prefix(name))
    }
}
