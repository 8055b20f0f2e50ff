//! Another process acts in the target's directory during a copy: what it did is kept.

use std::fs;
use std::sync::{Barrier, Mutex, PoisonError};

use chunkmigrate::internal::KvReader;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::record::RecordKind;
use chunkmigrate::{Error, Progress, ProgressSink, Stage};
use rusqlite::Connection;

use crate::common::Scenario;

/// Acts once, when the first records are copied.
struct Meanwhile<F>(Mutex<Option<F>>);

impl<F: FnOnce() + Send> ProgressSink for Meanwhile<F> {
    fn start(&self, stage: Stage, _: Option<u64>) {
        if stage == Stage::Copy(RecordKind::Chunk) {
            let act = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            act.into_iter().for_each(|act| act());
        }
    }
}

fn meanwhile<F: FnOnce() + Send + 'static>(act: F) -> Progress {
    Progress::new(Meanwhile(Mutex::new(Some(act))))
}

fn replacing() -> CopyOptions {
    CopyOptions::default().replace(true)
}

#[test]
fn a_target_that_appears_meanwhile_is_not_overwritten() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("new");
    for to_kv in [true, false] {
        let theirs = target.clone();
        let progress = meanwhile(move || fs::write(theirs, "theirs").unwrap());
        let options = CopyOptions::default();
        let copied = match to_kv {
            true => sqlite_to_kv(&scenario.path("code.db"), &target, &options, &progress),
            false => kv_to_sqlite(&scenario.path("code.kv"), &target, &options, &progress),
        };
        let error = copied.unwrap_err();
        assert!(matches!(error, Error::TargetExists { .. }), "{error}");
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        fs::remove_file(&target).unwrap();
        assert_eq!(scenario.files().len(), 2);
    }
}

#[test]
fn a_target_that_becomes_something_else_meanwhile_is_not_replaced() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("old.kv");
    fs::copy(scenario.path("code.kv"), &target).unwrap();
    let theirs = target.clone();
    let progress = meanwhile(move || fs::write(theirs, "dear diary").unwrap());
    let copied = sqlite_to_kv(&scenario.path("code.db"), &target, &replacing(), &progress);
    let error = copied.unwrap_err();
    assert!(matches!(error, Error::NotReplaceable { .. }), "{error}");
    assert_eq!(fs::read(&target).unwrap(), b"dear diary");
    assert_eq!(scenario.files().len(), 3);
}

#[test]
fn a_target_that_becomes_a_directory_meanwhile_is_kept() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("old.kv");
    fs::copy(scenario.path("code.kv"), &target).unwrap();
    let theirs = target.clone();
    let progress = meanwhile(move || {
        fs::remove_file(&theirs).unwrap();
        fs::create_dir(&theirs).unwrap();
    });
    let copied = sqlite_to_kv(&scenario.path("code.db"), &target, &replacing(), &progress);
    let error = copied.unwrap_err();
    let is_told = matches!(error, Error::NotAFile { .. } | Error::Io { .. });
    assert!(is_told, "{error:?}");
    assert!(target.is_dir());
    assert_eq!(scenario.files().len(), 3);
}

#[test]
fn a_database_that_is_opened_meanwhile_is_not_replaced() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("old.db");
    fs::copy(scenario.path("code.db"), &target).unwrap();
    let before = fs::read(&target).unwrap();
    let side = scenario.path("old.db-wal");
    let theirs = target.clone();
    let progress = meanwhile(move || {
        let db = Connection::open(theirs).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch("UPDATE code_chunks SET content = 'theirs'").unwrap();
        // Never closed, as by a process that keeps running.
        std::mem::forget(db);
    });
    let copied = kv_to_sqlite(&scenario.path("code.kv"), &target, &replacing(), &progress);
    let error = copied.unwrap_err();
    assert!(matches!(error, Error::StaleSidecar { .. }), "{error}");
    assert!(side.exists() && fs::read(&target).unwrap() != before);
}

#[test]
fn a_directory_removed_meanwhile_is_an_error_and_not_recreated() {
    let scenario = Scenario::with_small_pair();
    let folder = scenario.path("out");
    fs::create_dir(&folder).unwrap();
    let theirs = folder.clone();
    let progress = meanwhile(move || fs::remove_dir_all(theirs).unwrap());
    let target = folder.join("new.kv");
    let options = CopyOptions::default();
    let copied = sqlite_to_kv(&scenario.path("code.db"), &target, &options, &progress);
    let error = copied.unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert_eq!(scenario.files().len(), 2);
}

#[test]
fn of_two_copies_to_one_name_one_is_complete_and_the_other_an_error() {
    let scenario = Scenario::with_small_pair();
    let (source, target) = (scenario.path("code.db"), scenario.path("new.kv"));
    let start = Barrier::new(2);
    let copy = || {
        start.wait();
        let progress = Progress::none();
        sqlite_to_kv(&source, &target, &CopyOptions::default(), &progress)
    };
    let results = std::thread::scope(|scope| {
        let other = scope.spawn(copy);
        [copy(), other.join().unwrap()]
    });
    let failures: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
    let [failure] = <[Error; 1]>::try_from(failures).unwrap();
    let error = failure;
    assert!(matches!(error, Error::TargetExists { .. }), "{error}");
    assert_eq!(KvReader::open_verified(&target).unwrap().key_count().unwrap(), 8);
    assert_eq!(scenario.files().len(), 3);
}
