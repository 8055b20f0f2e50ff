use std::path::Path;

use super::lines::Lines;
use crate::codec::Entry;
use crate::error::Result;
use crate::record::{RecordKind, Sequences};
use crate::sqlite::{OtherTable, Visited};
use crate::store::{Claims, Snapshot, StoreKind, Visit};

impl Visit for Lines {
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        self.entries
            .visit(kind, &mut |entry| visit(Ok(entry.into())))
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        Some(self.entries.len(kind))
    }
}

impl Snapshot for Lines {
    fn path(&self) -> &Path {
        &self.path
    }

    fn store(&self) -> StoreKind {
        StoreKind::Ndjson
    }

    fn sequences(&self) -> Result<Sequences> {
        Ok(self.sequences)
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn visit_unknown(&self, _: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn claims(&self) -> Result<Option<Claims>> {
        Ok(None)
    }

    fn schema_version(&self) -> Option<i64> {
        None
    }

    fn missing(&self) -> &[RecordKind] {
        &[]
    }

    fn other_tables(&self) -> Result<Vec<OtherTable>> {
        Ok(Vec::new())
    }

    fn expected_bytes(&self) -> u64 {
        self.bytes
    }

    fn sorting_bytes(&self) -> u64 {
        0
    }

    fn confirm(&self) -> Result<()> {
        // The text was read before, and confirmed.
        Ok(())
    }
}
