//! The cost of a record, counted and not timed: a change that makes everything ten times slower
//! shows on any machine. `docs/performance.md` has the times.
//!
//! A separate binary with one test, because the counters are those of the whole process.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::fs;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::verify::{VerifyOptions, verify_pair};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use test_support::big_database::generate;
use test_support::folder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Records of each of two kinds.
const RECORDS: usize = 10_000;

// At most one and a half times what was counted when the limits were set.

const COPY: Effort = Effort {
    allocations: 8.5,
    allocated: 8000.0,
    reads: 0.39,
    read: 2400.0,
    writes: 0.03,
    written: 830.0,
};

const VERIFY: Effort = Effort {
    allocations: 5.3,
    allocated: 6400.0,
    reads: 0.42,
    read: 4400.0,
    writes: 0.01,
    written: 1.0,
};

const COPY_BACK: Effort = Effort {
    allocations: 4.7,
    allocated: 7800.0,
    reads: 0.32,
    read: 4000.0,
    writes: 0.17,
    written: 700.0,
};

/// The cost of one record.
#[derive(Debug)]
struct Effort {
    /// Allocations and reallocations, without SQLite's own.
    allocations: f64,
    /// Bytes allocated.
    allocated: f64,
    /// Calls that read or write a file, and the bytes they move.
    reads: f64,
    read: f64,
    writes: f64,
    written: f64,
}

impl Effort {
    fn of(work: impl FnOnce()) -> Self {
        let region = Region::new(ALLOCATOR);
        let before = Io::now();
        work();
        let after = Io::now();
        let change = region.change();
        let each = |count: u64| count as f64 / (2 * RECORDS) as f64;
        Effort {
            allocations: each((change.allocations + change.reallocations) as u64),
            allocated: each(change.bytes_allocated as u64),
            reads: each(after.syscr - before.syscr),
            read: each(after.rchar - before.rchar),
            writes: each(after.syscw - before.syscw),
            written: each(after.wchar - before.wchar),
        }
    }

    /// Each figure with the same figure of a limit.
    fn with_limit<'e>(&'e self, limit: &'e Effort) -> [(&'static str, f64, f64); 6] {
        [
            ("allocations", self.allocations, limit.allocations),
            ("bytes allocated", self.allocated, limit.allocated),
            ("reads", self.reads, limit.reads),
            ("bytes read", self.read, limit.read),
            ("writes", self.writes, limit.writes),
            ("bytes written", self.written, limit.written),
        ]
    }
}

/// What the kernel counted for this process.
#[derive(Debug)]
struct Io {
    rchar: u64,
    wchar: u64,
    syscr: u64,
    syscw: u64,
}

impl Io {
    fn now() -> Self {
        let table = fs::read_to_string("/proc/self/io").unwrap();
        let of = |name: &str| -> u64 {
            let line = table.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim_start_matches(':').trim().parse().unwrap()
        };
        Io { rchar: of("rchar"), wchar: of("wchar"), syscr: of("syscr"), syscw: of("syscw") }
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "counts of the kernel are Linux's")]
fn no_record_costs_more_than_before() {
    let folder = folder::private();
    let [database, kv, back] = ["code.db", "code.kv", "back.db"].map(|n| folder.path().join(n));
    generate(&database, RECORDS).unwrap();
    let progress = Progress::none();
    let options = CopyOptions::default();

    let copy = Effort::of(|| {
        let summary = sqlite_to_kv(&database, &kv, &options, &progress).unwrap();
        assert!(summary.is_complete());
    });
    let verify = Effort::of(|| {
        let report = verify_pair(&database, &kv, &VerifyOptions::default(), &progress).unwrap();
        assert!(report.is_identical());
    });
    let copy_back = Effort::of(|| {
        let summary = kv_to_sqlite(&kv, &back, &options, &progress).unwrap();
        assert!(summary.is_complete());
    });

    let mut table = String::new();
    for (name, effort, limit) in [
        ("sqlite-to-kv", &copy, &COPY),
        ("verify", &verify, &VERIFY),
        ("kv-to-sqlite", &copy_back, &COPY_BACK),
    ] {
        for (what, is, limit) in effort.with_limit(limit) {
            let verdict = if is <= limit { "" } else { "  TOO MUCH" };
            table += &format!("{name:13} {what:16} {is:9.2} of {limit:9.2}{verdict}\n");
        }
    }
    println!("{table}");
    assert!(!table.contains("TOO MUCH"), "a record costs more than it may:\n{table}");
}
