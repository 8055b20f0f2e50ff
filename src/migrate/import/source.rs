use std::path::Path;

use super::collect::Lines;
use crate::codec::Entry;
use crate::error::Result;
use crate::fsio::StoreKind;
use crate::record::{IdSequences, RecordKind};
use crate::stream::{ManifestTotals, Origin, Source, UncopiedTable, Visited};
use crate::table::{CarriedTables, TableSchema};

impl Source for Lines {
    fn path(&self) -> &Path {
        &self.path
    }

    fn store(&self) -> StoreKind {
        StoreKind::Ndjson
    }

    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        self.entries.visit(kind, &mut |entry| visit(entry.into()))
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        Some(self.entries.len(kind))
    }

    fn carried(&self) -> Option<&CarriedTables> {
        self.carried.as_ref()
    }

    fn left_out(&self) -> &[UncopiedTable] {
        &[]
    }

    fn visit_table(
        &self,
        table: &TableSchema,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        match &self.rows {
            Some(rows) => rows.visit(&table.name, &mut |entry| visit(entry.into())),
            None => Ok(()),
        }
    }

    fn entries_are_canonical(&self) -> bool {
        false
    }

    fn sequences(&self) -> Result<IdSequences> {
        Ok(self.sequences)
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn visit_unknown(&self, _visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn manifest_totals(&self) -> Result<Option<ManifestTotals>> {
        Ok(None)
    }

    fn origin(&self) -> Result<Option<Origin>> {
        Ok(None)
    }

    fn closed_cleanly(&self) -> bool {
        true
    }

    fn schema_version(&self) -> Option<i64> {
        None
    }

    fn missing(&self) -> &[RecordKind] {
        &[]
    }

    fn other_tables(&self) -> Result<Vec<UncopiedTable>> {
        Ok(Vec::new())
    }

    fn visit_wrong_symbols(&self, _visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn has_unknown_column(&self, _column: &str) -> bool {
        false
    }

    fn expected_bytes(&self) -> u64 {
        self.bytes
    }

    fn sorting_bytes(&self) -> u64 {
        0
    }

    fn confirm(&self) -> Result<()> {
        // The text was already read to its end and confirmed.
        Ok(())
    }
}
