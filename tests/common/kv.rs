//! A look into a KV file with redb alone.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{ReadOnlyDatabase, ReadableDatabase as _, ReadableTable as _, TableDefinition};

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

/// The keys of a file, in its order.
pub(crate) fn keys(path: &Path) -> Vec<String> {
    records(path).into_keys().collect()
}

/// A document of a file.
pub(crate) fn document(path: &Path, name: &str) -> serde_json::Value {
    serde_json::from_str(&document_text(path, name)).unwrap()
}

/// A document of a file as it stands there.
pub(crate) fn document_text(path: &Path, name: &str) -> String {
    let transaction = ReadOnlyDatabase::open(path).unwrap().begin_read().unwrap();
    let table = transaction.open_table(META).unwrap();
    let document = table.get(name).unwrap().unwrap();
    String::from_utf8(document.value().to_vec()).unwrap()
}
