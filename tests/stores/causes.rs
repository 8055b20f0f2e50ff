//! The same cause is the same error in both modes.

use std::path::Path;
use std::sync::Arc;

use chunkmigrate::Error;
use chunkmigrate::internal::record_key;
use chunkmigrate::kv::{KvBackend, RedbBackend};
use chunkmigrate::record::{CodeChunk, FileMetrics, Record};
use chunkmigrate::rusqlite::Connection;
use chunkmigrate::store::SharedConnection;
use chunkmigrate::store::{ChunkStore, ExecutionEnd, ExecutionLog, MetricsOps};
use test_support::folder;
use test_support::records::{file_metrics, symbol_metrics};

use crate::modes::START;

/// The variant of an error, with what decides whether two are the same.
fn variant(error: &Error) -> String {
    match error {
        Error::Io { action, source, .. } => format!("Io {action}, {:?}", source.kind()),
        Error::NotAFile { found, .. } => format!("NotAFile {found}"),
        Error::InvalidRecord { .. } => "Undecodable".to_owned(),
        other => format!("{other:?}"),
    }
}

type Open = fn(&Path) -> Result<ChunkStore, Error>;

/// In both modes: what opens an existing store, and what creates one.
const OPEN: [Open; 2] = [ChunkStore::open, |path| RedbBackend::open(path).map(in_kv)];
const MAKE: [Open; 2] = [ChunkStore::new, |path| RedbBackend::open_or_create(path).map(in_kv)];

fn in_kv(backend: RedbBackend) -> ChunkStore {
    ChunkStore::with_kv_backend(Arc::new(backend))
}

#[test]
fn an_unusable_path_is_the_same_error_in_every_mode() {
    let folder = folder::private();
    let missing = folder.path().join("missing");
    let beyond = folder.path().join("no/such/folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let through = file.join("store");
    for (path, made, opened) in [
        (Path::new(""), "Io open, InvalidInput", "Io open, InvalidInput"),
        (Path::new(":memory:"), "Io open, InvalidInput", "Io open, InvalidInput"),
        (folder.path(), "NotAFile a directory", "NotAFile a directory"),
        (Path::new("/dev/null"), "NotAFile a device", "NotAFile a device"),
        (&beyond, "Io create, NotFound", "Io open, NotFound"),
        (&through, "Io open, NotADirectory", "Io open, NotADirectory"),
        (&missing, "", "Io open, NotFound"),
    ] {
        for (open, expected) in [(OPEN, opened), (MAKE, made)] {
            for open in open {
                let found = open(path).err().as_ref().map(variant).unwrap_or_default();
                assert_eq!(found, expected, "{}", path.display());
                // Only those that may create a store have created one.
                assert_eq!(missing.exists(), expected.is_empty());
                let _ = std::fs::remove_file(&missing);
            }
        }
    }
    assert!(!Path::new(":memory:").exists());
    assert!(MetricsOps::open(&missing).is_err() && ExecutionLog::open(&missing).is_err());
    assert!(!missing.exists());
}

#[test]
fn every_store_can_require_an_existing_file() {
    let folder = folder::private();
    let path = folder.path().join("code.db");
    ChunkStore::new(&path).unwrap().ensure_schema().unwrap();
    assert_eq!(ChunkStore::open(&path).unwrap().count_chunks().unwrap(), 0);
    assert_eq!(MetricsOps::open(&path).unwrap().get_file_metrics("a").unwrap(), None);
    assert!(ExecutionLog::open(&path).unwrap().list_all(None).unwrap().is_empty());
}

/// A store of each mode with a chunk `a:0:1` that defines `x`, which `corrupt` changes: SQL for the
/// row, and what to replace in the value.
fn corrupted(sql: &str, from: &str, to: &str) -> [ChunkStore; 2] {
    let chunk = |byte_end| CodeChunk {
        created_at: 0,
        ..CodeChunk::new("a", 0, byte_end, "text").with_symbol("x", "Function")
    };
    let other = chunk(2).with_symbol("y", "Struct");
    let connection = SharedConnection::from(Connection::open_in_memory().unwrap());
    let sqlite = ChunkStore::with_connection(connection.clone());
    sqlite.store_chunks(&[chunk(1), other.clone()]).unwrap();
    let backend = Arc::new(RedbBackend::in_memory().unwrap());
    let kv = ChunkStore::with_kv_backend(backend.clone());
    kv.store_chunks(&[chunk(1), other]).unwrap();
    let record = Record::Chunk(kv.get_chunk_by_span("a", 0, 1).unwrap().unwrap());
    let value = String::from_utf8(record.to_json().unwrap()).unwrap();
    assert!(value.contains(from), "{value}");
    backend.put(&record_key(&record), value.replace(from, to).as_bytes()).unwrap();
    let corrupt = format!("UPDATE code_chunks SET {sql} WHERE byte_end = 1");
    connection.lock().execute_batch(&corrupt).unwrap();
    [sqlite, kv]
}

#[test]
fn a_corrupt_record_fails_only_queries_for_it() {
    for (sql, from, to, is_of_x) in [
        ("content = x'00'", "\"content\":\"text\"", "\"content\":7", true),
        ("created_at = 'now'", "\"created_at\":0", "\"created_at\":\"now\"", true),
        ("symbol_name = x'00'", "\"symbol_name\":\"x\"", "\"symbol_name\":7", false),
    ] {
        for store in corrupted(sql, from, to) {
            let mode = store.has_kv_backend();
            let of_x = store.get_chunks_for_symbol("a", "x");
            match is_of_x {
                true => assert_eq!(variant(&of_x.unwrap_err()), "Undecodable", "{sql}, {mode}"),
                false => assert_eq!(of_x.unwrap(), [], "{sql}, {mode}"),
            }
            for result in [
                store.get_chunk_by_span("a", 0, 1).map(|_| ()),
                store.get_chunks_for_file("a").map(|_| ()),
                store.get_chunks_by_kind("Function").map(|_| ()),
            ] {
                assert_eq!(variant(&result.unwrap_err()), "Undecodable", "{sql}, {mode}");
            }
            assert_eq!(store.get_chunks_for_symbol("a", "y").unwrap().len(), 1, "{sql}");
            assert_eq!(store.get_chunks_for_symbol("b", "x").unwrap().len(), 0, "{sql}");
            assert_eq!(store.get_chunks_by_kind("Struct").unwrap().len(), 1, "{sql}");
            assert_eq!(store.get_chunks_for_file("b").unwrap().len(), 0, "{sql}");
            assert_eq!(store.count_chunks().unwrap(), 2, "{sql}");
            assert_eq!(store.count_chunks_for_file("a").unwrap(), 2, "{sql}");
            assert_eq!(store.delete_chunks_for_file("a").unwrap(), 2, "{sql}");
        }
    }
}

#[test]
fn corrupt_metrics_of_one_symbol_block_no_deletion() {
    let connection = SharedConnection::from(Connection::open_in_memory().unwrap());
    let backend = Arc::new(RedbBackend::in_memory().unwrap());
    let sqlite = MetricsOps::with_connection(connection.clone());
    let kv = MetricsOps::with_kv_backend(backend.clone());
    for metrics in [&sqlite, &kv] {
        for (id, file_path) in [(1, "a"), (2, "a"), (3, "b"), (4, "c")] {
            metrics.upsert_symbol_metrics(&symbol_metrics(id, file_path)).unwrap();
        }
    }
    // The second one is still known to belong to `a`, the third and the fourth no longer belong to
    // any file.
    let sql = "UPDATE symbol_metrics SET kind = x'00' WHERE symbol_id = 2;
        UPDATE symbol_metrics SET file_path = x'00' WHERE symbol_id > 2";
    connection.lock().execute_batch(sql).unwrap();
    let value = Record::SymbolMetrics(symbol_metrics(2, "a")).to_json().unwrap();
    let value = String::from_utf8(value).unwrap();
    let corrupted = value.replace("\"kind\":\"Function\"", "\"kind\":[]");
    backend.put(b"metrics:symbol:2", corrupted.as_bytes()).unwrap();
    backend.put(b"metrics:symbol:3", b"{\"file_path\":[\"b\"]}").unwrap();
    backend.put(b"metrics:symbol:4", b"\xff").unwrap();
    for metrics in [sqlite, kv] {
        for id in [2, 3, 4] {
            let error = metrics.get_symbol_metrics(id).unwrap_err();
            assert_eq!(variant(&error), "Undecodable", "{id}");
        }
        assert_eq!(metrics.delete_file_metrics("a").unwrap(), 2);
        assert_eq!(metrics.delete_file_metrics("b").unwrap(), 0);
        assert_eq!(metrics.get_symbol_metrics(2).unwrap(), None);
        assert!(metrics.get_symbol_metrics(3).is_err());
    }
}

#[test]
fn an_unsupported_value_is_the_same_error_in_every_mode() {
    let backend = || -> Arc<dyn KvBackend> { Arc::new(RedbBackend::in_memory().unwrap()) };
    for kv in [None, Some(backend())] {
        let mode = kv.is_some();
        let chunks = ChunkStore::in_memory(kv.clone()).unwrap();
        let beyond = CodeChunk::new("a", u64::MAX, 1, "");
        let error = chunks.store_chunk(&beyond).unwrap_err();
        assert_eq!(variant(&error), "OffsetRange { field: \"byte_start\" }", "{mode}");

        let metrics = MetricsOps::in_memory(kv.clone()).unwrap();
        let file = FileMetrics { estimated_loc: Some(f64::NAN), ..file_metrics("a") };
        let error = metrics.upsert_file_metrics(&file).unwrap_err();
        let expected = "NotFinite { field: \"estimated_loc\", value: NaN }";
        assert_eq!(variant(&error), expected, "{mode}");

        let log = ExecutionLog::in_memory(kv).unwrap();
        log.start_execution(&START).unwrap();
        let error = log.start_execution(&START).unwrap_err();
        assert_eq!(variant(&error), "ExecutionExists { execution_id: \"run\" }", "{mode}");
        let error = log.finish_execution("2", &ExecutionEnd::default()).unwrap_err();
        assert_eq!(variant(&error), "ExecutionNotFound { execution_id: \"2\" }", "{mode}");
    }
}
