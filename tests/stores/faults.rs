//! A storage that fails at one step, or from one step on, at every step of every operation. The
//! failure is returned as that failure: never as "not found", never as an answer from elsewhere.
//! Afterwards the storage contains the state before the operation or the one after it.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chunkmigrate::Error;
use chunkmigrate::kv::RedbBackend;
use chunkmigrate::record::{CodeChunk, FileMetrics};
use chunkmigrate::redb::{Database, StorageBackend};
use chunkmigrate::store::HotspotQuery;
use test_support::records::{file_metrics, symbol_metrics};

use crate::modes::Stores;
use crate::operation::{Answer, End, Operation};

const INJECTED: &str = "the disk is gone";

/// A storage in memory whose steps are counted.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    steps: usize,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    at: usize,
    /// Whether all later steps fail too.
    lasts: bool,
}

impl Disk {
    fn with(bytes: &[u8]) -> Self {
        let disk = Disk::default();
        disk.0.lock().unwrap().bytes = bytes.to_vec();
        disk
    }

    /// Counts from here on, and fails as configured.
    fn arm(&self, fault: Option<Fault>) {
        let mut state = self.0.lock().unwrap();
        state.steps = 0;
        state.fault = fault;
    }

    fn steps(&self) -> usize {
        self.0.lock().unwrap().steps
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    /// A store on this disk; redb caches nothing that it can read from there.
    fn open(&self) -> chunkmigrate::Result<Stores> {
        let mut builder = Database::builder();
        builder.set_cache_size(0);
        let path = Path::new("code.kv");
        let database = builder
            .create_with_backend(self.clone())
            .map_err(|error| chunkmigrate::Error::Backend(Box::new(error)))?;
        let backend = RedbBackend::from_database(database, path)?;
        Ok(Stores::in_kv("redb", Arc::new(backend)))
    }

    fn step<T>(&self, step: impl FnOnce(&mut Vec<u8>) -> T) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        let this = state.steps;
        state.steps += 1;
        match state.fault {
            Some(fault) if this == fault.at || (fault.lasts && this > fault.at) => {
                Err(io::Error::other(INJECTED))
            }
            _ => Ok(step(&mut state.bytes)),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.step(|bytes| bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.step(|bytes| out.copy_from_slice(&bytes[start..start + out.len()]))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step(|bytes| bytes.resize(usize::try_from(len).unwrap(), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(|_| ())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.step(|bytes| bytes[start..start + data.len()].copy_from_slice(data))
    }
}

fn chunk(file_path: &str, byte_start: u64) -> CodeChunk {
    CodeChunk::new(file_path, byte_start, byte_start + 10, "content ".repeat(300))
        .with_symbol("main", "Function")
}

fn file(file_path: &str, loc: i64) -> FileMetrics {
    FileMetrics { loc: Some(loc), complexity_score: Some(1.5), ..file_metrics(file_path) }
}

/// A disk with records of every kind on several pages.
fn prepared() -> Vec<u8> {
    let disk = Disk::default();
    let stores = disk.open().unwrap();
    for operation in [
        Operation::StoreChunks((0..12).map(|start| chunk("a", start)).collect()),
        Operation::StoreChunks((0..12).map(|start| chunk("a:b", start)).collect()),
        Operation::UpsertFileMetrics(file("a", 3)),
        Operation::UpsertSymbolMetrics(symbol_metrics(1, "a")),
        Operation::UpsertSymbolMetrics(symbol_metrics(2, "a:b")),
        Operation::StartExecution(0, "run", vec!["index".to_owned()]),
    ] {
        operation.run(&stores).unwrap();
    }
    drop(stores);
    disk.bytes()
}

fn reads() -> Vec<Operation> {
    vec![
        Operation::GetChunkBySpan("a", 3, 13),
        Operation::GetChunksForFile("a"),
        Operation::GetChunksForSymbol("a:b", "main"),
        Operation::GetChunksByKind("Function"),
        Operation::CountChunks,
        Operation::CountChunksForFile("a"),
        Operation::GetFileMetrics("a"),
        Operation::GetSymbolMetrics(1),
        Operation::GetHotspots(HotspotQuery::default()),
        Operation::GetByExecutionId("run"),
        Operation::ListAll(None),
    ]
}

fn writes() -> Vec<Operation> {
    let end = End { outcome: "success", error_message: None, counts: [1, 2, 3] };
    vec![
        Operation::StoreChunk(chunk("a", 3)),
        Operation::StoreChunks((100..108).map(|start| chunk("b", start)).collect()),
        Operation::DeleteChunksForFile("a"),
        Operation::UpsertFileMetrics(file("a", 4)),
        Operation::UpsertSymbolMetrics(symbol_metrics(3, "a")),
        Operation::DeleteFileMetrics("a"),
        Operation::StartExecution(0, "another", Vec::new()),
        Operation::FinishExecution(0, "run", end),
    ]
}

/// The whole content of a store.
fn state(stores: &Stores) -> Vec<Answer> {
    let all = [
        Operation::GetChunksByKind("Function"),
        Operation::GetHotspots(HotspotQuery::default()),
        Operation::GetSymbolMetrics(1),
        Operation::GetSymbolMetrics(2),
        Operation::GetSymbolMetrics(3),
        Operation::ListAll(None),
    ];
    all.iter().map(|operation| operation.run(stores)).collect()
}

/// The answer of an operation on an intact disk, the resulting state, and its number of steps.
fn undisturbed(image: &[u8], operation: &Operation) -> (Answer, Vec<Answer>, usize) {
    let disk = Disk::with(image);
    let stores = disk.open().unwrap();
    disk.arm(None);
    let answer = operation.run(&stores);
    let steps = disk.steps();
    (answer, state(&stores), steps)
}

fn sweep(operation: &Operation) -> usize {
    let image = prepared();
    let before = state(&Disk::with(&image).open().unwrap());
    let (expected, behind, steps) = undisturbed(&image, operation);
    assert!(expected.is_ok(), "{operation:?}: {expected:?}");
    assert!(steps > 0, "{operation:?} never comes to the disk");
    let mut failed = 0;
    for at in 0..steps {
        for lasts in [false, true] {
            let disk = Disk::with(&image);
            let stores = disk.open().unwrap();
            disk.arm(Some(Fault { at, lasts }));
            let result = operation.try_run(&stores);
            disk.arm(None);
            let place = format!("{operation:?}, step {at} of {steps}, lasting: {lasts}");
            match result {
                Ok(answer) => assert_eq!(Ok(answer), expected, "{place}"),
                Err(error) => {
                    failed += 1;
                    assert!(causes(&error).contains(INJECTED), "{place}: {error:?}");
                }
            }
            // The same handle: redb may refuse to continue, but never answers wrongly.
            for (read, found) in state(&stores).into_iter().enumerate() {
                if found.is_ok() {
                    assert!(found == before[read] || found == behind[read], "{place}: {found:?}");
                }
            }
            drop(stores);
            // The next process to open what is on the disk.
            let found = state(&Disk::with(&disk.bytes()).open().unwrap());
            assert!(found == before || found == behind, "{place}: half of it is there");
        }
    }
    failed
}

fn causes(error: &chunkmigrate::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[test]
fn a_store_with_a_failed_write_says_it_must_be_reopened() {
    let write = &writes()[0];
    let image = prepared();
    let (_, behind, steps) = undisturbed(&image, write);
    let disk = Disk::with(&image);
    let stores = disk.open().unwrap();
    let before = state(&stores);
    // The disk is full for a while.
    let at = steps - 1;
    disk.arm(Some(Fault { at, lasts: true }));
    assert!(write.try_run(&stores).is_err());
    disk.arm(None);
    let error = write.try_run(&stores).unwrap_err();
    assert!(matches!(error, Error::MustReopen { .. }), "{error:?}");
    drop(stores);
    let stores = Disk::with(&disk.bytes()).open().unwrap();
    let found = state(&stores);
    assert!(found == before || found == behind);
    assert!(write.try_run(&stores).is_ok());
}

#[test]
fn a_failing_read_is_always_an_error() {
    for operation in reads() {
        assert!(sweep(&operation) > 0, "no step of {operation:?} failed");
    }
}

#[test]
fn a_failing_write_leaves_the_old_state_or_the_new_one() {
    for operation in writes() {
        assert!(sweep(&operation) > 0, "no step of {operation:?} failed");
    }
}

#[test]
fn a_disk_failing_while_a_store_is_opened_is_an_error_and_loses_nothing() {
    let image = prepared();
    let expected = state(&Disk::with(&image).open().unwrap());
    let failed = sweep_open(&image, |disk, place| {
        assert_eq!(state(&disk.open().unwrap()), expected, "{place}");
    });
    assert!(failed > 0);
}

/// A new file gets its name when it is complete, so how an incomplete one reads doesn't matter.
#[test]
fn a_disk_failing_while_a_store_is_created_is_an_error() {
    assert!(sweep_open(&[], |_, _| {}) > 0);
}

/// Opens a disk that fails at each step in turn; returns how often that was an error.
fn sweep_open(image: &[u8], check: impl Fn(&Disk, &str)) -> usize {
    let disk = Disk::with(image);
    disk.arm(None);
    drop(disk.open().unwrap());
    let steps = disk.steps();
    let mut failed = 0;
    for at in 0..steps {
        let place = format!("step {at} of {steps}");
        let disk = Disk::with(image);
        disk.arm(Some(Fault { at, lasts: true }));
        if let Err(error) = disk.open() {
            failed += 1;
            assert!(causes(&error).contains(INJECTED), "{place}: {error:?}");
        }
        disk.arm(None);
        check(&disk, &place);
    }
    failed
}
