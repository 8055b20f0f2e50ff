use std::path::{Path, PathBuf};

use crate::codec::Entry;
use crate::error::Result;
use crate::kv::{BulkLoader, KvReader};
use crate::record::IdSequences;
use crate::table::CarriedTables;

/// Pending entries are written at this size.
const PENDING_BYTES: usize = 2 << 20;

/// The entries that a merge writes, kept in a temporary KV file to save memory.
pub(super) struct ChangeSet {
    path: PathBuf,
    load: BulkLoader,
    pending: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

impl ChangeSet {
    pub(super) fn create(path: &Path, expected_bytes: u64) -> Result<Self> {
        Ok(ChangeSet {
            path: path.to_owned(),
            load: BulkLoader::create(path, expected_bytes)?,
            pending: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds the next entry in key order.
    pub(super) fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        self.bytes += entry.key.len() + entry.value.len();
        self.pending.push((entry.key.to_vec(), entry.value.to_vec()));
        match self.bytes >= PENDING_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let entries = self.pending.iter();
        self.load.append(entries.map(|(key, value)| Entry { key, value }))?;
        self.pending.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Closes the file, which describes `tables`, and opens it for reading.
    pub(super) fn finish(mut self, tables: Option<&CarriedTables>) -> Result<KvReader> {
        self.flush()?;
        self.load.close(&IdSequences::default(), None, tables)?.sync()?;
        KvReader::open_unverified(&self.path)
    }
}
