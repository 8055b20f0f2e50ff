use std::path::Path;
use std::time::SystemTime;

use super::{Claims, Origin, Snapshot, StoreKind, Visit};
use crate::codec::Entry;
use crate::error::Result;
use crate::kv::KvFile;
use crate::record::{RecordKind, Sequences};
use crate::sqlite::{OtherTable, Visited};

impl Visit for KvFile {
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        KvFile::visit(self, kind, &mut |entry| visit(Ok(entry.into())))
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        // Counting would be as much work as reading; a wrong number only misleads a progress bar.
        let manifest = self.manifest().ok()??;
        Some(manifest.kinds.get(kind).records)
    }
}

impl Snapshot for KvFile {
    fn path(&self) -> &Path {
        KvFile::path(self)
    }

    fn store(&self) -> StoreKind {
        StoreKind::Kv
    }

    fn sequences(&self) -> Result<Sequences> {
        KvFile::sequences(self)
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        self.len().map(Some)
    }

    fn visit_unknown(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        KvFile::visit_unknown(self, visit)
    }

    fn claims(&self) -> Result<Option<Claims>> {
        let manifest = self.manifest()?;
        Ok(manifest.map(|manifest| Claims {
            kinds: manifest.kinds,
            sha256: manifest.sha256,
        }))
    }

    fn origin(&self) -> Result<Option<Origin>> {
        Ok(self.manifest()?.map(|manifest| Origin {
            made_at: seconds(&manifest.created_at),
            file_name: manifest.source.file_name,
            store: manifest.source.store,
        }))
    }

    fn closed_cleanly(&self) -> Result<bool> {
        Ok(KvFile::closed_cleanly(self))
    }

    fn other_tables(&self) -> Result<Vec<OtherTable>> {
        let tables = KvFile::other_tables(self)?;
        let other = |(name, rows)| OtherTable {
            name,
            rows: Some(rows),
        };
        Ok(tables.into_iter().map(other).collect())
    }

    fn expected_bytes(&self) -> u64 {
        let manifest = self.manifest().ok().flatten();
        match manifest {
            Some(manifest) => {
                let totals = manifest.kinds;
                let bytes = totals
                    .iter()
                    .map(|(_, t)| t.key_bytes.saturating_add(t.value_bytes));
                bytes.fold(0, u64::saturating_add).min(self.file_bytes())
            }
            // A file that grew by doubling is half empty.
            None => self.file_bytes() / 2,
        }
    }

    fn confirm(&self) -> Result<()> {
        KvFile::confirm(self)
    }
}

/// The Unix seconds of a time as a manifest has it.
fn seconds(time: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(time).ok()?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}
