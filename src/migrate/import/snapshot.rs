use std::path::Path;

use super::lines::Lines;
use crate::error::Result;
use crate::record::{RecordKind, Sequences};
use crate::sqlite::Visited;
use crate::store::{Snapshot, StoreKind, Visit};

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

    fn expected_bytes(&self) -> u64 {
        self.bytes
    }

    fn confirm(&self) -> Result<()> {
        // The text was read before, and confirmed.
        Ok(())
    }
}
