//! What a KV file holds, as text.

use std::collections::BTreeMap;
use std::path::Path;

use test_support::kv_file::Content;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// All records of a file.
pub(crate) fn records(path: &Path) -> BTreeMap<String, String> {
    let records = Content::read(path).records.into_iter();
    records.map(|(key, value)| (text(key), text(value))).collect()
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
    text(Content::read(path).documents.remove(name).unwrap())
}
