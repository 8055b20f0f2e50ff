//! `import`: invalid lines are reported by number.

use std::fs;

use crate::common::{Scenario, kv, with_snapshots};

/// One line for each way in which a line may be invalid.
fn bad_lines(scenario: &Scenario) -> String {
    let good = scenario.lines("code.ndjson");
    let of = |start: &str| {
        let found = good.iter().find(|line| line.contains(start));
        found.unwrap_or_else(|| panic!("no line has {start}")).clone()
    };
    let metrics = of("\"metrics:file:src/lib.rs\"");
    let lines = [
        of("chunk:src/lib.rs:0:12"),
        "no JSON".to_owned(),
        "[1,2]".to_owned(),
        "{\"kind\":\"chunk\",\"key\":\"chunk:a:0:1\"}".to_owned(),
        metrics.replace("file-metrics", "file"),
        metrics.replace("\"kind\":\"file-metrics\"", "\"kind\":\"chunk\""),
        metrics.replace("\"metrics:file:src/lib.rs\"", "\"metrics:file:src/other.rs\""),
        metrics.replace("\"metrics:file:src/lib.rs\"", "\"stray\""),
        metrics.replace("\"loc\":10", "\"loc\":1.5"),
        metrics.replace("\"loc\":10,", ""),
        metrics.replace("}}", "},\"note\":\"mine\"}"),
        metrics.clone(),
        of("chunk:src/lib.rs:13:16"),
        metrics.replace("\"loc\":10", "\"loc\":11"),
        "{\"kind\":\"sequences\",\"key\":\"sequences\",\"value\":{\"code_chunks\":9}}".to_owned(),
        of("execlog:run-1").split_at(60).0.to_owned(),
    ];
    lines.join("\n")
}

#[test]
fn every_invalid_line_is_reported_and_no_target_created() {
    let scenario = Scenario::with_small_export();
    fs::write(scenario.path("bad.ndjson"), bad_lines(&scenario)).unwrap();
    let before = scenario.files();
    let args = ["import", "bad.ndjson", "new.kv", "--to", "kv"];
    let run = scenario.run(&args).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("import_bad", run));
    let json = scenario.run(&[&args[..], &["--format", "json"]].concat());
    let json = json.expect_status(1).json();
    assert_eq!(json["findings_total"], 14);
    assert_eq!(json["target"]["written"], false);
    assert_eq!(scenario.files(), before);
}

#[test]
fn skipped_lines_are_in_the_rejects_file_with_their_numbers() {
    let scenario = Scenario::with_small_export();
    fs::write(scenario.path("bad.ndjson"), bad_lines(&scenario)).unwrap();
    let args = ["import", "bad.ndjson", "new.kv", "--to", "kv", "--on-invalid", "skip"];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("Copied and verified 2 records"), "{run}");
    let rejects = fs::read_to_string(scenario.path("new.kv.rejects.jsonl")).unwrap();
    with_snapshots(|| insta::assert_snapshot!("import_rejects", rejects));
    let keys = kv::keys(&scenario.path("new.kv"));
    assert_eq!(keys, ["chunk:src/lib.rs:0:12", "chunk:src/lib.rs:13:16"]);

    let merge = [&args[..2], &["code.kv"], &args[3..], &["--merge"]].concat();
    let run = scenario.run(&merge).expect_status(1);
    assert!(run.stdout.contains("already contains all 2 records"), "{run}");
}

#[test]
fn two_lines_with_the_same_id_are_both_reported() {
    let scenario = Scenario::with_small_export();
    let twice =
        scenario.lines_without_end("code.ndjson").join("\n").replace("\"id\":2,", "\"id\":1,");
    fs::write(scenario.path("twice.ndjson"), twice).unwrap();
    for (to, store) in [("kv", "code.kv"), ("sqlite", "code.db")] {
        let import = |target: &str, more: &[&str]| {
            let args = [&["import", "twice.ndjson", target, "--to", to], more].concat();
            let run = scenario.run(&args).expect_status(1);
            for line in ["line 2: line 3", "line 3: line 2"] {
                let expected = format!("  {line} has the same id (invalid-row, chunk:src/");
                assert!(run.stdout.contains(&expected), "{line}: {run}");
            }
        };
        let before = scenario.files();
        for more in [&[][..], &["--dry-run"], &["--dry-run", "--on-invalid", "skip"]] {
            import("new", more);
            import(store, &[more, &["--merge"]].concat());
        }
        assert_eq!(scenario.files(), before);

        import("new", &["--on-invalid", "skip"]);
        let rejects = scenario.lines("new.rejects.jsonl");
        assert_eq!(rejects.len(), 2, "{rejects:?}");
        for (line, rejected) in ["2", "3"].iter().zip(&rejects) {
            let start = format!("{{\"table\":null,\"line\":{line},");
            assert!(rejected.starts_with(&start), "{rejected}");
        }
        let args = ["verify", "new", "code.db", "--only", "chunk"];
        let run = scenario.run(&args).expect_status(1);
        assert!(run.stdout.contains("Diverged: 2 divergences"), "{run}");
        for name in ["new", "new.rejects.jsonl"] {
            fs::remove_file(scenario.path(name)).unwrap();
        }
    }
}

#[test]
fn lines_of_unselected_kinds_are_ignored() {
    let scenario = Scenario::with_small_export();
    fs::write(scenario.path("bad.ndjson"), bad_lines(&scenario)).unwrap();
    let only = |text: &str, only: &str| {
        let _ = fs::remove_file(scenario.path("new.kv"));
        scenario.run(&["import", text, "new.kv", "--to", "kv", "--only", only])
    };
    // Lines of an unknown kind count anyway.
    let json = only("bad.ndjson", "symbol-metrics").expect_status(1);
    assert!(json.stdout.contains("line 2: not a JSON object"), "{json}");
    assert!(!json.stdout.contains("src/other.rs"), "{json}");

    let _ = only("code.ndjson", "execution-log").expect_status(0);
    assert_eq!(kv::keys(&scenario.path("new.kv")), ["execlog:run-1"]);
    let id_sequences = kv::document(&scenario.path("new.kv"), "sequences");
    assert_eq!(id_sequences.to_string(), "{\"code_chunks\":0,\"execution_log\":1}");
}
