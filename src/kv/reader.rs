//! Reads a KV file.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use redb::{
    Database, MultimapTableHandle as _, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction,
    ReadableDatabase as _, ReadableTableMetadata as _, TableHandle as _,
};
use serde::de::DeserializeOwned;

use super::error::engine;
use super::fingerprint::{Fingerprint, lock_shared};
use super::format::{
    META, RECORDS, check_format, meta_entry, open_meta, open_records, read_document, read_sequences,
};
use super::manifest::{FormatMarker, Manifest};
use super::overlay::Overlay;
use crate::codec::{Entry, key_kind};
use crate::error::{Error, IoContext as _, Result};
use crate::fsio::StoreKind;
use crate::record::{IdSequences, RecordKind};
use crate::stream::{ManifestTotals, Origin, Source, UncopiedTable, Visited};
use crate::table::{CarriedTables, TableSchema, key_prefix, parse_key};

/// Memory limit of redb's read cache.
const CACHE_BYTES: usize = 8 << 20;

/// The offset of redb's flags in its file header, and the flag that is set while a writer has the
/// file open.
const FLAGS_OFFSET: u64 = 9;
const RECOVERY_REQUIRED: u8 = 2;

/// A KV file, open for reading a consistent snapshot.
pub struct KvReader {
    path: PathBuf,
    file: Fingerprint,
    closed_cleanly: bool,
    /// The tables that it carries in addition to the four kinds.
    carried: Option<CarriedTables>,
    // Tables are reopened for each use: an open table keeps its root page in memory, which may be
    // as large as the largest record.
    transaction: ReadTransaction,
    // Declared after the transaction, so that it is dropped after it.
    _database: DatabaseHandle,
}

enum DatabaseHandle {
    Verified { _database: Database },
    Trusted { _database: ReadOnlyDatabase },
}

impl std::fmt::Debug for KvReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KvFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl KvReader {
    /// Opens a file that may be corrupt: verifies every page first and leaves the file unchanged. A
    /// file whose writer was killed is repaired in memory.
    ///
    /// # Errors
    /// The file is corrupt, open for writing elsewhere, or of another tool or version.
    pub fn open_verified(path: &Path) -> Result<Self> {
        let file = File::open(path).io_context("open", path)?;
        if !lock_shared(&file) {
            return Err(Error::KvFileInUse { path: path.to_owned() });
        }
        let watched =
            Fingerprint::of(&file).inspect_err(|_| drop(file.unlock())).io_context("stat", path)?;
        let closed_cleanly = !is_marked_open(&file).io_context("read", path)?;
        let repaired =
            if closed_cleanly { "" } else { ", repaired in memory after a killed writer" };
        log::info!("{}: KV file, every page is checked before use{repaired}", path.display());
        let overlay = Overlay::new(file).io_context("read", path)?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open(true);
        let database = builder.create_with_backend(overlay).map_err(engine("open", path))?;
        let transaction = database.begin_read().map_err(engine("read", path))?;
        let engine = DatabaseHandle::Verified { _database: database };
        Self::from_transaction(path, watched, closed_cleanly, transaction, engine)
    }

    /// Opens a file that this process has just written, without verifying its pages.
    pub(crate) fn open_unverified(path: &Path) -> Result<Self> {
        let file = File::open(path).io_context("open", path)?;
        let watched = Fingerprint::of(&file).io_context("stat", path)?;
        // If opened for writing, redb would first scan the whole file.
        let unwritten = Overlay::new(file).io_context("read", path)?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database =
            builder.open_read_only_with_backend(unwritten).map_err(engine("open", path))?;
        let transaction = database.begin_read().map_err(engine("read", path))?;
        let engine = DatabaseHandle::Trusted { _database: database };
        Self::from_transaction(path, watched, true, transaction, engine)
    }

    fn from_transaction(
        path: &Path,
        file: Fingerprint,
        closed_cleanly: bool,
        transaction: ReadTransaction,
        database: DatabaseHandle,
    ) -> Result<Self> {
        let carried = check_format(&transaction, path)?;
        Ok(KvReader {
            carried,
            path: path.to_owned(),
            file,
            closed_cleanly,
            transaction,
            _database: database,
        })
    }

    fn records(&self) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>> {
        open_records(&self.transaction, &self.path)
    }

    fn document<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>> {
        let meta = open_meta(&self.transaction, &self.path)?;
        read_document(&meta, name, &self.path)
    }

    /// Total number of keys, including unknown ones.
    pub fn key_count(&self) -> Result<u64> {
        self.records()?.len().map_err(engine("read", &self.path))
    }

    /// The manifest of the last migration; `None` if a later write removed it.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        self.document(meta_entry::MANIFEST)
    }

    /// The format version recorded in the file.
    pub fn format_version(&self) -> Result<Option<u64>> {
        let format = self.document::<FormatMarker>(meta_entry::FORMAT)?;
        Ok(format.map(|format| format.version))
    }

    /// Length of the file in bytes when it was opened.
    pub fn file_bytes(&self) -> u64 {
        self.file.len()
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.records()?.get(key);
        let value = value.map_err(engine("read", &self.path))?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Calls `visit` for every entry with a valid key of `kind`, in key order. A key that only has
    /// the kind's prefix counts as unknown.
    pub fn visit_kind(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        let prefix = kind.key_prefix().as_bytes();
        self.visit_from(prefix, &mut |entry| {
            if !entry.key.starts_with(prefix) {
                return Ok(false);
            }
            if key_kind(entry.key).is_ok() {
                visit(entry)?;
            }
            Ok(true)
        })
    }

    /// Calls `visit` for every entry in key order, regardless of its key.
    pub fn visit_all(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        self.visit_from(b"", &mut |entry| visit(entry).map(|()| true))
    }

    /// Calls `visit` for the entries from a key on, until it stops.
    fn visit_from(
        &self,
        start: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        let entries = self.records()?.range(start..);
        for entry in entries.map_err(engine("read", &self.path))? {
            let (key, value) = entry.map_err(engine("read", &self.path))?;
            let entry = Entry { key: key.value(), value: value.value() };
            if !visit(entry)? {
                break;
            }
        }
        Ok(())
    }
}

impl Source for KvReader {
    fn path(&self) -> &Path {
        &self.path
    }

    fn store(&self) -> StoreKind {
        StoreKind::Kv
    }

    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        self.visit_kind(kind, &mut |entry| visit(entry.into()))
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        // Counting would take as long as reading, and a wrong number only affects the progress bar.
        let manifest = self.manifest().ok()??;
        Some(manifest.kinds.get(kind).records)
    }

    fn entries_are_canonical(&self) -> bool {
        false
    }

    /// The id sequences; 0 where one is missing or negative.
    fn sequences(&self) -> Result<IdSequences> {
        let meta = open_meta(&self.transaction, &self.path)?;
        read_sequences(&meta, &self.path)
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        self.key_count().map(Some)
    }

    fn visit_unknown(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        let tables: Vec<_> = self.carried.iter().flat_map(CarriedTables::in_key_order).collect();
        self.visit_all(&mut |entry| {
            let is_of_table = |table: &Arc<TableSchema>| parse_key(table, entry.key).is_ok();
            match key_kind(entry.key).is_ok() || tables.iter().any(is_of_table) {
                true => Ok(()),
                false => visit(entry),
            }
        })
    }

    fn manifest_totals(&self) -> Result<Option<ManifestTotals>> {
        let manifest = self.manifest()?;
        Ok(manifest.map(|manifest| ManifestTotals {
            kinds: manifest.kinds,
            tables: manifest.tables,
            sha256: manifest.sha256,
        }))
    }

    fn origin(&self) -> Result<Option<Origin>> {
        Ok(self.manifest()?.map(|manifest| Origin {
            made_at: unix_seconds(&manifest.created_at),
            file_name: manifest.source.file_name,
            store: manifest.source.store,
        }))
    }

    fn closed_cleanly(&self) -> bool {
        self.closed_cleanly
    }

    fn schema_version(&self) -> Option<i64> {
        None
    }

    fn missing(&self) -> &[RecordKind] {
        &[]
    }

    fn other_tables(&self) -> Result<Vec<UncopiedTable>> {
        let failed = |error: redb::Error| engine("read", &self.path)(error);
        let mut tables = Vec::new();
        for table in self.transaction.list_tables().map_err(|e| failed(e.into()))? {
            let name = table.name().to_owned();
            if [RECORDS.name(), META.name()].contains(&name.as_str()) {
                continue;
            }
            let table = self.transaction.open_untyped_table(table);
            let table = table.map_err(|e| failed(e.into()))?;
            let rows = table.len().map_err(|e| failed(e.into()))?;
            tables.push(UncopiedTable::new(name, Some(rows)));
        }
        let multimaps = self.transaction.list_multimap_tables();
        for table in multimaps.map_err(|e| failed(e.into()))? {
            let name = table.name().to_owned();
            let table = self.transaction.open_untyped_multimap_table(table);
            let table = table.map_err(|e| failed(e.into()))?;
            let rows = table.len().map_err(|e| failed(e.into()))?;
            tables.push(UncopiedTable::new(name, Some(rows)));
        }
        tables.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(tables)
    }

    fn visit_wrong_symbols(&self, _visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        Ok(())
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
        let prefix = key_prefix(&table.name);
        self.visit_from(&prefix, &mut |entry| {
            if !entry.key.starts_with(&prefix) {
                return Ok(false);
            }
            if parse_key(table, entry.key).is_ok() {
                visit(entry.into())?;
            }
            Ok(true)
        })
    }

    fn has_unknown_column(&self, _column: &str) -> bool {
        false
    }

    fn expected_bytes(&self) -> u64 {
        match self.manifest().ok().flatten() {
            Some(manifest) => {
                let kinds = manifest.kinds.iter().map(|(_, totals)| totals);
                let totals = kinds.chain(manifest.tables.values());
                let bytes = totals.map(|t| t.key_bytes.saturating_add(t.value_bytes));
                bytes.fold(0, u64::saturating_add).min(self.file_bytes())
            }
            // A file that grew by doubling is half empty.
            None => self.file_bytes() / 2,
        }
    }

    fn sorting_bytes(&self) -> u64 {
        0
    }

    /// Confirms that the file was not overwritten while it was read. Writers that respect redb's
    /// lock can't do that, but `cp` to the same path can.
    fn confirm(&self) -> Result<()> {
        let is_unchanged = self.file.is_unchanged();
        match is_unchanged.io_context("stat", &self.path)? {
            true => Ok(()),
            false => Err(Error::KvFileChanged { path: self.path.clone() }),
        }
    }
}

/// Converts a time from a manifest to Unix seconds.
fn unix_seconds(time: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(time).ok()?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Whether redb's flags show that a writer has the file open, or had it open when it was killed.
fn is_marked_open(file: &File) -> io::Result<bool> {
    let mut flags = [0];
    match file.read_exact_at(&mut flags, FLAGS_OFFSET) {
        // Too short for a redb file, which opening it will report.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| flags[0] & RECOVERY_REQUIRED != 0),
    }
}
