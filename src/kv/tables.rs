//! The two tables of a KV file.

use std::path::Path;

use redb::{TableDefinition, WriteTransaction};

use super::error::{engine, table_error};
use crate::error::Result;

pub(super) const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The entries of the `meta` table.
pub(super) mod meta_entry {
    pub(in crate::kv) const FORMAT: &str = "format";
    pub(in crate::kv) const SEQUENCES: &str = "sequences";
    pub(in crate::kv) const MANIFEST: &str = "manifest";
}

/// Writes documents into the `meta` table. Both tables are there then, empty or not.
pub(super) fn write_documents(
    transaction: &WriteTransaction,
    documents: &[(&'static str, Vec<u8>)],
    path: &Path,
) -> Result<()> {
    transaction.open_table(RECORDS).map_err(table_error(path))?;
    let mut meta = transaction.open_table(META).map_err(table_error(path))?;
    for (name, document) in documents {
        meta.insert(*name, document.as_slice())
            .map_err(engine("write", path))?;
    }
    Ok(())
}
