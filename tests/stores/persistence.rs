//! Stored records persist: when every handle is dropped, when the process is killed right after the
//! call, and for the other handles at once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chunkmigrate::Error;
use chunkmigrate::kv::{KvBackend, RedbBackend};
use chunkmigrate::record::CodeChunk;
use chunkmigrate::store::{ChunkStore, ExecutionEnd, ExecutionLog, ExecutionStart, MetricsOps};
use test_support::folder;

use crate::modes::START;

/// Both modes, by the name of the file with their records.
const FILES: [&str; 2] = ["code.db", "code.kv"];

fn open_chunks(path: &Path) -> ChunkStore {
    match path.extension().unwrap().to_str().unwrap() {
        "kv" => ChunkStore::with_kv_backend(open_backend(path)),
        _ => ChunkStore::new(path).unwrap(),
    }
}

fn open_backend(path: &Path) -> Arc<dyn KvBackend> {
    Arc::new(RedbBackend::open_or_create(path).unwrap())
}

fn chunk(byte_start: u64) -> CodeChunk {
    CodeChunk::new("src/a.rs", byte_start, 99, "content")
}

#[test]
fn stored_records_are_there_after_reopening() {
    for file in FILES {
        let folder = folder::private();
        let path = folder.path().join(file);
        let ids = open_chunks(&path).store_chunks(&[chunk(0), chunk(9)]).unwrap();
        let store = open_chunks(&path);
        let found = store.get_chunks_for_file("src/a.rs").unwrap();
        assert_eq!(found.iter().map(|chunk| chunk.id).collect::<Vec<_>>(), ids);
        assert_eq!(found[1], CodeChunk { id: 2, ..chunk(9) }.at(&found[1]));
        store.delete_chunks_for_file("src/a.rs").unwrap();
        drop(store);
        // The ids of deleted records are not assigned again.
        assert_eq!(open_chunks(&path).store_chunk(&chunk(1)).unwrap(), 3);
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

trait At {
    fn at(self, other: &Self) -> Self;
}

impl At for CodeChunk {
    /// The same chunk, created when the other one was.
    fn at(self, other: &Self) -> Self {
        CodeChunk { created_at: other.created_at, ..self }
    }
}

#[test]
fn two_handles_on_one_backend_see_each_others_writes() {
    let folder = folder::private();
    let backend = open_backend(&folder.path().join("code.kv"));
    let one = ChunkStore::with_kv_backend(backend.clone());
    let other = ChunkStore::with_kv_backend(backend);
    assert_eq!(one.store_chunk(&chunk(0)).unwrap(), 1);
    assert_eq!(other.count_chunks().unwrap(), 1);
    assert_eq!(other.store_chunk(&chunk(0)).unwrap(), 2);
    let found = one.get_chunk_by_span("src/a.rs", 0, 99).unwrap();
    assert_eq!(found.unwrap().id, 2);
}

#[test]
fn threads_writing_through_their_own_handles_get_distinct_ids() {
    for file in FILES {
        let folder = folder::private();
        let store = open_chunks(&folder.path().join(file));
        let write = |thread: u64| {
            let store = store.clone();
            move || -> Vec<i64> {
                let chunks = (0..20).map(|n| chunk(100 * thread + n));
                chunks.map(|chunk| store.store_chunk(&chunk).unwrap()).collect()
            }
        };
        let threads: Vec<_> = (0..4).map(|n| std::thread::spawn(write(n))).collect();
        let ids = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let mut ids: Vec<i64> = ids.collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=80).collect::<Vec<_>>(), "{file}");
        assert_eq!(store.count_chunks().unwrap(), 80);
    }
}

/// Starts this program again to write into a store; calls `meanwhile` once it has, and kills it.
fn killed_when_it_has_stored(path: &Path, meanwhile: impl FnOnce()) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "persistence::child", "--ignored", "--nocapture"])
        .env("CHUNKMIGRATE_CHILD_STORE", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("stored")), "the child ended early");
    meanwhile();
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
#[ignore = "the process that other tests kill"]
fn child() {
    // Without the variable, all ignored tests are being run.
    let Some(path) = std::env::var_os("CHUNKMIGRATE_CHILD_STORE") else {
        return;
    };
    let path = Path::new(&path);
    let chunks = open_chunks(path);
    let stored = chunks.store_chunks(&[chunk(0), chunk(1), chunk(2)]);
    assert_eq!(stored.unwrap(), [1, 2, 3]);
    std::io::stdout().write_all(b"stored\n").unwrap();
    // Waits with the store open until it is killed.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn stored_records_survive_a_kill_right_after_the_call() {
    for file in FILES {
        let folder = folder::private();
        let path = folder.path().join(file);
        killed_when_it_has_stored(&path, || ());
        let store = open_chunks(&path);
        assert_eq!(store.count_chunks().unwrap(), 3, "{file}");
        assert_eq!(store.store_chunk(&chunk(0)).unwrap(), 4, "{file}");
    }
}

#[test]
fn a_kv_file_open_elsewhere_is_reported_as_open() {
    let folder = folder::private();
    let path = folder.path().join("code.kv");
    let check = || {
        let error = RedbBackend::open(&path).unwrap_err();
        assert!(matches!(error, Error::KvFileInUse { .. }), "{error:?}");
        assert!(error.to_string().contains("code.kv is already open"), "{error}");
    };
    killed_when_it_has_stored(&path, check);
    let open = RedbBackend::open(&path).unwrap();
    check();
    drop(open);
    assert!(RedbBackend::open(&path).is_ok());
}

#[test]
fn a_disabled_log_accepts_everything_and_stores_nothing() {
    let log = ExecutionLog::disabled();
    assert_eq!(log.start_execution(&START).unwrap(), 0);
    assert_eq!(log.start_execution(&START).unwrap(), 0);
    log.finish_execution("run", &ExecutionEnd::default()).unwrap();
    assert_eq!(log.get_by_execution_id("run").unwrap(), None);
    assert_eq!(log.list_all(None).unwrap(), []);
    assert!(!log.has_kv_backend());
}

#[test]
fn the_three_stores_of_one_kv_file_do_not_mix_their_records() {
    let folder = folder::private();
    let backend = open_backend(&folder.path().join("code.kv"));
    let log = ExecutionLog::with_kv_backend(backend.clone());
    let chunks = ChunkStore::with_kv_backend(backend.clone());
    let metrics = MetricsOps::with_kv_backend(backend.clone());
    // An id of the log, and a path, that look like keys of the others.
    let id = "metrics:file:chunk:a:0:1";
    let start = ExecutionStart { execution_id: id, ..START };
    assert_eq!(log.start_execution(&start).unwrap(), 1);
    let chunk = CodeChunk::new("execlog:metrics:symbol:1", 0, 1, "");
    assert_eq!(chunks.store_chunk(&chunk).unwrap(), 1);
    assert_eq!(metrics.get_file_metrics("chunk:a:0:1").unwrap(), None);
    assert_eq!(metrics.get_symbol_metrics(1).unwrap(), None);
    assert_eq!(chunks.count_chunks().unwrap(), 1);
    assert_eq!(log.list_all(None).unwrap().len(), 1);
    assert!(log.has_kv_backend() && chunks.has_kv_backend() && metrics.has_kv_backend());
    let mut keys = 0;
    let mut count = |_: chunkmigrate::kv::Entry<'_>| {
        keys += 1;
        Ok(true)
    };
    backend.scan_prefix(b"", &mut count).unwrap();
    assert_eq!(keys, 2);
}
