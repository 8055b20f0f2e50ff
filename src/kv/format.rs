//! The two tables of a KV file.

use std::path::Path;

use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction,
};
use serde::de::DeserializeOwned;

use super::VERSION_WITH_TABLES;
use super::error::{engine, table_error};
use super::manifest::{FormatMarker, decode_document, encode_document};
use crate::error::{Error, Result};
use crate::record::IdSequences;
use crate::table::CarriedTables;

pub(super) const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The entries of the `meta` table.
pub(super) mod meta_entry {
    pub(in crate::kv) const FORMAT: &str = "format";
    pub(in crate::kv) const SEQUENCES: &str = "sequences";
    pub(in crate::kv) const MANIFEST: &str = "manifest";
    pub(in crate::kv) const TABLES: &str = "tables";
}

/// A document of the `meta` table: its name and content.
pub(super) type Document = (&'static str, Vec<u8>);

/// The documents of every KV file, and that of the carried tables if there are any.
pub(super) fn base_documents(
    sequences: &IdSequences,
    carried: Option<&CarriedTables>,
) -> Result<Vec<Document>> {
    let format = encode_document(&FormatMarker::of(carried))?;
    let mut documents =
        vec![(meta_entry::FORMAT, format), (meta_entry::SEQUENCES, encode_document(sequences)?)];
    if let Some(carried) = carried {
        documents.push((meta_entry::TABLES, encode_document(carried)?));
    }
    Ok(documents)
}

/// Writes documents into the `meta` table. Creates both tables if they are missing.
pub(super) fn write_documents(
    transaction: &WriteTransaction,
    documents: &[Document],
    path: &Path,
) -> Result<()> {
    transaction.open_table(RECORDS).map_err(table_error(path))?;
    let mut meta = transaction.open_table(META).map_err(table_error(path))?;
    for (name, document) in documents {
        meta.insert(*name, document.as_slice()).map_err(engine("write", path))?;
    }
    Ok(())
}

/// The document `name` of a `meta` table; `None` if it is missing.
pub(super) fn read_document<T: DeserializeOwned>(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &'static str,
    path: &Path,
) -> Result<Option<T>> {
    let document = meta.get(name).map_err(engine("read", path))?;
    document.map(|document| decode_document(name, document.value(), path)).transpose()
}

/// The id sequences of a `meta` table; 0 where one is missing or negative.
pub(super) fn read_sequences(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    path: &Path,
) -> Result<IdSequences> {
    let sequences: Option<IdSequences> = read_document(meta, meta_entry::SEQUENCES, path)?;
    // A new database can't store a negative sequence.
    Ok(sequences.unwrap_or_default().max(IdSequences::default()))
}

/// Opens the table of records for reading.
pub(super) fn open_records(
    transaction: &ReadTransaction,
    path: &Path,
) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>> {
    match transaction.open_table(RECORDS) {
        Err(TableError::TableDoesNotExist(_)) => Err(Error::CorruptKvFile {
            path: path.to_owned(),
            detail: "the table of records is missing".to_owned(),
        }),
        table => table.map_err(table_error(path)),
    }
}

/// Opens the table of documents for reading.
pub(super) fn open_meta(
    transaction: &ReadTransaction,
    path: &Path,
) -> Result<ReadOnlyTable<&'static str, &'static [u8]>> {
    transaction.open_table(META).map_err(table_error(path))
}

/// Checks that a file has both tables and a known format version. Returns the tables that it
/// carries.
pub(super) fn check_format(
    transaction: &ReadTransaction,
    path: &Path,
) -> Result<Option<CarriedTables>> {
    let meta = open_meta(transaction, path)?;
    let format = read_document(&meta, meta_entry::FORMAT, path)?;
    let version = FormatMarker::check(format.as_ref(), path)?;
    open_records(transaction, path)?;
    if version < VERSION_WITH_TABLES {
        return Ok(None);
    }
    let corrupt = |detail: String| Error::CorruptKvFile { path: path.to_owned(), detail };
    let carried: Option<CarriedTables> = read_document(&meta, meta_entry::TABLES, path)?;
    let carried = carried.ok_or_else(|| corrupt("its tables document is missing".to_owned()))?;
    match carried.check() {
        Ok(()) => Ok(Some(carried)),
        Err(why) => Err(corrupt(format!("its tables document is wrong: {why}"))),
    }
}
