//! In-memory KV files written with redb alone, with contents that the tool itself never writes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use chunkmigrate::internal::record_key;
use chunkmigrate::internal::{sample_records, sample_sequences};
use chunkmigrate::record::{IdSequences, PerKind};
use chunkmigrate::redb::{
    Database, MultimapTableDefinition, StorageBackend, TableDefinition, WriteTransaction,
};
use chunkmigrate::verify::{KindTotals, Manifest, ManifestSource};

use super::model::kv_store;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

pub(crate) const FORMAT: &[u8] = br#"{"name":"chunkmigrate-kv","version":1}"#;

pub(crate) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// Which tables a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    Both,
    /// Both, and two foreign ones.
    AndOthers,
    InvalidLines,
    NoMeta,
    RecordsOfNumbers,
    MetaOfText,
    RecordsAreMultimap,
}

#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) tables: Tables,
    pub(crate) entries: Entries,
    pub(crate) documents: BTreeMap<String, Vec<u8>>,
}

impl Content {
    /// The bytes of a closed file.
    pub(crate) fn file(&self) -> Vec<u8> {
        let file = MemoryFile::default();
        let database = self.fill(&file);
        database.close().unwrap();
        file.bytes()
    }

    /// The bytes of a file whose writer was killed.
    fn unclosed_file(&self) -> Vec<u8> {
        let file = MemoryFile::default();
        let database = self.fill(&file);
        let bytes = file.bytes();
        drop(database);
        bytes
    }

    fn fill(&self, file: &MemoryFile) -> Database {
        let database = Database::builder()
            .create_with_backend(file.clone())
            .unwrap();
        let transaction = database.begin_write().unwrap();
        self.write_records(&transaction);
        self.write_documents(&transaction);
        if self.tables == Tables::AndOthers {
            let table = TableDefinition::<u64, &str>::new("other");
            let mut table = transaction.open_table(table).unwrap();
            table.insert(1, "one").unwrap();
            let multimap = MultimapTableDefinition::<u64, u64>::new("others");
            let mut multimap = transaction.open_multimap_table(multimap).unwrap();
            multimap.insert(1, 2).unwrap();
        }
        transaction.commit().unwrap();
        database
    }

    fn write_records(&self, transaction: &WriteTransaction) {
        match self.tables {
            Tables::InvalidLines => {}
            Tables::RecordsOfNumbers => {
                let table = TableDefinition::<u64, &[u8]>::new("records");
                drop(transaction.open_table(table).unwrap());
            }
            Tables::RecordsAreMultimap => {
                let table = MultimapTableDefinition::<&[u8], &[u8]>::new("records");
                drop(transaction.open_multimap_table(table).unwrap());
            }
            _ => {
                let mut records = transaction.open_table(RECORDS).unwrap();
                for (key, value) in &self.entries {
                    records.insert(key.as_slice(), value.as_slice()).unwrap();
                }
            }
        }
    }

    fn write_documents(&self, transaction: &WriteTransaction) {
        match self.tables {
            Tables::NoMeta => {}
            Tables::MetaOfText => {
                let table = TableDefinition::<&str, &str>::new("meta");
                drop(transaction.open_table(table).unwrap());
            }
            _ => {
                let mut documents = transaction.open_table(META).unwrap();
                for (name, document) in &self.documents {
                    documents
                        .insert(name.as_str(), document.as_slice())
                        .unwrap();
                }
            }
        }
    }
}

/// A manifest that matches these entries.
pub(crate) fn manifest(entries: &Entries) -> Manifest {
    let totals: PerKind<KindTotals> = kv_store(entries).totals();
    let source = ManifestSource {
        file_name: "code.db".to_owned(),
        store: "sqlite".to_owned(),
        schema_version: Some(7),
    };
    Manifest::new(source, "2026-01-31T12:00:00Z".to_owned(), &totals)
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
            let manifest = serde_json::to_vec(&manifest(&entries)).unwrap();
            let id_sequences = serde_json::to_vec(&sequences).unwrap();
            let documents = [("format", FORMAT.to_vec()), ("sequences", id_sequences)];
            let documents = documents.into_iter().chain([("manifest", manifest)]);
            let content = Content {
                tables: Tables::Both,
                documents: documents.map(|(name, d)| (name.to_owned(), d)).collect(),
                entries,
            };
            Intact {
                bytes: match unclosed {
                    true => content.unclosed_file(),
                    false => content.file(),
                },
                entries: content.entries,
                sequences,
            }
        };
        [make(16, false), make(1, false), make(16, true)]
    })
}

/// A file in memory.
#[derive(Debug, Clone, Default)]
struct MemoryFile(Arc<Mutex<Vec<u8>>>);

impl MemoryFile {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl StorageBackend for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = offset as usize;
        out.copy_from_slice(&self.0.lock().unwrap()[start..start + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = offset as usize;
        self.0.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
