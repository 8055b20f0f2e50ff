//! Writes entries into an existing KV file in one transaction.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{Database, ReadableTable as _};

use super::error::engine;
use super::format::{RECORDS, meta_entry, write_documents};
use super::manifest::{Manifest, encode_document};
use super::reader::KvReader;
use crate::codec::{Entry, KindHasher, KindTotals, key_kind};
use crate::error::Result;
use crate::progress::Progress;
use crate::record::{IdSequences, PerKind};
use crate::table::{CarriedTables, key_prefix};

/// Memory limit of redb's cache.
const CACHE_BYTES: usize = 32 << 20;
/// Cancellation is checked once per this many entries.
const CANCEL_CHECK_ENTRIES: u64 = 4096;

/// The entries that a merge writes, and the expected content afterwards.
#[derive(Debug)]
pub(crate) struct KvMerge<'m> {
    /// The entries to write.
    pub(crate) changes: &'m KvReader,
    pub(crate) sequences: &'m IdSequences,
    pub(crate) manifest: &'m Manifest,
    /// Counts and digests of the whole file after the merge.
    pub(crate) expected: &'m PerKind<KindTotals>,
    /// Those of the tables that the file carries, by name.
    pub(crate) tables: &'m BTreeMap<String, KindTotals>,
    /// The description of these tables, if it changes.
    pub(crate) carried: Option<&'m CarriedTables>,
}

impl KvMerge<'_> {
    /// Writes the entries and reads the whole file back before committing. If the content isn't as
    /// expected, rolls back and returns `false`.
    pub(crate) fn apply(&self, path: &Path, progress: &Progress) -> Result<bool> {
        let failed = |error: redb::Error| engine("write", path)(error);
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = builder.open(path).map_err(|e| failed(e.into()))?;
        let transaction = database.begin_write().map_err(|e| failed(e.into()))?;
        let holds = {
            let table = transaction.open_table(RECORDS);
            let mut records = table.map_err(|e| failed(e.into()))?;
            let mut written = 0;
            self.changes.visit_all(&mut |entry| {
                written += 1;
                check_now_and_then(written, progress)?;
                let inserted = records.insert(entry.key, entry.value);
                inserted.map(|_| ()).map_err(|e| failed(e.into()))
            })?;
            let mut digests = PerKind::<KindHasher>::default();
            let mut tables: Vec<_> =
                self.tables.keys().map(|name| (key_prefix(name), KindHasher::default())).collect();
            let mut read = 0;
            for entry in records.iter().map_err(|e| failed(e.into()))? {
                read += 1;
                check_now_and_then(read, progress)?;
                let (key, value) = entry.map_err(|e| failed(e.into()))?;
                let (key, value) = (key.value(), value.value());
                let entry = Entry { key, value };
                if let Ok(kind) = key_kind(key) {
                    digests.get_mut(kind).update(entry);
                } else if let Some((_, digest)) =
                    tables.iter_mut().find(|(prefix, _)| key.starts_with(prefix))
                {
                    digest.update(entry);
                }
            }
            let found = PerKind::from_fn(|kind| std::mem::take(digests.get_mut(kind)).finish());
            let found_tables = tables.into_iter().map(|(_, digest)| digest.finish());
            found == *self.expected && found_tables.eq(self.tables.values().copied())
        };
        if !holds {
            transaction.abort().map_err(|e| failed(e.into()))?;
            return Ok(false);
        }
        let mut documents = vec![
            (meta_entry::SEQUENCES, encode_document(self.sequences)?),
            (meta_entry::MANIFEST, encode_document(self.manifest)?),
        ];
        if let Some(carried) = self.carried {
            documents.push((meta_entry::TABLES, encode_document(carried)?));
        }
        write_documents(&transaction, &documents, path)?;
        progress.check_cancelled()?;
        transaction.commit().map_err(|e| failed(e.into()))?;
        database.close().map_err(|e| failed(e.into()))?;
        Ok(true)
    }
}

fn check_now_and_then(count: u64, progress: &Progress) -> Result<()> {
    match count.is_multiple_of(CANCEL_CHECK_ENTRIES) {
        true => progress.check_cancelled(),
        false => Ok(()),
    }
}
