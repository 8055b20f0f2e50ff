//! No option silently cancels another, and an option without effect is an error.

use std::fs;

use test_support::kv_file::Content;

use crate::common::Scenario;

/// A pair of stores with the same content and a wrong hash, and every kind of comparison over it.
fn with_wrong_hash() -> (Scenario, [&'static [&'static str]; 4]) {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "UPDATE code_chunks SET content_hash = 'zz' WHERE id = 1");
    let args = ["sqlite-to-kv", "code.db", "code.kv", "--replace"];
    let _ = scenario.run(&args).expect_status(0);
    let stores: [&[&str]; 4] =
        [&["code.db", "code.db"], &["code.db", "code.kv"], &["code.db"], &["code.kv"]];
    (scenario, stores)
}

#[test]
fn quick_with_strict_has_the_result_of_strict_alone() {
    let (scenario, stores) = with_wrong_hash();
    for stores in stores {
        let run = |options: &[&str]| scenario.run(&[&["verify"], stores, options].concat());
        let strict = run(&["--strict"]).expect_status(1);
        let both = run(&["--strict", "--quick"]).expect_status(1);
        for run in [strict, both] {
            assert!(run.stdout.contains("Diverged: 1 warning (counted by --strict)"), "{run}");
            assert!(run.stdout.contains("content-hash (warning)"), "{run}");
        }
    }
}

#[test]
fn a_report_has_every_warning_even_with_quick() {
    let (scenario, stores) = with_wrong_hash();
    for stores in stores {
        let report = |options: &[&str]| {
            let args = [&["verify"], stores, &["--report", "all.jsonl"], options].concat();
            let run = scenario.run(&args).expect_status(0);
            assert!(run.stdout.ends_with(" 1 warning.\n"), "{run}");
            (run, fs::read_to_string(scenario.path("all.jsonl")).unwrap())
        };
        let ((_, whole), (quick, same)) = (report(&[]), report(&["--quick"]));
        assert_eq!(whole.lines().count(), 1);
        assert_eq!(same, whole);
        assert!(quick.stdout.contains("only chunks were compared individually"), "{quick}");
    }
}

/// If warnings are not checked, the verdict says so in every format.
#[test]
fn quick_alone_says_that_warnings_were_not_checked() {
    let (scenario, stores) = with_wrong_hash();
    for stores in stores {
        let args = [&["verify"], stores, &["--quick", "--html", "page.html"]].concat();
        let run = scenario.run(&args).expect_status(0);
        let note = "Warnings were not checked.";
        assert!(run.stdout.contains(note), "{run}");
        assert!(fs::read_to_string(scenario.path("page.html")).unwrap().contains(note));
        let json = |args: &[&str]| {
            let args = [args, &["--format", "json"]].concat();
            scenario.run(&args).expect_status(0).json()
        };
        assert_eq!(json(&args)["warnings_skipped"], true);
        assert!(json(&args[..args.len() - 3])["warnings_skipped"].is_null());
    }
    // Some digests differ, and those that don't may hide a warning.
    scenario.change("code.db", "UPDATE file_metrics SET loc = 11 WHERE loc = 10");
    let args = ["verify", "code.db", "code.kv", "--quick"];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("Warnings were not checked."), "{run}");
}

/// With a mistyped name, one would believe that a column was ignored.
#[test]
fn a_column_that_no_store_has_is_an_error() {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        "ALTER TABLE code_chunks ADD COLUMN lang; UPDATE code_chunks SET lang = 'rust'",
    );
    let column = |column| ["--without-column", column];
    for stores in [&["code.db", "code.kv"][..], &["code.kv", "code.db"], &["code.db"]] {
        let args = [&["verify"], stores, &column("code_chunks.lang")].concat();
        let _ = scenario.run(&args).expect_status(0);
        let args = [&args[..], &column("code_chunks.lnag")].concat();
        let run = scenario.run(&args).expect_status(2);
        assert!(run.stderr.contains("cannot ignore column \"code_chunks.lnag\""), "{run}");
        assert_eq!(run.stdout, "");
    }
    // A KV file has no columns, and tables that are not compared don't count.
    for args in [
        &["verify", "code.kv", "code.kv"][..],
        &["verify", "code.kv"],
        &["verify", "code.db", "code.kv", "--only", "file-metrics"],
    ] {
        let args = [args, &column("code_chunks.lang")].concat();
        let run = scenario.run(&args).expect_status(2);
        assert!(run.stderr.contains("such a column"), "{run}");
    }
}

#[test]
fn a_prefix_that_no_key_can_have_is_an_error() {
    let scenario = Scenario::with_small_pair();
    for (args, starts) in [
        (&["--prefix", "chnk:src"][..], "chunk: or execlog: or metrics:file: or metrics:symbol:"),
        (&["--prefix", "metrics:", "--only", "chunk"], "chunk:"),
        (
            &["--prefix", "chunk:", "--only", "execution-log,file-metrics"],
            "execlog: or metrics:file:",
        ),
    ] {
        let run = scenario.run(&[&["export", "code.kv"], args].concat()).expect_status(2);
        assert!(run.stderr.contains(&format!("all of them start with {starts}\n")), "{run}");
        assert_eq!(run.stdout, "");
    }
    // A prefix that no record has is not an error.
    let args = ["export", "code.kv", "--prefix", "chunk:none.rs:"];
    let _ = scenario.run(&args).expect_status(0);
}

/// A malformed key still belongs to its kind: it is reported when that kind is selected, and only
/// then.
#[test]
fn a_malformed_key_belongs_to_the_kind_of_its_prefix() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    let value = content.records[&b"chunk:src/lib.rs:0:12"[..]].clone();
    content.records.insert(b"chunk:src/lib.rs:00:12".to_vec(), value);
    content.write(&scenario.path("odd.kv"));
    for command in [
        &["kv-to-sqlite", "odd.kv", "new.db", "--dry-run"][..],
        &["kv-to-sqlite", "odd.kv", "code.db", "--merge", "--dry-run"],
        &["export", "odd.kv"],
        &["verify", "odd.kv", "code.db"],
        &["verify", "odd.kv"],
    ] {
        for (only, status) in [("chunk", 1), ("chunk,file-metrics", 1), ("file-metrics", 0)] {
            let args = [command, &["--only", only]].concat();
            let run = scenario.run(&args).expect_status(status);
            let output = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(output.contains("chunk:src/lib.rs:00:12"), status == 1, "{run}");
        }
    }
    for (prefix, status) in [("chunk:src/lib.rs:", 1), ("chunk:src/a", 0)] {
        let _ = scenario.run(&["export", "odd.kv", "--prefix", prefix]).expect_status(status);
    }
}

#[test]
fn requested_progress_is_shown_even_without_a_report() {
    let scenario = Scenario::with_small_pair();
    let run = |progress: &[&str]| {
        let args = [&["verify", "code.db", "code.kv", "--quiet"], progress].concat();
        scenario.run(&args).expect_status(0)
    };
    let shown = run(&["--progress", "always"]);
    assert!(shown.stdout.is_empty() && !shown.stderr.is_empty(), "{shown}");
    for hidden in [run(&[]), run(&["--progress", "never"])] {
        assert!(hidden.stdout.is_empty() && hidden.stderr.is_empty(), "{hidden}");
    }
}
