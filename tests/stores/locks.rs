//! A store that was read is free for its writer, whatever other threads do.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chunkmigrate::internal::KvReader;
use chunkmigrate::kv::RedbBackend;
use chunkmigrate::migrate::{CopyOptions, sqlite_to_kv};
use chunkmigrate::record::CodeChunk;
use chunkmigrate::store::ChunkStore;
use chunkmigrate::verify::{InspectOptions, VerifyOptions, inspect, verify_pair};
use chunkmigrate::{Progress, ProgressSink};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use test_support::folder;

/// Duplicates the descriptors of all files in a directory that this process has open, as starting a
/// process in another thread does.
fn inherited(folder: &Path) -> Vec<OwnedFd> {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let mut inherited = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        if fs::read_link(entry.path()).is_ok_and(|file| file.starts_with(folder)) {
            let fd = entry.file_name().to_str().unwrap().parse().unwrap();
            inherited.push(pidfd_getfd(&own, fd, PidfdGetfdFlags::empty()).unwrap());
        }
    }
    inherited
}

/// Simulates starting a process each time that progress is reported.
struct Starts {
    folder: PathBuf,
    inherited: Mutex<Vec<OwnedFd>>,
}

impl ProgressSink for Starts {
    fn inc(&self, _: u64) {
        self.inherited.lock().unwrap().extend(inherited(&self.folder));
    }
}

#[test]
fn a_lock_ends_with_the_read_even_if_a_child_process_inherited_the_file() {
    let folder = folder::private();
    let folder = folder.path();
    let (database, kv) = (folder.join("code.db"), folder.join("code.kv"));
    let chunk = CodeChunk::new("a", 0, 1, "x");
    ChunkStore::new(&database).unwrap().store_chunk(&chunk).unwrap();
    let quiet = Progress::none();
    let summary = sqlite_to_kv(&database, &kv, &CopyOptions::default(), &quiet).unwrap();
    assert!(summary.is_complete());

    let file = KvReader::open_verified(&kv).unwrap();
    let held = inherited(folder);
    assert!(!held.is_empty());
    assert!(RedbBackend::open(&kv).is_err(), "it is locked while it is read");
    drop(file);
    drop(RedbBackend::open(&kv).unwrap());

    let starts = Arc::new(Starts { folder: folder.to_owned(), inherited: Mutex::default() });
    let progress = Progress::from(starts.clone());
    let report = verify_pair(&database, &kv, &VerifyOptions::default(), &progress).unwrap();
    assert!(report.is_identical());
    drop(RedbBackend::open(&kv).unwrap());
    assert!(inspect(&kv, &InspectOptions::default(), &progress).unwrap().is_sound());
    assert!(!starts.inherited.lock().unwrap().is_empty());
    drop(RedbBackend::open(&kv).unwrap());
    // Replacing it only checks whether it is locked.
    let replace = CopyOptions::default().replace(true);
    assert!(sqlite_to_kv(&database, &kv, &replace, &progress).unwrap().is_complete());
    drop(RedbBackend::open(&kv).unwrap());
}
