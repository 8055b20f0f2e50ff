//! Reads and writes KV files with redb alone.

use std::collections::BTreeMap;
use std::path::Path;

use chunkmigrate::internal::record_key;
use chunkmigrate::record::Record;
use redb::{
    Database, ReadOnlyDatabase, ReadableDatabase as _, ReadableTable as _, TableDefinition,
};

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// All records of a file, as text.
pub(crate) fn records(path: &Path) -> BTreeMap<String, String> {
    let transaction = ReadOnlyDatabase::open(path).unwrap().begin_read().unwrap();
    let table = transaction.open_table(RECORDS).unwrap();
    let entries = table.iter().unwrap();
    entries
        .map(|entry| {
            let (key, value) = entry.unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            (text(key.value()), text(value.value()))
        })
        .collect()
}

/// The keys of a file, in file order.
pub(crate) fn keys(path: &Path) -> Vec<String> {
    records(path).into_keys().collect()
}

/// A metadata document of a file.
pub(crate) fn document(path: &Path, name: &str) -> serde_json::Value {
    serde_json::from_str(&document_text(path, name)).unwrap()
}

/// A metadata document of a file, as raw text.
pub(crate) fn document_text(path: &Path, name: &str) -> String {
    let transaction = ReadOnlyDatabase::open(path).unwrap().begin_read().unwrap();
    let table = transaction.open_table(META).unwrap();
    let document = table.get(name).unwrap().unwrap();
    String::from_utf8(document.value().to_vec()).unwrap()
}

/// The content of a KV file, valid or not.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) records: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) documents: BTreeMap<String, String>,
}

impl Content {
    /// Reads the content of a file.
    pub(crate) fn read(path: &Path) -> Self {
        let transaction = ReadOnlyDatabase::open(path).unwrap().begin_read().unwrap();
        let records = transaction.open_table(RECORDS).unwrap();
        let records = records.iter().unwrap().map(|entry| {
            let (key, value) = entry.unwrap();
            (key.value().to_vec(), value.value().to_vec())
        });
        let documents = transaction.open_table(META).unwrap();
        let documents = documents.iter().unwrap().map(|entry| {
            let (name, document) = entry.unwrap();
            let text = String::from_utf8(document.value().to_vec()).unwrap();
            (name.value().to_owned(), text)
        });
        Content {
            records: records.collect(),
            documents: documents.collect(),
        }
    }

    /// Writes it with redb alone.
    pub(crate) fn write(&self, path: &Path) {
        let database = Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut records = transaction.open_table(RECORDS).unwrap();
            for (key, value) in &self.records {
                records.insert(key.as_slice(), value.as_slice()).unwrap();
            }
            let mut documents = transaction.open_table(META).unwrap();
            for (name, document) in &self.documents {
                documents
                    .insert(name.as_str(), document.as_bytes())
                    .unwrap();
            }
        }
        transaction.commit().unwrap();
        database.close().unwrap();
    }

    /// The same without a manifest, which any change would invalidate.
    pub(crate) fn without_manifest(mut self) -> Self {
        self.documents.remove("manifest");
        self
    }

    /// The value under a key, as text to edit.
    pub(crate) fn edit(&mut self, key: &str, from: &str, to: &str) {
        let value = self.records.get_mut(key.as_bytes()).unwrap();
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains(from), "{text} has no {from}");
        *value = text.replacen(from, to, 1).into_bytes();
    }
}

/// A new file of records, without a manifest.
pub(crate) fn of_records<'r>(records: impl IntoIterator<Item = &'r Record>) -> Content {
    let records = records.into_iter();
    let documents = [
        ("format", "{\"name\":\"chunkmigrate-kv\",\"version\":1}"),
        ("sequences", "{\"code_chunks\":0,\"execution_log\":0}"),
    ];
    Content {
        records: records
            .map(|record| (record_key(record), record.to_json().unwrap()))
            .collect(),
        documents: documents
            .map(|(name, document)| (name.to_owned(), document.to_owned()))
            .into(),
    }
}
