//! KV files, valid or not, read and written with redb alone.

use std::collections::BTreeMap;
use std::path::Path;

use chunkmigrate::internal::record_key;
use chunkmigrate::record::Record;
use redb::{
    Database, Key, MultimapTableDefinition, ReadOnlyDatabase, ReadableDatabase as _,
    ReadableTable as _, TableDefinition, WriteTransaction,
};

pub const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
pub const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The document that marks a KV file.
pub const FORMAT: &str = "{\"name\":\"chunkmigrate-kv\",\"version\":1}";

pub type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The type of a table, that of a KV file or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableType {
    #[default]
    Own,
    Missing,
    Numbers,
    Text,
    Multimap,
}

/// Which tables a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tables {
    pub records: TableType,
    pub meta: TableType,
    /// Two tables that are not of a KV file.
    pub others: bool,
}

/// The content of a KV file, valid or not.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pub tables: Tables,
    pub records: Entries,
    pub documents: BTreeMap<String, Vec<u8>>,
}

impl Content {
    /// These records, without a manifest.
    pub fn of_records<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let entry = |record| (record_key(record), record.to_json().unwrap());
        let mut content =
            Content { records: records.into_iter().map(entry).collect(), ..Content::default() };
        content.set_document("format", FORMAT);
        content.set_document("sequences", "{\"code_chunks\":0,\"execution_log\":0}");
        content
    }

    pub fn set_document(&mut self, name: &str, document: impl Into<Vec<u8>>) {
        self.documents.insert(name.to_owned(), document.into());
    }

    /// The same without a manifest, which any change would invalidate.
    pub fn without_manifest(mut self) -> Self {
        self.documents.remove("manifest");
        self
    }

    /// Replaces a part of the value under a key.
    pub fn edit(&mut self, key: &str, from: &str, to: &str) {
        let value = self.records.get_mut(key.as_bytes()).unwrap();
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains(from), "{text} has no {from}");
        *value = text.replacen(from, to, 1).into_bytes();
    }

    /// Reads the content of a file.
    pub fn read(path: &Path) -> Self {
        let transaction = ReadOnlyDatabase::open(path).unwrap().begin_read().unwrap();
        let records = transaction.open_table(RECORDS).unwrap();
        let records = records.iter().unwrap().map(|entry| {
            let (key, value) = entry.unwrap();
            (key.value().to_vec(), value.value().to_vec())
        });
        let documents = transaction.open_table(META).unwrap();
        let documents = documents.iter().unwrap().map(|entry| {
            let (name, document) = entry.unwrap();
            (name.value().to_owned(), document.value().to_vec())
        });
        Content {
            tables: Tables::default(),
            records: records.collect(),
            documents: documents.collect(),
        }
    }

    /// Writes a file.
    pub fn write(&self, path: &Path) {
        self.create(path).close().unwrap();
    }

    /// Writes a file and leaves it open.
    pub fn create(&self, path: &Path) -> Database {
        let database = Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        let Tables { records, meta, .. } = self.tables;
        write_table::<&[u8], _>(&transaction, "records", records, &self.records, |key| key);
        write_table::<&str, _>(&transaction, "meta", meta, &self.documents, |name| name);
        if self.tables.others {
            let numbers = TableDefinition::<u64, u64>::new("other");
            let mut numbers = transaction.open_table(numbers).unwrap();
            numbers.insert(1, 2).unwrap();
            let multimap = MultimapTableDefinition::<u64, u64>::new("m\u{1b}[2J\u{202e}\u{9b}\n");
            let mut multimap = transaction.open_multimap_table(multimap).unwrap();
            multimap.insert(1, 1).unwrap();
        }
        transaction.commit().unwrap();
        database
    }
}

fn write_table<K: Key + 'static, T>(
    transaction: &WriteTransaction,
    name: &str,
    table_type: TableType,
    entries: &BTreeMap<T, Vec<u8>>,
    as_key: for<'t> fn(&'t T) -> K::SelfType<'t>,
) {
    match table_type {
        TableType::Own => {
            let table = TableDefinition::<K, &[u8]>::new(name);
            let mut table = transaction.open_table(table).unwrap();
            for (key, value) in entries {
                table.insert(as_key(key), value.as_slice()).unwrap();
            }
        }
        TableType::Missing => {}
        TableType::Numbers => {
            let table = TableDefinition::<u64, u64>::new(name);
            let mut table = transaction.open_table(table).unwrap();
            table.insert(1, 2).unwrap();
        }
        TableType::Text => {
            let table = TableDefinition::<&str, &str>::new(name);
            let mut table = transaction.open_table(table).unwrap();
            table.insert("format", FORMAT).unwrap();
        }
        TableType::Multimap => {
            let table = MultimapTableDefinition::<K, &[u8]>::new(name);
            let mut table = transaction.open_multimap_table(table).unwrap();
            for (key, value) in entries {
                table.insert(as_key(key), value.as_slice()).unwrap();
            }
        }
    }
}
