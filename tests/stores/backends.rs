//! What every key-value backend does, whether it brings its own `get` and `scan_prefix` or not.

use std::sync::Arc;

use chunkmigrate::Error;
use chunkmigrate::codec::Entry;
use chunkmigrate::kv::KvBackend;
use chunkmigrate::record::Sequences;

use crate::map_backend::MapBackend;

fn backends() -> Vec<Arc<dyn KvBackend>> {
    vec![
        Arc::new(MapBackend::default()),
        #[cfg(feature = "native-v2")]
        Arc::new(chunkmigrate::kv::RedbBackend::in_memory().unwrap()),
    ]
}

/// The keys that a scan hands out, until there are so many.
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
fn a_key_has_the_value_that_was_put_last_until_it_is_deleted() {
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
fn a_scan_hands_out_the_keys_of_its_prefix_in_order_until_it_is_told_to_stop() {
    for backend in backends() {
        for key in ["b", "ab", "a", "a\u{ff}", "aa", "c"] {
            backend
                .put(key.as_bytes(), [key, "!"].concat().as_bytes())
                .unwrap();
        }
        assert_eq!(scan(&*backend, b"a", 9), ["a", "aa", "ab", "a\u{ff}"]);
        assert_eq!(scan(&*backend, b"a", 2), ["a", "aa"]);
        assert_eq!(scan(&*backend, b"", 9).len(), 6);
        assert!(scan(&*backend, b"x", 9).is_empty());
        let failed = backend.scan_prefix(b"a", &mut |_| Err(Error::Cancelled));
        assert!(matches!(failed, Err(Error::Cancelled)));
    }
}

#[test]
fn a_transaction_reads_what_it_wrote_and_leaves_nothing_if_it_fails() {
    let marks = Sequences {
        code_chunks: 7,
        execution_log: 0,
    };
    for backend in backends() {
        for ends_well in [false, true] {
            let result = backend.transaction(&mut |transaction| {
                assert_eq!(transaction.sequences()?, Sequences::default());
                transaction.set_sequences(marks)?;
                assert_eq!(transaction.sequences()?, marks);
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
