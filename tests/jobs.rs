//! The number of threads changes neither results nor memory.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use rusqlite::Connection;
use test_support::big_database::generate;
use test_support::kv_file::Content;

use crate::common::preload::{Preload, peak_kib};
use crate::common::{Run, Scenario};
use crate::environment::{CLOCK, run_with};

/// What a batch of records holds at most.
const BATCH_BYTES: usize = 512 << 10;

/// Records of every kind, the chunks in many batches.
fn fill(db: &Connection) {
    db.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
         INSERT INTO code_chunks SELECT i, 'src/' || (i % 7) || '.rs', i, i + 1,
             CASE i % 6 WHEN 0 THEN hex(zeroblob(60000)) ELSE 'fn f' || i || '() {' || char(10) || '}' END,
             'hash', 'f' || i, NULL, 7 FROM n;
         INSERT INTO execution_log SELECT id, 'run-' || id, '4', '[]', NULL, 'a.db', id, NULL, NULL,
             'ok', NULL, 0, 0, 0 FROM code_chunks WHERE id < 20;
         INSERT INTO file_metrics SELECT DISTINCT file_path, 1, 10, 0.1, NULL, 0, 1.5, 7
             FROM code_chunks;
         INSERT INTO symbol_metrics SELECT id, symbol_name, 'fn', file_path, 1, 2.5, 0, 0, 1, 7
             FROM code_chunks;",
    )
    .unwrap();
}

/// `code.db`, its copy `code.kv` and its export `code.ndjson`; `odd.db`, `odd.kv` and
/// `odd.ndjson` with invalid items all over; the merge targets `other.db` and `other.kv`.
fn files() -> &'static BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let scenario = Scenario::new();
        let path = scenario.database("code.db", fill);
        for odd in ["odd.db", "other.db"] {
            fs::copy(&path, scenario.path(odd)).unwrap();
        }
        scenario.change(
            "odd.db",
            "UPDATE code_chunks SET content = x'00' WHERE id % 4 = 0;
             UPDATE execution_log SET args = x'00' WHERE id % 3 = 0;
             UPDATE symbol_metrics SET loc = 'x' WHERE symbol_id % 5 = 0",
        );
        scenario.change(
            "other.db",
            "DELETE FROM code_chunks WHERE id % 2 = 0; DELETE FROM symbol_metrics;
             UPDATE code_chunks SET content = 'other' WHERE id % 3 = 0",
        );
        for name in ["code", "other"] {
            let [db, kv] = ["db", "kv"].map(|store| format!("{name}.{store}"));
            let _ = scenario.run(&["sqlite-to-kv", &db, &kv, "--no-verify"]).expect_status(0);
        }
        scenario.export("code.db", "code.ndjson");
        let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
        for (index, value) in content.records.values_mut().enumerate() {
            let text = String::from_utf8_lossy(value).into_owned();
            let odd = match index % 5 {
                1 => text.replacen('{', "{ ", 1),
                2 => text.replacen(":7}", ":7.5}", 1),
                3 => text.replacen("src/", "lib/", 1),
                _ => continue,
            };
            *value = odd.into_bytes();
        }
        content.write(&scenario.path("odd.kv"));
        let mut lines = scenario.lines_without_end("code.ndjson");
        for line in lines.iter_mut().step_by(5) {
            *line = line.replacen(":7}", ":7.5}", 1);
        }
        fs::write(scenario.path("odd.ndjson"), lines.join("\n") + "\n").unwrap();
        scenario.files()
    })
}

/// Everything that can be seen of a run on these files: output, status, files.
fn outcome(args: &str, jobs: &str) -> (Run, BTreeMap<String, Vec<u8>>) {
    let scenario = Scenario::new();
    let mut args: Vec<&str> = args.split(' ').collect();
    for (name, bytes) in files() {
        if args.contains(&name.as_str()) {
            fs::write(scenario.path(name), bytes).unwrap();
        }
    }
    args.extend(["--jobs", jobs]);
    let run = run_with(&scenario, &CLOCK, &args, &[("CLOCK_AT", "1700000000")]);
    (run, scenario.files())
}

/// Compares the outcome with 3 and with 64 threads to that with one.
fn check(args: &str, status: i32) {
    let (one, one_files) = outcome(args, "1");
    let one = one.expect_status(status);
    for jobs in ["3", "64"] {
        let (many, files) = outcome(args, jobs);
        assert_eq!(many.to_string(), one.to_string(), "{args} --jobs {jobs}");
        let differs = |(name, bytes): &(&String, &Vec<u8>)| one_files.get(*name) != Some(*bytes);
        let different: Vec<_> = files.iter().filter(differs).map(|(name, _)| name).collect();
        let count = (files.len(), one_files.len());
        assert!(different.is_empty(), "{args} --jobs {jobs}: {different:?}");
        assert_eq!(count.0, count.1, "{args} --jobs {jobs}");
    }
}

#[test]
fn the_files_of_these_tests_have_several_batches_and_findings_all_over() {
    let chunks: Vec<_> = files()["code.ndjson"]
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"{\"kind\":\"chunk\""))
        .collect();
    let bytes: usize = chunks.iter().map(|line| line.len()).sum();
    assert!(bytes > 2 * BATCH_BYTES, "{bytes}");
    let (run, _) = outcome("verify odd.kv --limit 0 --format json", "1");
    let json = run.expect_status(1).json();
    // Of three of five entries.
    assert!(json["divergences_total"].as_u64().unwrap() > 60, "{json}");
}

#[test]
fn any_number_of_threads_writes_the_same_kv_file() {
    check("sqlite-to-kv code.db new.kv", 0);
    check("sqlite-to-kv odd.db new.kv --on-invalid skip --limit 99", 1);
    check("import code.ndjson new.kv --to kv", 0);
    check("sqlite-to-kv code.db other.kv --merge", 0);
}

#[test]
fn any_number_of_threads_writes_the_same_database() {
    check("kv-to-sqlite code.kv new.db", 0);
    check("kv-to-sqlite odd.kv new.db --on-invalid skip --limit 99", 1);
    check("import odd.ndjson new.db --to sqlite --on-invalid skip --limit 99", 1);
    check("kv-to-sqlite code.kv other.db --merge", 0);
}

#[test]
fn any_number_of_threads_reports_the_same_findings_in_the_same_order() {
    check("verify code.db code.kv --limit 99", 0);
    check("verify odd.db odd.kv --limit 99 --report all.jsonl", 1);
    check("inspect odd.db", 1);
}

#[test]
fn any_number_of_threads_exports_the_same_text() {
    check("export code.db", 0);
    check("export odd.kv", 1);
}

#[test]
fn a_number_of_threads_that_is_none_is_a_usage_error() {
    let scenario = Scenario::with_small_pair();
    for (number, why) in [
        ("0", "number would be zero for non-zero type"),
        ("x", "invalid digit found in string"),
        ("-1", "invalid digit found in string"),
        ("99999999999999999999", "number too large to fit in target type"),
    ] {
        for args in [
            &["verify", "code.db"][..],
            &["sqlite-to-kv", "code.db", "new.kv"],
            &["kv-to-sqlite", "code.kv", "new.db"],
            &["export", "code.kv"],
            &["inspect", "code.kv"],
            &["import", "code.ndjson", "new.kv", "--to", "kv"],
        ] {
            let jobs = format!("--jobs={number}");
            let run = scenario.run(&[args, &[&jobs]].concat()).expect_status(2);
            let message = format!("error: invalid value '{number}' for '--jobs <N>': {why}\n");
            assert!(run.stderr.starts_with(&message), "{run}");
            assert_eq!(run.stdout, "");
        }
    }
}

/// Only so many threads can be started as `THREADS` says.
static FEW_THREADS: Preload = Preload::new(
    "#define _GNU_SOURCE
     #include <dlfcn.h>
     #include <errno.h>
     #include <pthread.h>
     #include <stdlib.h>
     int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                        void *(*start)(void *), void *argument) {
         static int started;
         int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
             = dlsym(RTLD_NEXT, \"pthread_create\");
         if (__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST) >= atoi(getenv(\"THREADS\")))
             return EAGAIN;
         return real(thread, attributes, start, argument);
     }",
);

#[test]
fn whatever_number_of_pool_threads_can_be_started_the_result_is_the_same() {
    let scenario = Scenario::new();
    fs::write(scenario.path("code.db"), &files()["code.db"]).unwrap();
    let args = ["export", "code.db", "--only", "chunk", "--jobs", "8"];
    let whole = scenario.run(&args).expect_status(0);
    let mut failed = 0;
    for threads in 0..5 {
        let threads = threads.to_string();
        let run = run_with(&scenario, &FEW_THREADS, &args, &[("THREADS", &threads)]);
        if run.status == 0 {
            assert_eq!(run.stdout, whole.stdout);
        } else {
            failed += 1;
            assert!(run.status == 2 && run.stderr.contains("thread"), "{run}");
        }
    }
    // There has to be a reader.
    assert_eq!(failed, 1);
}

#[test]
#[ignore = "deep: copies and compares 60 MB eight times"]
fn many_threads_take_no_more_memory_for_records() {
    let scenario = Scenario::new();
    generate(&scenario.path("code.db"), 40_000).unwrap();
    for args in [
        &["sqlite-to-kv", "code.db", "code.kv", "--replace"][..],
        &["kv-to-sqlite", "code.kv", "back.db", "--replace"],
        &["verify", "code.db", "code.kv"],
        &["verify", "code.db"],
    ] {
        let [one, many] = ["1", "64"]
            .map(|jobs| peak_kib(&scenario, &[args, &["--jobs", jobs]].concat(), 0) >> 10);
        println!("{args:?}: {one} MiB with one thread, {many} MiB with 64");
        assert!(many <= one + 32, "{args:?}: {one} MiB with one thread, {many} MiB with 64");
    }
}
