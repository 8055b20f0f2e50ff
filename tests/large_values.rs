//! Every command handles a large record within the documented memory: six times its size.

use std::process::Command;

use crate::common::hostile_file::Outcome::Copied;
use crate::common::hostile_file::{HostileFile, database};
#[cfg(target_os = "linux")]
use crate::common::preload::peak_kib;
use crate::common::{PROGRAM, Run, Scenario};

/// What a run maps besides its records: program, libraries, caches, the stacks of its threads.
const PROGRAM_MIB: u32 = 96;

fn check_every_command(mib: u32) {
    let fill = format!(
        "INSERT INTO code_chunks VALUES (50, 'big.rs', 0, 1,
             replace(hex(zeroblob({mib} << 19)), '00', 'ab'), 'h', NULL, NULL, 7)"
    );
    let hostile = HostileFile::by_database(|path| database(path, &fill, &[]));
    hostile.within_mib(PROGRAM_MIB + 6 * mib).assert_read_as("a large chunk", Copied);
}

#[test]
fn a_4_mib_chunk_is_read_within_six_times_its_size() {
    check_every_command(4);
}

#[test]
#[ignore = "deep: 600 MiB of memory for a minute"]
fn a_100_mib_chunk_is_read_within_six_times_its_size() {
    check_every_command(100);
}

/// A table of eight large blobs, and one of many small rows that are sorted by their keys.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "deep: copies and compares 128 MiB"]
fn many_large_blobs_take_the_memory_of_a_few() {
    const BLOB_MIB: u64 = 16;
    let scenario = Scenario::new();
    scenario.bare_database("all.db", |db| {
        db.execute_batch(&format!(
            "CREATE TABLE files (name TEXT PRIMARY KEY, content BLOB);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8)
             INSERT INTO files SELECT 'file ' || (i * 3 % 8), randomblob({BLOB_MIB} << 20) FROM n;
             CREATE TABLE words (word TEXT, file INTEGER, PRIMARY KEY (word, file)) WITHOUT ROWID;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO words SELECT 'word ' || (i * 7919 % 200003), i FROM n;
             CREATE TABLE marks (id INTEGER PRIMARY KEY, mark);
             INSERT INTO marks SELECT file, word FROM words;
             CREATE INDEX marks_by_mark ON marks (mark)"
        ))
        .unwrap();
    });
    for args in [
        &["sqlite-to-kv", "all.db", "all.kv", "--tables", "all", "--jobs", "64"][..],
        &["kv-to-sqlite", "all.kv", "back.db", "--jobs", "64"],
        &["verify", "all.db", "back.db", "--tables", "all", "--jobs", "1"],
        &["verify", "all.kv", "--jobs", "64"],
    ] {
        let mib = peak_kib(&scenario, args, 0) >> 10;
        assert!(mib <= 6 * BLOB_MIB + 64, "{args:?}: {mib} MiB");
    }
}

/// The memory that a report of large values takes does not depend on their number.
#[test]
#[ignore = "deep: compares 120 values of 1 MiB"]
fn a_report_with_many_large_values_stays_within_the_same_memory() {
    let scenario = Scenario::new();
    for (name, end) in [("left.db", "x"), ("right.db", "y")] {
        scenario.database(name, |db| {
            let fill = format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
                 INSERT INTO code_chunks SELECT i, 'a', i, i + 1,
                     replace(hex(zeroblob(1 << 19)), '00', 'ab') || '{end}', 'h', NULL, NULL, 7 FROM n"
            );
            db.execute_batch(&fill).unwrap();
        });
    }
    let mut command = Command::new("prlimit");
    command.current_dir(scenario.folder());
    command.arg(format!("--as={}", 256 << 20));
    command.args([PROGRAM, "verify", "left.db", "right.db", "--format", "json"]);
    command.args(["--limit", "1000", "--html", "page.html"]);
    let json = Run::of(command.output().unwrap()).expect_status(1).json();
    assert_eq!(json["truncated"], false);
    let findings = json["findings"].as_array().unwrap();
    let contents = findings.iter().flat_map(|finding| finding["fields"].as_array().unwrap());
    let (full, short): (Vec<_>, Vec<_>) = contents.partition(|field| field["left"].is_string());
    // As many as fit, and for the others what differs and how long they are.
    assert_eq!((full.len(), short.len()), (7, 53));
    for field in short {
        assert_eq!(field["left"]["bytes"], (1 << 20) + 1, "{field}");
        assert!(field["left"]["excerpt"].as_str().unwrap().ends_with('x'), "{field}");
    }
    let page = std::fs::read_to_string(scenario.path("page.html")).unwrap();
    assert!(page.contains("bytes, from byte"), "{}", page.len());
}
