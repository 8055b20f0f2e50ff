//! C code between a program and the system, for conditions that no test can produce otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// A library that is compiled on first use.
pub(crate) struct Preload {
    source: &'static str,
    compiled: OnceLock<(PathBuf, TempDir)>,
}

impl Preload {
    pub(crate) const fn new(source: &'static str) -> Self {
        Preload {
            source,
            compiled: OnceLock::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        let (path, _) = self.compiled.get_or_init(|| {
            let folder = TempDir::new().unwrap();
            let source = folder.path().join("preload.c");
            let path = folder.path().join("preload.so");
            fs::write(&source, self.source).unwrap();
            let compiled = Command::new("cc")
                .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
                .args([&path, &source])
                .status();
            assert!(compiled.unwrap().success(), "it can't be compiled");
            assert!(path.exists());
            (path, folder)
        });
        path
    }
}

/// A clock that runs fifty times as fast, for waits that would take seconds.
pub(crate) static FAST_CLOCK: Preload = Preload::new(
    "#define _GNU_SOURCE
     #include <sys/syscall.h>
     #include <time.h>
     #include <unistd.h>
     int clock_gettime(clockid_t id, struct timespec *time) {
         int result = syscall(SYS_clock_gettime, id, time);
         if (id != CLOCK_MONOTONIC) return result;
         long long passed = (time->tv_sec * 1000000000LL + time->tv_nsec) * 50;
         time->tv_sec = passed / 1000000000;
         time->tv_nsec = passed % 1000000000;
         return result;
     }",
);
