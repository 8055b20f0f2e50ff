//! Reading a KV file.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
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
use crate::codec::{Entry, key_kind, key_prefix};
use crate::error::{Error, IoContext as _, Result};
use crate::fsio::StoreKind;
use crate::record::{IdSequences, RecordKind};
use crate::stream::{ManifestTotals, Origin, Source, UncopiedTable, Visited};

/// Memory that redb may use to read.
const CACHE_BYTES: usize = 8 << 20;

/// Where redb keeps flags about its file, and the one that is set while a writer has it open.
const FLAGS_OFFSET: u64 = 9;
const RECOVERY_REQUIRED: u8 = 2;

/// A KV file, open for reading in one state.
pub struct KvReader {
    path: PathBuf,
    file: Fingerprint,
    closed_cleanly: bool,
    // Tables are opened anew for each use: an open one holds its root page, which may be as large
    // as the largest record.
    transaction: ReadTransaction,
    // Dropped behind the transaction that reads through it.
    _database: Engine,
}

enum Engine {
    Checked { _database: Database },
    Plain { _database: ReadOnlyDatabase },
}

impl std::fmt::Debug for KvReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KvFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl KvReader {
    /// Opens a file that may be damaged: every page is checked first, and the file stays as it is.
    /// A file whose writer was killed is repaired in memory.
    ///
    /// # Errors
    /// The file is damaged, open for writing elsewhere, of another tool or of another version.
    pub fn open_verified(path: &Path) -> Result<Self> {
        let file = File::open(path).io_context("open", path)?;
        if !lock_shared(&file) {
            return Err(Error::KvFileInUse {
                path: path.to_owned(),
            });
        }
        let watched = Fingerprint::of(&file)
            .inspect_err(|_| drop(file.unlock()))
            .io_context("stat", path)?;
        let closed_cleanly = !is_marked_open(&file).io_context("read", path)?;
        let overlay = Overlay::new(file).io_context("read", path)?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open(true);
        let database = builder
            .create_with_backend(overlay)
            .map_err(engine("open", path))?;
        let transaction = database.begin_read().map_err(engine("read", path))?;
        let engine = Engine::Checked {
            _database: database,
        };
        Self::from_transaction(path, watched, closed_cleanly, transaction, engine)
    }

    /// Opens a file that this process has just written: no page is checked beforehand.
    ///
    /// # Errors
    /// As [`KvReader::open_verified`], but damage may go unnoticed.
    pub(crate) fn open_unverified(path: &Path) -> Result<Self> {
        let file = File::open(path).io_context("open", path)?;
        let watched = Fingerprint::of(&file).io_context("stat", path)?;
        // Opened to be written, redb would look through the whole file first.
        let unwritten = Overlay::new(file).io_context("read", path)?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = builder
            .open_read_only_with_backend(unwritten)
            .map_err(engine("open", path))?;
        let transaction = database.begin_read().map_err(engine("read", path))?;
        let engine = Engine::Plain {
            _database: database,
        };
        Self::from_transaction(path, watched, true, transaction, engine)
    }

    fn from_transaction(
        path: &Path,
        file: Fingerprint,
        closed_cleanly: bool,
        transaction: ReadTransaction,
        database: Engine,
    ) -> Result<Self> {
        check_format(&transaction, path)?;
        Ok(KvReader {
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

    /// Number of all keys, whatever they are.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn len(&self) -> Result<u64> {
        self.records()?.len().map_err(engine("read", &self.path))
    }

    /// Whether there are no keys.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// What the last migration said of the content, unless a write since then has dropped it.
    ///
    /// # Errors
    /// The file or its document can't be read.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        self.document(meta_entry::MANIFEST)
    }

    /// The version of the format, as the file tells it.
    ///
    /// # Errors
    /// The file or its document can't be read.
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

    /// Calls `visit` for every entry whose key is that of a record of a kind, in key order. A key
    /// that only starts like one is unknown.
    ///
    /// # Errors
    /// The file can't be read to its end, or `visit` failed.
    pub fn visit_kind(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        let prefix = key_prefix(kind).as_bytes();
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

    /// Hands every entry to `visit`, in key order, whatever its key.
    ///
    /// # Errors
    /// The file can't be read to its end, or `visit` failed.
    pub fn visit_all(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        self.visit_from(b"", &mut |entry| visit(entry).map(|()| true))
    }

    /// Hands entries from a key on to `visit`, until it says that it has enough.
    fn visit_from(
        &self,
        start: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        let entries = self.records()?.range(start..);
        for entry in entries.map_err(engine("read", &self.path))? {
            let (key, value) = entry.map_err(engine("read", &self.path))?;
            let entry = Entry {
                key: key.value(),
                value: value.value(),
            };
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
        self.visit_kind(kind, &mut |entry| visit(Ok(entry.into())))
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        // Counting would be as much work as reading; a wrong number only misleads a progress bar.
        let manifest = self.manifest().ok()??;
        Some(manifest.kinds.get(kind).records)
    }

    fn entries_are_canonical(&self) -> bool {
        false
    }

    /// 0 where the file has no sequence, or one below 0.
    fn sequences(&self) -> Result<IdSequences> {
        let meta = open_meta(&self.transaction, &self.path)?;
        read_sequences(&meta, &self.path)
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        self.len().map(Some)
    }

    fn visit_unknown(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        self.visit_all(&mut |entry| match key_kind(entry.key) {
            Ok(_) => Ok(()),
            Err(_) => visit(entry),
        })
    }

    fn manifest_totals(&self) -> Result<Option<ManifestTotals>> {
        let manifest = self.manifest()?;
        Ok(manifest.map(|manifest| ManifestTotals {
            kinds: manifest.kinds,
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
        for table in self
            .transaction
            .list_tables()
            .map_err(|e| failed(e.into()))?
        {
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

    fn has_unknown_column(&self, _column: &str) -> bool {
        false
    }

    fn expected_bytes(&self) -> u64 {
        match self.manifest().ok().flatten() {
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

    fn sorting_bytes(&self) -> u64 {
        0
    }

    /// Confirms that the file was not overwritten while it was read. A writer that respects redb's
    /// lock can't do that, but `cp` to the same path can.
    fn confirm(&self) -> Result<()> {
        let is_unchanged = self.file.is_unchanged();
        match is_unchanged.io_context("stat", &self.path)? {
            true => Ok(()),
            false => Err(Error::Changed {
                path: self.path.clone(),
            }),
        }
    }
}

/// The Unix seconds of a time in a manifest.
fn unix_seconds(time: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(time).ok()?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Whether redb's flags say that a writer has the file open, or had when it was killed.
fn is_marked_open(file: &File) -> io::Result<bool> {
    let mut flags = [0];
    match file.read_exact_at(&mut flags, FLAGS_OFFSET) {
        // Too short for a file of redb's, which shows when it is opened.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| flags[0] & RECOVERY_REQUIRED != 0),
    }
}
