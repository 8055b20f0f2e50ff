//! The options of `verify`: what is compared, what is shown, and where it is kept.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;
use test_support::kv_file::Content;

use crate::common::{Scenario, with_snapshots};

/// Adds `other.db`, in which many records differ.
fn with_many_divergences() -> Scenario {
    let scenario = Scenario::with_small_pair();
    fs::copy(scenario.path("code.db"), scenario.path("other.db")).unwrap();
    let db = Connection::open(scenario.path("other.db")).unwrap();
    db.execute_batch(
        "UPDATE code_chunks SET content = content || ' ' || hex(zeroblob(100)) || 'end';
         UPDATE file_metrics SET loc = 5;
         DELETE FROM symbol_metrics WHERE symbol_id = 1;
         UPDATE execution_log SET outcome = 'Running'",
    )
    .unwrap();
    db.close().unwrap();
    scenario
}

#[test]
fn json_has_a_thousand_findings_and_says_if_there_are_more() {
    for (count, truncated) in [(1_000, false), (1_001, true)] {
        let scenario = Scenario::new();
        scenario.database("empty.db", |_| {});
        let fill = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO file_metrics (file_path, last_updated) SELECT 'a' || i, 7 FROM n"
        );
        scenario.database("full.db", |db| db.execute_batch(&fill).unwrap());
        let invalid = fill.replace("7 FROM", "x'00' FROM");
        scenario.database("invalid.db", |db| db.execute_batch(&invalid).unwrap());
        for (args, kind) in [
            (&["verify", "full.db", "empty.db"][..], "only-left"),
            (&["sqlite-to-kv", "invalid.db", "new.kv"], "invalid-row"),
        ] {
            let run = scenario.run(&[args, &["--format", "json"]].concat());
            let json = run.expect_status(1).json();
            assert_eq!(json["findings"].as_array().unwrap().len(), 1_000);
            assert_eq!(json["truncated"], truncated);
            assert_eq!(json["findings_total"], count);
            assert_eq!(json["divergences_total"], count);
            assert_eq!(json["warnings_total"], 0);
            assert_eq!(json["counts"][0]["class"], kind);
            assert_eq!(json["counts"][0]["kind"], "file-metrics");
            assert_eq!(json["counts"][0]["count"], count);
            // The terminal shows ten of each class.
            let run = scenario.run(args).expect_status(1);
            let more = format!("and {} more", if truncated { "991" } else { "990" });
            assert!(run.stdout.contains(&more), "{run}");
            let total = format!("{kind} (file-metrics)");
            assert!(run.stdout.contains(&total), "{run}");
        }
    }
}

#[test]
fn limit_bounds_what_is_printed_and_nothing_else() {
    let scenario = with_many_divergences();
    let run = |limit: &str| {
        let args = ["verify", "code.kv", "other.db", "--format", "json", "--limit", limit];
        scenario.run(&args).expect_status(1).json()
    };
    let mut documents: Vec<Value> = ["0", "1", "1000"].map(run).into();
    let lengths: Vec<usize> = documents
        .iter_mut()
        .map(|document| match document["findings"].take() {
            Value::Array(findings) => findings.len(),
            other => panic!("{other}"),
        })
        .collect();
    // One of each class: a divergence of one side, one in fields, and a warning.
    assert_eq!(lengths, [0, 3, 10]);
    let truncated = documents.iter_mut().map(|document| document["truncated"].take());
    assert_eq!(truncated.collect::<Vec<_>>(), [true, true, false]);
    assert!(documents.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(documents[0]["findings_total"], 10);
    assert_eq!(documents[0]["divergences_total"], 7);
    assert_eq!(documents[0]["warnings_total"], 3);
    // By class and kind, whatever is printed.
    let counts = documents[0]["counts"].as_array().unwrap();
    let sum = |warning: bool| -> u64 {
        let counts = counts.iter().filter(|count| count["warning"] == warning);
        counts.map(|count| count["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((sum(false), sum(true)), (7, 3));
    assert!(counts.len() > 2, "{counts:?}");
    for kind in documents[0]["kinds"].as_array().unwrap() {
        let count = |name: &str| kind[name].as_u64().unwrap();
        let both = count("equal") + count("different");
        assert_eq!(count("left"), both + count("only_left") + count("invalid_left"));
        assert_eq!(count("right"), both + count("only_right") + count("invalid_right"));
    }
    let people = scenario.run(&["verify", "code.kv", "other.db", "--limit", "2"]).expect_status(1);
    assert!(people.stdout.contains("and 5 more findings"), "{people}");
}

#[test]
fn the_report_file_has_every_finding() {
    let scenario = with_many_divergences();
    let args = ["verify", "code.kv", "other.db", "--limit", "1", "--report", "all.jsonl"];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("and 7 more findings; all are in all.jsonl"), "{run}");
    let report = fs::read_to_string(scenario.path("all.jsonl")).unwrap();
    assert_eq!(report.lines().count(), 10);
    for line in report.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        assert!(finding["class"].is_string() && finding["key"].is_string());
    }
    // Another run replaces it, even if there is nothing to report.
    let args = ["verify", "code.db", "code.kv", "--report", "all.jsonl"];
    let _ = scenario.run(&args).expect_status(0);
    assert_eq!(fs::read(scenario.path("all.jsonl")).unwrap(), b"");
}

#[test]
fn the_report_replaces_nothing_but_a_report() {
    let scenario = with_many_divergences();
    fs::write(scenario.path("diary"), "dear diary").unwrap();
    let before = scenario.files();
    for target in ["diary", "code.kv", "other.db", "other.db-wal", "no/folder"] {
        let args = ["verify", "code.kv", "other.db", "--report", target];
        let _ = scenario.run(&args).expect_status(2);
        assert_eq!(scenario.files(), before);
    }
}

#[test]
fn values_are_shown_in_full_short_or_redacted() {
    let scenario = with_many_divergences();
    for values in ["full", "short", "redacted"] {
        let args = ["verify", "code.kv", "other.db", "--values", values, "--only", "chunk"];
        let run = scenario.run(&args).expect_status(1);
        let json = scenario.run(&[&args[..], &["--format", "json"]].concat()).expect_status(1);
        if values == "redacted" {
            assert!(!run.stdout.contains("main()") && !json.stdout.contains("main()"));
        }
        with_snapshots(|| {
            insta::assert_snapshot!(format!("values_{values}"), run);
            insta::assert_snapshot!(format!("values_{values}_json"), json);
        });
    }
}

#[test]
fn redacted_reports_quote_nothing_of_an_invalid_value() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    content.edit("chunk:src/lib.rs:0:12", "\"created_at\":7", "\"created_at\":\"secret\"");
    content.edit("chunk:src/lib.rs:13:16", "\"id\"", "\"secret\"");
    content.write(&scenario.path("odd.kv"));
    let args = ["verify", "code.kv", "odd.kv", "--report", "all.jsonl", "--values"];
    let full = scenario.run(&[&args[..], &["full"]].concat()).expect_status(1);
    assert!(full.stdout.contains("secret"), "{full}");
    let run = scenario.run(&[&args[..], &["redacted"]].concat()).expect_status(1);
    let report = fs::read_to_string(scenario.path("all.jsonl")).unwrap();
    assert!(!run.stdout.contains("secret") && !report.contains("secret"), "{run}");
}

#[test]
fn only_compares_the_selected_kinds() {
    let scenario = with_many_divergences();
    let args = ["verify", "code.kv", "other.db", "--format", "json", "--only"];
    let run =
        scenario.run(&[&args[..], &["execution-log,symbol-metrics"]].concat()).expect_status(1);
    let json = run.json();
    let kinds = json["kinds"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["execution-log", "symbol-metrics"]);
    assert_eq!(json["findings_total"], 2);
}

#[test]
fn quick_accepts_equal_digests_and_still_reports_every_difference() {
    let scenario = with_many_divergences();
    let run = scenario.run(&["verify", "code.db", "code.kv", "--quick"]).expect_status(0);
    assert!(
        run.stdout
            .contains("the digests of 8 records are equal; records were not compared individually"),
        "{run}"
    );
    let json = |args: &[&str]| {
        let args = [&["verify", "code.kv", "other.db", "--format", "json"], args].concat();
        let mut json = scenario.run(&args).expect_status(1).json();
        json["quick"] = Value::Null;
        json["warnings_skipped"] = Value::Null;
        json
    };
    assert_eq!(json(&["--quick"]), json(&[]));
}

#[test]
fn quick_does_not_trust_a_manifest() {
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv"));
    content.edit("metrics:file:src/lib.rs", "\"loc\":10", "\"loc\":11");
    content.write(&scenario.path("odd.kv"));
    for args in [&["verify", "odd.kv", "--quick"][..], &["verify", "code.kv", "odd.kv", "--quick"]]
    {
        let run = scenario.run(args).expect_status(1);
        assert!(run.stdout.contains("the manifest's digest is"), "{run}");
    }
}

#[test]
fn quick_accepts_no_digest_where_a_row_is_invalid() {
    let scenario = Scenario::with_small_pair();
    let db = Connection::open(scenario.path("code.db")).unwrap();
    db.execute_batch("UPDATE file_metrics SET loc = 2.5 WHERE loc = 10").unwrap();
    db.close().unwrap();
    let args = ["verify", "code.db", "code.db", "--quick", "--format", "json"];
    let run = scenario.run(&args).expect_status(1);
    let json = run.json();
    assert_eq!(json["findings_total"], 2, "{run}");
    assert_eq!(json["findings"][0]["class"], "invalid-row", "{run}");
}

#[test]
fn colour_highlights_differences_on_request() {
    let scenario = with_many_divergences();
    let args = ["verify", "code.kv", "other.db", "--only", "execution-log", "--color"];
    let plain = scenario.run(&[&args[..], &["never"]].concat()).expect_status(1);
    assert!(!plain.stdout.contains('\u{1b}'));
    let colour = scenario.run(&[&args[..], &["always"]].concat()).expect_status(1);
    assert!(colour.stdout.contains("\u{1b}[31m[-r-]\u{1b}[0m"), "{colour}");
}

/// A copy without a column can be compared with its source, and the report shows that the column
/// was not compared.
#[test]
fn an_ignored_column_is_reported_with_the_verdict() {
    let scenario = Scenario::with_small_pair();
    fs::copy(scenario.path("code.db"), scenario.path("plain.db")).unwrap();
    let db = Connection::open(scenario.path("code.db")).unwrap();
    db.execute_batch(
        "ALTER TABLE code_chunks ADD COLUMN \"<lang>\" TEXT; UPDATE code_chunks SET \"<lang>\" = 1",
    )
    .unwrap();
    let column = ["--without-column", "code_chunks.<lang>"];
    let note = "The column code_chunks.<lang> was ignored.";
    for stores in [
        &["code.db", "code.kv"][..],
        &["code.kv", "code.db"],
        &["code.db", "plain.db"],
        &["code.db"],
    ] {
        let args = [&["verify"], stores, &["--html", "page.html"]].concat();
        let _ = scenario.run(&args).expect_status(2);
        for quick in [&[][..], &["--quick"]] {
            let args = [&args[..], &column, quick].concat();
            let run = scenario.run(&args).expect_status(0);
            assert!(run.stdout.contains("Identical: "), "{run}");
            assert!(run.stdout.contains(note), "{run}");
            let page = fs::read_to_string(scenario.path("page.html")).unwrap();
            assert!(page.contains(&note.replace("<lang>", "&lt;lang&gt;")), "{page}");
            let json = scenario.run(&[&args[..], &["--format", "json"]].concat());
            assert_eq!(json.json()["without_columns"], serde_json::json!([column[1]]));
        }
    }
    // A column that is not ignored counts as usual.
    db.execute_batch("ALTER TABLE code_chunks ADD COLUMN more; UPDATE code_chunks SET more = 1")
        .unwrap();
    let args = [&["verify", "code.db", "code.kv"], &column[..]].concat();
    let run = scenario.run(&args).expect_status(2);
    assert!(run.stderr.contains("with values: more"), "{run}");
    let args = ["verify", "code.db", "code.kv", "--without-column", "code_chunks.content"];
    let run = scenario.run(&args).expect_status(2);
    assert!(run.stderr.contains("it is part of the record"), "{run}");
}
