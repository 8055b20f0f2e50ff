//! KV files with contents that the tool itself never writes.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use chunkmigrate::internal::record_key;
use chunkmigrate::internal::{sample_records, sample_sequences};
use chunkmigrate::record::{IdSequences, PerKind};
use chunkmigrate::verify::{KindTotals, Manifest, ManifestSource};
use test_support::folder;
use test_support::kv_file::{Content, Entries, FORMAT};

use super::model::kv_store;

/// A manifest that matches these entries.
pub(crate) fn manifest(entries: &Entries) -> Manifest {
    let totals: PerKind<KindTotals> = kv_store(entries).totals();
    let source = ManifestSource {
        file_name: "code.db".to_owned(),
        store: "sqlite".to_owned(),
        schema_version: Some(7),
    };
    Manifest::new(source, "2026-01-31T12:00:00Z".to_owned(), &totals, BTreeMap::new())
}

/// A file before it is corrupted.
pub(crate) struct Intact {
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Entries,
    pub(crate) sequences: IdSequences,
}

/// A small file, one of several pages, and one whose writer was killed.
pub(crate) fn intact_files() -> &'static [Intact; 3] {
    static FILES: OnceLock<[Intact; 3]> = OnceLock::new();
    FILES.get_or_init(|| {
        let make = |every: usize, unclosed: bool| {
            let records = sample_records();
            let entries: Entries = records
                .iter()
                .step_by(every)
                .map(|record| (record_key(record), record.to_json().unwrap()))
                .collect();
            let sequences = sample_sequences();
            let manifest = manifest(&entries);
            let mut content = Content { records: entries, ..Content::default() };
            content.set_document("format", FORMAT);
            content.set_document("sequences", serde_json::to_vec(&sequences).unwrap());
            content.set_document("manifest", serde_json::to_vec(&manifest).unwrap());
            let folder = folder::private();
            let path = folder.path().join("intact.kv");
            let database = content.create(&path);
            let unclosed_file = fs::read(&path).unwrap();
            database.close().unwrap();
            Intact {
                bytes: match unclosed {
                    true => unclosed_file,
                    false => fs::read(&path).unwrap(),
                },
                entries: content.records,
                sequences,
            }
        };
        [make(16, false), make(1, false), make(16, true)]
    })
}
