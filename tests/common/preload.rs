//! C code between a program and the system, for conditions that no test can produce otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::{Run, Scenario};

/// A library that is compiled on first use.
pub(crate) struct Preload {
    source: &'static str,
    compiled: OnceLock<(PathBuf, TempDir)>,
}

impl Preload {
    pub(crate) const fn new(source: &'static str) -> Self {
        Preload { source, compiled: OnceLock::new() }
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

/// Writes the highest memory that the program had resident to the file `PEAK`, in KiB. What the
/// system reports of a child process can't be less than the memory of the process that started it.
static PEAK_MEMORY: Preload = Preload::new(
    "#include <stdio.h>
     #include <stdlib.h>
     __attribute__((destructor)) static void report(void) {
         FILE *status = fopen(\"/proc/self/status\", \"r\"), *peak = fopen(getenv(\"PEAK\"), \"w\");
         char line[256];
         long kib;
         while (status && peak && fgets(line, sizeof line, status))
             if (sscanf(line, \"VmHWM: %ld kB\", &kib) == 1) fprintf(peak, \"%ld\", kib);
         if (peak) fclose(peak);
     }",
);

/// The highest memory of a run, in KiB.
pub(crate) fn peak_kib(scenario: &Scenario, args: &[&str], status: i32) -> u64 {
    let folder = TempDir::new().unwrap();
    let peak = folder.path().join("peak");
    let mut command = scenario.command(args);
    command.env("LD_PRELOAD", PEAK_MEMORY.path());
    command.env("PEAK", &peak);
    let _ = Run::of(command.output().unwrap()).expect_status(status);
    fs::read_to_string(peak).unwrap().parse().unwrap()
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
