//! What every key-value backend does, whether or not it overrides `get` and `scan_prefix`.

use std::sync::Arc;

use chunkmigrate::kv::Entry;
use chunkmigrate::kv::{KvBackend, KvTransaction};
use chunkmigrate::record::{CodeChunk, IdSequences};
use chunkmigrate::store::{ChunkStore, ExecutionEnd, ExecutionLog};
use chunkmigrate::{Error, Result};

use crate::map_backend::MapBackend;
use crate::modes::START;

fn backends() -> Vec<Arc<dyn KvBackend>> {
    vec![
        Arc::new(MapBackend::default()),
        #[cfg(feature = "native-v2")]
        Arc::new(chunkmigrate::kv::RedbBackend::in_memory().unwrap()),
    ]
}

/// The first keys that a scan visits, up to a number.
fn scan(backend: &dyn KvBackend, prefix: &[u8], most: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut visit = |entry: Entry<'_>| {
        assert_eq!(entry.value, [entry.key, b"!"].concat());
        keys.push(String::from_utf8(entry.key.to_vec()).unwrap());
        Ok(keys.len() < most)
    };
    backend.scan_prefix(prefix, &mut visit).unwrap();
    keys
}

#[test]
fn a_key_has_the_last_value_put_until_it_is_deleted() {
    for backend in backends() {
        assert_eq!(backend.get(b"a").unwrap(), None);
        backend.put(b"a", b"old").unwrap();
        backend.put(b"a", b"").unwrap();
        assert_eq!(backend.get(b"a").unwrap(), Some(Vec::new()));
        assert!(!backend.delete(b"b").unwrap());
        assert!(backend.delete(b"a").unwrap());
        assert!(!backend.delete(b"a").unwrap());
        assert_eq!(backend.get(b"a").unwrap(), None);
    }
}

#[test]
fn a_scan_visits_the_keys_of_its_prefix_in_order_until_it_is_stopped() {
    for backend in backends() {
        for key in ["b", "ab", "a", "a\u{ff}", "aa", "c"] {
            backend.put(key.as_bytes(), [key, "!"].concat().as_bytes()).unwrap();
        }
        assert_eq!(scan(&*backend, b"a", 9), ["a", "aa", "ab", "a\u{ff}"]);
        assert_eq!(scan(&*backend, b"a", 2), ["a", "aa"]);
        assert_eq!(scan(&*backend, b"", 9).len(), 6);
        assert!(scan(&*backend, b"x", 9).is_empty());
        let failed = backend.scan_prefix(b"a", &mut |_| Err(Error::Cancelled));
        assert!(matches!(failed, Err(Error::Cancelled)));
    }
}

/// A backend that runs every transaction twice, the second time from the original state.
struct Retries {
    content: MapBackend,
    can_scan: bool,
}

impl KvBackend for Retries {
    fn transaction(&self, f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()> {
        let conflict = || Error::Backend("a conflict".into());
        let first = self.content.transaction(&mut |transaction| {
            f(transaction)?;
            Err(conflict())
        });
        match first {
            Err(Error::Backend(error)) if error.to_string() == "a conflict" => {
                self.content.transaction(f)
            }
            failed => failed,
        }
    }

    fn scan_prefix(
        &self,
        prefix: &[u8],
        visit: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
    ) -> Result<()> {
        match self.can_scan {
            true => self.content.scan_prefix(prefix, visit),
            false => WithoutScan(self).scan_prefix(prefix, visit),
        }
    }
}

/// The same with the default scan of the trait.
struct WithoutScan<'b>(&'b Retries);

impl KvBackend for WithoutScan<'_> {
    fn transaction(&self, f: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()> {
        self.0.transaction(f)
    }
}

#[test]
fn a_backend_that_retries_a_transaction_returns_nothing_twice() {
    let backend = |can_scan| {
        let content = MapBackend::default();
        Arc::new(Retries { content, can_scan })
    };
    let chunk = |byte_start| CodeChunk::new("a", byte_start, 9, "").with_symbol("x", "Function");
    for can_scan in [true, false] {
        let store = ChunkStore::with_kv_backend(backend(can_scan));
        assert_eq!(store.store_chunks(&[chunk(0), chunk(1)]).unwrap(), [1, 2]);
        assert_eq!(store.store_chunk(&chunk(0)).unwrap(), 3);
        assert_eq!(store.get_chunk_by_span("a", 1, 9).unwrap().unwrap().id, 2);
        let found = store.get_chunks_for_file("a").map(|chunks| chunks.len());
        let count = store.count_chunks();
        match can_scan {
            true => assert_eq!((found.unwrap(), count.unwrap()), (2, 2)),
            // What was returned can't be taken back.
            false => {
                assert!(matches!((found, count), (Err(Error::Backend(_)), Err(Error::Backend(_)))));
            }
        }
        assert_eq!(store.delete_chunks_for_file("a").unwrap(), 2);

        let log = ExecutionLog::with_kv_backend(backend(can_scan));
        assert_eq!(log.start_execution(&START).unwrap(), 1);
        log.finish_execution("run", &ExecutionEnd::default()).unwrap();
    }
}

#[test]
fn a_transaction_reads_its_own_writes_and_leaves_nothing_if_it_fails() {
    let id_sequences = IdSequences { code_chunks: 7, execution_log: 0 };
    for backend in backends() {
        for ends_well in [false, true] {
            let result = backend.transaction(&mut |transaction| {
                assert_eq!(transaction.sequences()?, IdSequences::default());
                transaction.set_sequences(id_sequences)?;
                assert_eq!(transaction.sequences()?, id_sequences);
                transaction.put(b"a", b"1")?;
                assert_eq!(transaction.get(b"a")?.as_deref(), Some(&b"1"[..]));
                let mut found = 0;
                transaction.scan_prefix(b"", &mut |_| {
                    found += 1;
                    Ok(true)
                })?;
                assert_eq!(found, 1);
                transaction.put(b"b", b"2")?;
                assert!(transaction.delete(b"a")?);
                match ends_well {
                    true => Ok(()),
                    false => Err(Error::Cancelled),
                }
            });
            assert_eq!(result.is_ok(), ends_well);
            assert_eq!(backend.get(b"a").unwrap(), None);
            assert_eq!(backend.get(b"b").unwrap().is_some(), ends_well);
        }
    }
}
