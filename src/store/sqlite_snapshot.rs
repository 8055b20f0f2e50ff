use std::path::Path;

use super::{Snapshot, StoreKind, Visit};
use crate::error::Result;
use crate::record::{RecordKind, Sequences};
#[cfg(feature = "native-v2")]
use crate::sqlite::WrittenRows;
use crate::sqlite::{OtherTable, SqliteSnapshot, Visited};

impl Visit for SqliteSnapshot {
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        SqliteSnapshot::visit(self, kind, visit)
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        Some(self.survey(kind).rows)
    }

    fn makes_entries(&self) -> bool {
        true
    }
}

#[cfg(feature = "native-v2")]
impl Visit for WrittenRows {
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        WrittenRows::visit(self, kind, visit)
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        Some(self.written(kind))
    }

    fn makes_entries(&self) -> bool {
        true
    }
}

impl Snapshot for SqliteSnapshot {
    fn path(&self) -> &Path {
        SqliteSnapshot::path(self)
    }

    fn store(&self) -> StoreKind {
        StoreKind::Sqlite
    }

    fn sequences(&self) -> Result<Sequences> {
        SqliteSnapshot::sequences(self)
    }

    fn schema_version(&self) -> Option<i64> {
        SqliteSnapshot::schema_version(self)
    }

    fn missing(&self) -> &[RecordKind] {
        SqliteSnapshot::missing(self)
    }

    fn other_tables(&self) -> Result<Vec<OtherTable>> {
        SqliteSnapshot::other_tables(self)
    }

    fn visit_wrong_symbols(&self, visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        SqliteSnapshot::visit_wrong_symbols(self, visit)
    }

    fn has_unknown_column(&self, column: &str) -> Result<bool> {
        Ok(SqliteSnapshot::has_unknown_column(self, column))
    }

    fn expected_bytes(&self) -> u64 {
        let bytes = RecordKind::ALL.map(|kind| self.survey(kind).expected_bytes());
        bytes.iter().sum()
    }

    fn sorting_bytes(&self) -> u64 {
        let bytes = RecordKind::ALL.map(|kind| self.survey(kind).sorting_bytes());
        bytes.into_iter().max().unwrap_or(0)
    }

    fn confirm(&self) -> Result<()> {
        SqliteSnapshot::confirm(self)
    }
}
