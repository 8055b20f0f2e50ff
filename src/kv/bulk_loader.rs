//! Loads entries in key order into a new KV file at redb's maximum speed.
//!
//! Entries are inserted through a cursor at the end of the table, so that leaf pages are completely
//! filled. Every few MiB are committed without durability, so that pages are written once and don't
//! accumulate in memory. The file is extended in advance to a power-of-two number of pages: redb
//! adopts that layout, allocates pages from its start, and truncates the unused tail when it
//! closes, whereas a file that grows by doubling keeps pages at its very end. Nothing is synced
//! before the end: nobody can see the file until it is published.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::{Database, Durability};

use super::error::engine;
use super::format::{RECORDS, base_documents, meta_entry, write_documents};
use super::manifest::{Manifest, encode_document};
use super::write_buffer::WriteBuffer;
use crate::codec::Entry;
use crate::error::{Error, IoContext as _, Result};
use crate::record::IdSequences;
use crate::table::CarriedTables;

/// Memory limit of redb's write cache.
const CACHE_BYTES: usize = 16 << 20;
/// redb's page size.
const PAGE_BYTES: u64 = 4096;
/// The smallest and the largest layout that a file is extended to, in pages. The largest is one
/// redb region, 4 GiB.
const LAYOUT_PAGES: (u64, u64) = (32, 1 << 20);

/// A new KV file that is being loaded.
#[derive(Debug)]
pub struct BulkLoader {
    path: PathBuf,
    file: WriteBuffer,
    database: Database,
    last_key: Vec<u8>,
}

impl BulkLoader {
    /// Creates a new file for about `expected_bytes` bytes of keys and values.
    pub fn create(path: &Path, expected_bytes: u64) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .io_context("create", path)?;
        let file = WriteBuffer::new(file);
        open_database(&file, path)?.close().map_err(engine("create", path))?;
        let pages = (2 * expected_bytes / PAGE_BYTES)
            .next_power_of_two()
            .clamp(LAYOUT_PAGES.0, LAYOUT_PAGES.1);
        // This only avoids slack in the file: if it fails, redb grows the file as needed.
        let _ = file.file().set_len((1 + pages) * PAGE_BYTES);
        Ok(BulkLoader {
            database: open_database(&file, path)?,
            path: path.to_owned(),
            file,
            last_key: Vec::new(),
        })
    }

    /// Appends entries. Their keys must be ascending and above all keys appended before.
    ///
    /// # Errors
    /// The file can't be written. Keys out of order are an internal error.
    pub fn append<'e>(&mut self, entries: impl Iterator<Item = Entry<'e>>) -> Result<()> {
        let failed = |error: redb::Error| engine("write", &self.path)(error);
        let mut transaction = self.database.begin_write().map_err(|e| failed(e.into()))?;
        transaction.set_durability(Durability::None).map_err(|e| failed(e.into()))?;
        let mut last_key = None;
        {
            let mut table = transaction.open_table(RECORDS).map_err(|e| failed(e.into()))?;
            let mut end =
                table.upper_bound_mut(Bound::<&[u8]>::Unbounded).map_err(|e| failed(e.into()))?;
            for Entry { key, value } in entries {
                if key <= last_key.unwrap_or(self.last_key.as_slice()) {
                    return Err(Error::Internal("keys are not in order".to_owned()));
                }
                end.insert_before(key, value).map_err(|e| failed(e.into()))?;
                last_key = Some(key);
            }
            end.close().map_err(|e| failed(e.into()))?;
        }
        transaction.commit().map_err(|e| failed(e.into()))?;
        if let Some(key) = last_key {
            self.last_key.clear();
            self.last_key.extend_from_slice(key);
        }
        Ok(())
    }

    /// Writes the metadata documents, closes the file and syncs it to disk.
    pub fn finish(self, sequences: &IdSequences, manifest: Option<&Manifest>) -> Result<()> {
        self.close(sequences, manifest, None)?.sync()
    }

    /// Writes the metadata documents and closes the file. It is then complete, but not synced.
    pub(crate) fn close(
        self,
        sequences: &IdSequences,
        manifest: Option<&Manifest>,
        carried: Option<&CarriedTables>,
    ) -> Result<ClosedFile> {
        let path = self.path.as_path();
        let failed = |error: redb::Error| engine("write", path)(error);
        let mut documents = base_documents(sequences, carried)?;
        if let Some(manifest) = manifest {
            documents.push((meta_entry::MANIFEST, encode_document(manifest)?));
        }
        let transaction = self.database.begin_write().map_err(|e| failed(e.into()))?;
        write_documents(&transaction, &documents, path)?;
        transaction.commit().map_err(|e| failed(e.into()))?;

        self.database.close().map_err(|e| failed(e.into()))?;
        if has_slack(self.file.file()).io_context("stat", path)? {
            let mut database = open_database(&self.file, path)?;
            database.compact().map_err(|e| failed(e.into()))?;
            database.close().map_err(|e| failed(e.into()))?;
        }
        self.file.flush().io_context("write", path)?;
        Ok(ClosedFile { path: self.path, file: self.file })
    }
}

/// A complete KV file that is not synced to disk yet.
#[derive(Debug)]
pub(crate) struct ClosedFile {
    path: PathBuf,
    file: WriteBuffer,
}

impl ClosedFile {
    /// Syncs the file to disk.
    pub(crate) fn sync(self) -> Result<()> {
        let synced = self.file.file().sync_all();
        synced.io_context("sync", &self.path)
    }
}

fn open_database(file: &WriteBuffer, path: &Path) -> Result<Database> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder.create_with_backend(file.clone()).map_err(engine("create", path))
}

/// Whether much of the file is a hole, as happens if it could not be extended in advance.
fn has_slack(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata()?;
    let allocated = metadata.blocks() * 512;
    Ok(metadata.len() > allocated + allocated / 20 + (1 << 20))
}
