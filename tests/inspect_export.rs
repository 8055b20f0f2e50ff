//! `inspect` and `export`: the content of a store.

use std::fs;
use std::ops::ControlFlow;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{ExportItem, ExportOptions, export};
use serde_json::Value;
use test_support::kv_file::Content;

use crate::common::{Scenario, tables, with_snapshots};

fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(tables::SMALL).unwrap();
        db.execute_batch(
            "CREATE TABLE graph (x); INSERT INTO graph VALUES (1); CREATE TABLE void (x)",
        )
        .unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    scenario
}

#[test]
fn inspect_shows_what_a_store_contains() {
    let scenario = scenario();
    let before = scenario.files();
    for name in ["code.db", "code.kv"] {
        let run = scenario.run(&["inspect", name]).expect_status(0);
        let json = scenario.run(&["inspect", name, "--format", "json"]).expect_status(0);
        with_snapshots(|| {
            let name = name.replace('.', "_");
            insta::assert_snapshot!(format!("inspect_{name}"), run);
            insta::assert_snapshot!(format!("inspect_{name}_json"), json);
        });
    }
    assert_eq!(scenario.files(), before);
}

#[test]
fn a_database_and_its_kv_file_have_the_same_digests() {
    let scenario = scenario();
    let digests = |name: &str| {
        let run = scenario.run(&["inspect", name, "--format", "json"]);
        let json = run.expect_status(0).json();
        (json["sha256"].clone(), json["kinds"].clone())
    };
    assert_eq!(digests("code.db"), digests("code.kv"));
    assert!(digests("code.db").0.is_string());
}

#[test]
fn an_export_ends_with_the_item_that_its_caller_wants_no_more_after() {
    let scenario = scenario();
    let path = scenario.path("code.kv");
    let mut content = Content::read(&path);
    for stray in ["stray", "stray too"] {
        content.records.insert(stray.as_bytes().to_vec(), Vec::new());
    }
    // A value that is not canonical is a finding and, then, a record.
    content.edit("metrics:file:src/lib.rs", "\"loc\":10", "\"loc\": 10");
    content.write(&path);
    let items = |wanted: usize| {
        let (mut items, mut findings) = (0, 0);
        let options = ExportOptions::default();
        export(&path, &options, &Progress::none(), &mut |item| {
            items += 1;
            findings += usize::from(matches!(item, ExportItem::Finding(_)));
            Ok(match items {
                _ if items == wanted => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
        })
        .unwrap();
        (items, findings)
    };
    let (all, findings) = items(usize::MAX);
    assert_eq!(findings, 3);
    for wanted in 1..=all {
        assert_eq!(items(wanted).0, wanted);
    }
}

#[test]
fn inspect_never_counts_invalid_items_as_records() {
    let scenario = scenario();
    let mut content = Content::read(&scenario.path("code.kv"));
    content.records.insert(b"stray".to_vec(), Vec::new());
    content.edit("metrics:file:src/lib.rs", "\"loc\":10", "\"loc\":11");
    content.write(&scenario.path("odd.kv"));
    let db = rusqlite::Connection::open(scenario.path("code.db")).unwrap();
    db.execute_batch("UPDATE file_metrics SET loc = 'many' WHERE loc = 10").unwrap();
    db.close().unwrap();
    for name in ["odd.kv", "code.db"] {
        let run = scenario.run(&["inspect", name]).expect_status(1);
        let json = scenario.run(&["inspect", name, "--format", "json"]).expect_status(1);
        with_snapshots(|| {
            let name = name.replace('.', "_");
            insta::assert_snapshot!(format!("inspect_odd_{name}"), run);
            insta::assert_snapshot!(format!("inspect_odd_{name}_json"), json);
        });
    }
}

#[test]
fn export_writes_every_record_in_key_order_and_the_same_from_both_stores() {
    let scenario = scenario();
    let from_db = scenario.run(&["export", "code.db"]).expect_status(0);
    let from_kv = scenario.run(&["export", "code.kv"]).expect_status(0);
    assert_eq!(from_db.stdout, from_kv.stdout);
    with_snapshots(|| insta::assert_snapshot!("export", from_db));
    let content = Content::read(&scenario.path("code.kv"));
    for (line, (key, value)) in from_kv.stdout.lines().zip(&content.records) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["key"].as_str().unwrap().as_bytes(), key);
        assert_eq!(line["value"].as_object().unwrap().len(), {
            let value: Value = serde_json::from_slice(value).unwrap();
            value.as_object().unwrap().len()
        });
    }
    // After them come the id sequences, which are above the ids of the records, and the end line.
    let last = from_kv.stdout.lines().nth(content.records.len());
    let expected = "{\"kind\":\"sequences\",\"key\":\"sequences\",\"value\":{\"code_chunks\":9,\"execution_log\":1}}";
    assert_eq!(last, Some(expected));
    assert_eq!(from_kv.stdout.lines().count(), content.records.len() + 2);
}

#[test]
fn export_filters_by_kinds_and_prefixes() {
    let scenario = scenario();
    for (args, count) in [
        (&["--only", "chunk"][..], 3),
        (&["--only", "file-metrics,execution-log"], 3),
        (&["--prefix", "chunk:src/lib.rs:"], 2),
        (&["--prefix", "metrics:"], 4),
        (&["--prefix", "metrics:", "--only", "symbol-metrics"], 2),
        (&["--prefix", "chunk:nothing"], 0),
    ] {
        for name in ["code.db", "code.kv"] {
            let run = scenario.run(&[&["export", name], args].concat()).expect_status(0);
            // Plus the end line.
            assert_eq!(run.stdout.lines().count(), count + 1, "{run}");
        }
    }
}

#[test]
fn export_reports_invalid_items_on_stderr() {
    let scenario = scenario();
    let mut content = Content::read(&scenario.path("code.kv"));
    content.records.insert(b"stray".to_vec(), Vec::new());
    content.edit("metrics:file:src/lib.rs", "\"loc\":10", "\"loc\":[]");
    content.edit("metrics:symbol:1", "{", "{ ");
    content.write(&scenario.path("odd.kv"));
    let run = scenario.run(&["export", "odd.kv", "--prefix", "metrics:"]).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("export_odd", run));
    let run = scenario.run(&["export", "odd.kv"]).expect_status(1);
    assert!(run.stderr.contains("unknown-key stray"), "{run}");
}

#[test]
fn a_closed_pipe_ends_an_export_quietly() {
    use std::io::Read as _;
    use std::process::Stdio;
    let scenario = Scenario::new();
    scenario.database("code.db", |db| tables::insert_chunks(db, 20_000));
    let mut command = scenario.command(&["export", "code.db"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut start = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

/// The digest is defined in words; here it is computed from that definition.
#[test]
fn the_combined_digest_is_as_documented() {
    use sha2::{Digest as _, Sha256};
    let scenario = scenario();
    let content = Content::read(&scenario.path("code.kv"));
    let mut combined = Sha256::new();
    for prefix in ["chunk:", "execlog:", "metrics:file:", "metrics:symbol:"] {
        let mut digest = Sha256::new();
        for (key, value) in &content.records {
            if key.starts_with(prefix.as_bytes()) {
                digest.update((key.len() as u64).to_le_bytes());
                digest.update(key);
                digest.update((value.len() as u64).to_le_bytes());
                digest.update(value);
            }
        }
        combined.update(digest.finalize());
    }
    let hex: String = combined.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let run = scenario.run(&["inspect", "code.db", "--format", "json"]);
    assert_eq!(run.expect_status(0).json()["sha256"], hex);
    let _ = fs::metadata(scenario.path("code.db")).unwrap();
}
