use std::collections::BTreeMap;
use std::sync::Mutex;

use chunkmigrate::Result;
use chunkmigrate::kv::Entry;
use chunkmigrate::kv::{KvBackend, KvTransaction};
use chunkmigrate::record::IdSequences;

/// The minimal third-party backend: a map and its transactions.
#[derive(Debug, Default)]
pub(crate) struct MapBackend {
    content: Mutex<Content>,
}

#[derive(Debug, Default, Clone)]
struct Content {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    sequences: IdSequences,
}

impl KvBackend for MapBackend {
    fn transaction(&self, f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()> {
        let mut content = self.content.lock().unwrap();
        let mut changed = content.clone();
        f(&mut changed)?;
        *content = changed;
        Ok(())
    }
}

impl KvTransaction for Content {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.entries.get(key).cloned())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.entries.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<bool> {
        Ok(self.entries.remove(key).is_some())
    }

    fn scan_prefix(
        &mut self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        for (key, value) in self.entries.range(prefix.to_vec()..) {
            if !key.starts_with(prefix) || !visit(Entry { key, value })? {
                break;
            }
        }
        Ok(())
    }

    fn sequences(&mut self) -> Result<IdSequences> {
        Ok(self.sequences)
    }

    fn set_sequences(&mut self, sequences: IdSequences) -> Result<()> {
        self.sequences = sequences;
        Ok(())
    }
}
