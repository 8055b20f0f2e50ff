//! The stores over a KV file: what else in the file they change, how they handle invalid values,
//! and which files they refuse.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use chunkmigrate::Error;
use chunkmigrate::internal::{BulkLoader, KvReader, Source as _};
use chunkmigrate::kv::{KvBackend, RedbBackend};
use chunkmigrate::record::{CodeChunk, IdSequences, PerKind, RecordKind};
use chunkmigrate::redb::{Database, TableDefinition, WriteTransaction};
use chunkmigrate::store::{ChunkStore, ExecutionLog, HotspotQuery, MetricsOps};
use chunkmigrate::verify::{Manifest, ManifestSource};
use test_support::folder;
use test_support::kv_file::{META, RECORDS};

use crate::modes::START;

/// A KV file as a migration leaves it, without records and with these id sequences.
fn migrated(path: &Path, id_sequences: IdSequences) {
    let source = ManifestSource {
        file_name: "code.db".to_owned(),
        store: "sqlite".to_owned(),
        schema_version: None,
    };
    let totals = PerKind::from_fn(|_| chunkmigrate::internal::KindHasher::default().finish());
    let manifest =
        Manifest::new(source, "2026-01-31T12:00:00Z".to_owned(), &totals, BTreeMap::new());
    let load = BulkLoader::create(path, 0).unwrap();
    load.finish(&id_sequences, Some(&manifest)).unwrap();
}

fn has_manifest(path: &Path) -> bool {
    KvReader::open_verified(path).unwrap().manifest().unwrap().is_some()
}

fn chunk(byte_start: u64) -> CodeChunk {
    CodeChunk::new("a", byte_start, 99, "content")
}

fn kv_error(result: Result<impl std::fmt::Debug, Error>) -> Error {
    result.unwrap_err()
}

#[test]
fn ids_continue_after_the_id_sequences_of_the_file() {
    let folder = folder::private();
    let path = folder.path().join("code.kv");
    let id_sequences = IdSequences { code_chunks: 41, execution_log: -7 };
    migrated(&path, id_sequences);
    let backend: Arc<dyn KvBackend> = Arc::new(RedbBackend::open(&path).unwrap());
    let store = ChunkStore::with_kv_backend(backend.clone());
    let ids = store.store_chunks(&[chunk(0), chunk(1), chunk(0)]);
    assert_eq!(ids.unwrap(), [42, 43, 44]);
    // A negative sequence is that of a table whose ids were all negative; new ids begin at 1.
    let log = ExecutionLog::with_kv_backend(backend.clone());
    assert_eq!(log.start_execution(&START).unwrap(), 1);
    drop((store, log, backend));
    let left = KvReader::open_verified(&path).unwrap().sequences().unwrap();
    let expected = IdSequences { code_chunks: 44, execution_log: 1 };
    assert_eq!(left, expected);
}

#[test]
fn the_last_id_is_assigned_once() {
    let folder = folder::private();
    let path = folder.path().join("code.kv");
    let id_sequences = IdSequences { code_chunks: i64::MAX - 1, execution_log: 0 };
    migrated(&path, id_sequences);
    let store = ChunkStore::with_kv_backend(Arc::new(RedbBackend::open(&path).unwrap()));
    // The second of the two is an error, and rolls the first back.
    let error = store.store_chunks(&[chunk(0), chunk(1)]).unwrap_err();
    let kind = RecordKind::Chunk;
    assert!(matches!(error, Error::NoIdLeft { kind: k } if k == kind.name()));
    assert_eq!(store.count_chunks().unwrap(), 0);
    assert_eq!(store.store_chunk(&chunk(0)).unwrap(), i64::MAX);
    assert!(store.store_chunk(&chunk(0)).is_err());
    assert_eq!(store.get_chunks_for_file("a").unwrap()[0].id, i64::MAX);
}

#[test]
fn only_a_write_removes_the_manifest() {
    let folder = folder::private();
    let path = folder.path().join("code.kv");
    let unfit = CodeChunk { byte_end: u64::MAX, ..chunk(1) };
    type Use = fn(&ChunkStore, &CodeChunk);
    let uses: [(bool, Use); 5] = [
        (true, |store, _| {
            assert_eq!(store.count_chunks().unwrap(), 0);
        }),
        (true, |store, _| {
            assert_eq!(store.delete_chunks_for_file("a").unwrap(), 0);
        }),
        (true, |store, _| {
            assert!(store.store_chunks(&[]).unwrap().is_empty());
        }),
        (true, |store, unfit| {
            assert!(store.store_chunks(&[chunk(0), unfit.clone()]).is_err());
        }),
        (false, |store, _| {
            assert_eq!(store.store_chunk(&chunk(0)).unwrap(), 1);
        }),
    ];
    migrated(&path, IdSequences::default());
    for (stays, use_store) in uses {
        let backend = Arc::new(RedbBackend::open(&path).unwrap());
        use_store(&ChunkStore::with_kv_backend(backend), &unfit);
        assert_eq!(has_manifest(&path), stays);
    }
}

#[test]
fn an_invalid_value_is_an_error_with_its_key() {
    let own =
        br#"{"id":1,"file_path":"b","byte_start":0,"byte_end":5,"content":"","content_hash":"",
        "symbol_name":"x","symbol_kind":"Function","created_at":0}"#;
    for (value, detail) in [
        (&b"\xff\x00"[..], "not a JSON object"),
        (b"{}", "id is missing"),
        (own, "it belongs to \"chunk:b:0:5\""),
    ] {
        let backend = Arc::new(RedbBackend::in_memory().unwrap());
        backend.put(b"chunk:a:0:5", value).unwrap();
        let store = ChunkStore::with_kv_backend(backend);
        for result in [
            store.get_chunk_by_span("a", 0, 5).map(|_| ()),
            store.get_chunks_for_file("a").map(|_| ()),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(&error, Error::InvalidRecord { .. }));
            let text = error.to_string();
            assert!(text.contains("\"chunk:a:0:5\"") && text.contains(detail), "{text}");
        }
        // It can be replaced, and deleted.
        assert_eq!(store.count_chunks().unwrap(), 1);
        assert_eq!(store.store_chunk(&CodeChunk::new("a", 0, 5, "new")).unwrap(), 1);
        assert_eq!(store.get_chunks_for_file("a").unwrap().len(), 1);
    }
}

#[test]
fn the_other_stores_do_not_skip_unreadable_records_either() {
    let backend = Arc::new(RedbBackend::in_memory().unwrap());
    for key in ["execlog:run", "metrics:file:a", "metrics:symbol:7"] {
        backend.put(key.as_bytes(), b"null").unwrap();
    }
    let log = ExecutionLog::with_kv_backend(backend.clone());
    let metrics = MetricsOps::with_kv_backend(backend);
    assert!(log.get_by_execution_id("run").is_err());
    assert!(log.list_all(Some(0)).is_err());
    assert!(log.finish_execution("run", &Default::default()).is_err());
    assert!(metrics.get_file_metrics("a").is_err());
    assert!(metrics.get_symbol_metrics(7).is_err());
    assert!(metrics.get_hotspots(&HotspotQuery::default()).is_err());
    // What is to be deleted need not be read.
    assert_eq!(metrics.delete_file_metrics("a").unwrap(), 1);
}

#[test]
fn unknown_keys_are_skipped() {
    let backend = Arc::new(RedbBackend::in_memory().unwrap());
    let store = ChunkStore::with_kv_backend(backend.clone());
    store.store_chunk(&CodeChunk::new("a", 7, 9, "")).unwrap();
    for key in ["chunk:a:!", "chunk:a:01:2", "chunk:a:5:6:7", "chunk:a:7", "chunk:a:7:9 ", "other"]
    {
        backend.put(key.as_bytes(), b"not for us").unwrap();
    }
    assert_eq!(store.get_chunks_for_file("a").unwrap().len(), 1);
    assert_eq!(store.count_chunks_for_file("a").unwrap(), 1);
    assert_eq!(store.count_chunks().unwrap(), 1);
    assert_eq!(store.delete_chunks_for_file("a").unwrap(), 1);
    let mut left = 0;
    let mut count = |_: chunkmigrate::kv::Entry<'_>| {
        left += 1;
        Ok(true)
    };
    backend.scan_prefix(b"", &mut count).unwrap();
    assert_eq!(left, 6);
}

#[test]
fn other_files_are_errors_that_identify_them() {
    let folder = folder::private();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("notes.txt"), "not a redb file ".repeat(400)).unwrap();
    ChunkStore::new(&path("code.db")).unwrap().ensure_schema().unwrap();
    for name in ["notes.txt", "code.db"] {
        let before = fs::read(path(name)).unwrap();
        for open in [RedbBackend::open, RedbBackend::open_or_create] {
            let error = kv_error(open(&path(name)));
            assert!(matches!(error, Error::NotRedb { .. }), "{error:?}");
            assert!(error.to_string().contains(name));
        }
        assert_eq!(fs::read(path(name)).unwrap(), before);
    }
    let foreign: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
    let database = Database::create(path("theirs.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(foreign).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = kv_error(RedbBackend::open_or_create(&path("theirs.redb")));
    assert!(matches!(error, Error::NotChunkmigrate { .. }), "{error:?}");

    migrated(&path("later.kv"), IdSequences::default());
    let database = Database::open(path("later.kv")).unwrap();
    let transaction = database.begin_write().unwrap();
    let format = br#"{"name":"chunkmigrate-kv","version":3}"#.as_slice();
    transaction.open_table(META).unwrap().insert("format", format).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = kv_error(RedbBackend::open(&path("later.kv")));
    assert!(matches!(error, Error::KvVersion { found: 3, .. }), "{error:?}");

    for (name, open) in [
        ("missing.kv", RedbBackend::open as fn(&Path) -> _),
        ("no/folder.kv", RedbBackend::open_or_create),
    ] {
        let error = open(&path(name)).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{name}: {error:?}");
    }
}

#[test]
fn a_file_with_a_missing_table_never_opens() {
    let folder = folder::private();
    let path = folder.path().join("code.kv");
    let errors = |remove: &dyn Fn(&WriteTransaction) -> bool| {
        let _ = fs::remove_file(&path);
        migrated(&path, IdSequences::default());
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        assert!(remove(&transaction));
        transaction.commit().unwrap();
        drop(database);
        [
            kv_error(KvReader::open_verified(&path).map(|_| ())),
            kv_error(RedbBackend::open(&path).map(|_| ())),
        ]
    };
    for error in errors(&|transaction| transaction.delete_table(RECORDS).unwrap()) {
        assert!(matches!(error, Error::CorruptKvFile { .. }), "{error:?}");
    }
    for error in errors(&|transaction| transaction.delete_table(META).unwrap()) {
        assert!(matches!(error, Error::NotChunkmigrate { .. }), "{error:?}");
    }
}

#[test]
fn a_new_file_appears_complete_with_the_usual_permissions() {
    let folder = folder::private();
    let (new, empty, plain) =
        (folder.path().join("new.kv"), folder.path().join("empty.kv"), folder.path().join("plain"));
    fs::write(&plain, "").unwrap();
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("link.kv");
    std::os::unix::fs::symlink(&empty, &link).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, expected) in [(&new, mode(&plain)), (&link, 0o600)] {
        drop(RedbBackend::open_or_create(path).unwrap());
        assert_eq!(mode(path), expected, "{}", path.display());
        let file = KvReader::open_verified(path).unwrap();
        assert_eq!(file.sequences().unwrap(), IdSequences::default());
        assert_eq!(file.manifest().unwrap(), None);
        drop(file);
        drop(RedbBackend::open(path).unwrap());
    }
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}
