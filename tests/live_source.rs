//! A database that is written all the time: what is copied or verified is one state of it, and in
//! WAL mode its writer never waits.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::verify::{VerifyOptions, verify_round_trip};
use chunkmigrate::{Progress, ProgressSink, Stage};
use rusqlite::Connection;

use crate::common::tables::insert_chunks;
use crate::common::{Run, Scenario, kv};

const CHUNKS: i64 = 1000;

/// How a writer works.
#[derive(Debug, Clone, Copy)]
struct Writer {
    journal_mode: &'static str,
    /// Whether it opens the database again for each transaction, as a command does that is run
    /// repeatedly.
    reopens: bool,
}

/// One transaction. In every state chunk 1 and chunk 999 contain the number of transactions, and so
/// do each file's metrics; those of the symbol contain twice that number, negated. A chunk moves to
/// another key and another id, so that the number of chunks stays the same.
const TRANSACTION: &str = "
    BEGIN IMMEDIATE;
    UPDATE code_chunks SET created_at = created_at + 1 WHERE id IN (1, 999);
    DELETE FROM code_chunks WHERE file_path = 'moving';
    INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash, created_at)
    SELECT 'moving', created_at, created_at, 'text', 'hash', 0 FROM code_chunks WHERE id = 1;
    UPDATE file_metrics SET loc = loc + 1;
    UPDATE symbol_metrics SET loc = loc - 2;
    COMMIT;";

fn open(path: &Path, writer: Writer) -> Connection {
    let db = Connection::open(path).unwrap();
    // In WAL mode a reader never makes it wait: then its first lock conflict is a failure. Opening
    // and closing such a database takes locks that others may hold for a moment.
    let waits = writer.journal_mode != "WAL" || writer.reopens;
    let wait = if waits { 60 } else { 0 };
    db.busy_timeout(Duration::from_secs(wait)).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF").unwrap();
    db
}

fn make(path: &Path, writer: Writer) {
    let db = open(path, writer);
    db.pragma_update(None, "journal_mode", writer.journal_mode).unwrap();
    chunkmigrate::internal::create_tables(&db).unwrap();
    insert_chunks(&db, CHUNKS);
    db.execute_batch(
        "INSERT INTO code_chunks VALUES (5000, 'moving', 0, 0, 'text', 'hash', NULL, NULL, 0);
         INSERT INTO symbol_metrics VALUES (1, 'f', 'F', 'a', 0, 0, 0, 0, 0, 0);
         INSERT INTO file_metrics VALUES ('a', 0, 0, 0, 0, 0, 0, 0);
         UPDATE code_chunks SET created_at = 0;",
    )
    .unwrap();
    db.close().unwrap();
}

/// Runs commands while a writer commits as fast as it can. Returns how many transactions it
/// committed meanwhile.
fn during_writes(path: &Path, writer: Writer, commands: impl FnOnce(&AtomicU64)) {
    let (stop, commits) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (stop, commits) = (&stop, &commits);
        // Even if an assertion fails: the writer would never end otherwise.
        let _stopper = StopOnDrop(stop);
        scope.spawn(move || {
            let mut db = open(path, writer);
            while !stop.load(Ordering::Relaxed) {
                db.execute_batch(TRANSACTION).unwrap();
                commits.fetch_add(1, Ordering::Relaxed);
                if writer.reopens {
                    db.close().unwrap();
                    db = open(path, writer);
                }
            }
        });
        commands(commits);
    });
}

struct StopOnDrop<'s>(&'s AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fails if a KV file contains anything but one state of the database.
fn check_state(path: &Path, what: &str) {
    let records = kv::records(path);
    let number = |key: &str, field: &str| {
        let record: serde_json::Value = serde_json::from_str(&records[key]).unwrap();
        record[field].as_i64().unwrap()
    };
    let chunk = |id: i64| {
        let (file, start) = (format!("src/file_{}.rs", id % 50), id * 10);
        number(&format!("chunk:{file}:{start}:{}", start + 5), "created_at")
    };
    let commits = chunk(1);
    assert_eq!(chunk(999), commits, "{what}");
    assert_eq!(number("metrics:file:a", "loc"), commits, "{what}");
    assert_eq!(number("metrics:symbol:1", "loc"), -2 * commits, "{what}");
    let moving = format!("chunk:moving:{commits}:{commits}");
    assert!(records.contains_key(&moving), "{what}: no {moving}");
    assert_eq!(records.len() as i64, CHUNKS + 3, "{what}");
}

/// Commands that read the database, each with its target.
fn round(number: usize) -> [(Vec<String>, Option<String>); 5] {
    let target = format!("{number}.kv");
    [
        ("sqlite-to-kv live.db TARGET", true),
        ("verify live.db", false),
        ("sqlite-to-kv live.db TARGET --replace", true),
        ("sqlite-to-kv live.db TARGET --merge", false),
        ("inspect live.db", false),
    ]
    .map(|(command, makes_target)| {
        let command = command.replace("TARGET", &target);
        let args = command.split(' ').map(str::to_owned).collect();
        (args, makes_target.then(|| target.clone()))
    })
}

fn run(scenario: &Scenario, args: &[String]) -> Run {
    scenario.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_copy_or_round_trip_during_writes_is_one_state_of_the_database() {
    for journal_mode in ["WAL", "DELETE"] {
        let writer = Writer { journal_mode, reopens: false };
        let scenario = Scenario::new();
        let path = scenario.path("live.db");
        make(&path, writer);
        during_writes(&path, writer, |commits| {
            let mut meanwhile = 0;
            for number in 0..1 {
                for (args, target) in round(number) {
                    let before = commits.load(Ordering::Relaxed);
                    let run = run(&scenario, &args).expect_status(0);
                    meanwhile += commits.load(Ordering::Relaxed) - before;
                    let what = format!("{writer:?} {args:?}: {run}");
                    if let Some(target) = target {
                        check_state(&scenario.path(&target), &what);
                    }
                }
            }
            assert!(meanwhile > 0, "{writer:?} was starved");
        });
    }
}

/// While a writer opens and closes the database all the time, a `-wal` and a `-shm` come and go,
/// and there may be no moment in which it can be read. That is reported, and never ignored.
#[test]
fn a_copy_while_a_writer_comes_and_goes_is_one_state_or_an_error() {
    let mut done = 0;
    for journal_mode in ["WAL", "DELETE"] {
        let writer = Writer { journal_mode, reopens: true };
        let scenario = Scenario::new();
        let path = scenario.path("live.db");
        make(&path, writer);
        during_writes(&path, writer, |_| {
            for number in 0..2 {
                for (args, target) in round(number) {
                    let run = run(&scenario, &args);
                    let what = format!("{writer:?} {args:?}: {run}");
                    match run.status {
                        0 => done += 1,
                        status => {
                            assert_eq!(status, 2, "{what}");
                            let is_reported =
                                run.stderr.contains("changed while it was being read");
                            assert!(is_reported, "{what}");
                        }
                    }
                    if let Some(target) = target.filter(|target| scenario.path(target).exists()) {
                        check_state(&scenario.path(&target), &what);
                    }
                }
            }
        });
    }
    assert!(done > 0);
}

/// Overwrites a byte of a file whenever a stage begins, ignoring all locks.
struct Overwriter(PathBuf);

impl ProgressSink for Overwriter {
    fn start(&self, _: Stage, _: Option<u64>) {
        let file = File::options().read(true).write(true).open(&self.0);
        let file = file.unwrap();
        let end = file.metadata().unwrap().len() - 1;
        let mut byte = [0];
        file.read_exact_at(&mut byte, end).unwrap();
        file.write_all_at(&[!byte[0]], end).unwrap();
    }
}

/// As copying a file over the source does.
#[test]
fn a_source_overwritten_despite_its_locks_is_an_error_and_creates_no_target() {
    let scenario = Scenario::with_small_pair();
    let before: Vec<String> = scenario.files().into_keys().collect();
    let target = scenario.path("new");
    let options = CopyOptions::default();
    for name in ["code.db", "code.kv"] {
        let path = scenario.path(name);
        let progress = Progress::new(Overwriter(path.clone()));
        let copied = match name {
            "code.db" => sqlite_to_kv(&path, &target, &options, &progress),
            _ => kv_to_sqlite(&path, &target, &options, &progress),
        };
        let message = copied.unwrap_err().to_string();
        assert!(message.contains("changed while it was being read"), "{message}");
        let verified = verify_round_trip(&path, &VerifyOptions::default(), &progress);
        let message = verified.unwrap_err().to_string();
        assert!(message.contains("changed while it was being read"), "{message}");
    }
    let after: Vec<String> = scenario.files().into_keys().collect();
    assert_eq!(after, before);
}
