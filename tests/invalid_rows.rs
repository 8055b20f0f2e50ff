//! Rows that cannot be represented exactly: reported, counted, written to the rejects file, and
//! never lost silently.

use std::fs;

use rusqlite::Connection;
use test_support::kv_file::Content;

use crate::common::tables::{LOOSE_CHUNKS, insert_chunk};
use crate::common::{Scenario, kv, with_snapshots};

fn with_invalid_rows(db: &Connection) {
    db.execute_batch(LOOSE_CHUNKS).unwrap();
    insert_chunk(db, 1, "'good.rs'", "0", "5");
    insert_chunk(db, 2, "'blob.rs'", "0", "5");
    db.execute_batch("UPDATE code_chunks SET content = x'00ff' WHERE id = 2").unwrap();
    insert_chunk(db, 3, "NULL", "9e999", "-1");
    insert_chunk(db, 4, "CAST(x'61ff' AS TEXT)", "0", "5");
    insert_chunk(db, 5, "'twice.rs'", "0", "5");
    insert_chunk(db, 6, "'twice.rs'", "0", "5");
    insert_chunk(db, 7, "'esc' || char(27) || '.rs'", "0", "-5");
}

fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.bare_database("odd.db", with_invalid_rows);
    scenario
}

#[test]
fn an_invalid_row_fails_the_copy_but_all_are_reported() {
    let scenario = scenario();
    let before = scenario.files();
    let run = scenario.run(&["sqlite-to-kv", "odd.db", "out.kv"]);
    with_snapshots(|| insta::assert_snapshot!("invalid_rows_fail", run));
    assert_eq!(scenario.files(), before);
}

#[test]
fn limit_bounds_what_is_printed_and_not_what_is_counted() {
    let scenario = scenario();
    let run = scenario.run(&["sqlite-to-kv", "odd.db", "out.kv", "--limit", "2"]).expect_status(1);
    assert!(run.stdout.contains("  and 4 more\n"), "{run}");
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--limit", "0", "--format", "json"];
    let run = scenario.run(&args).expect_status(1);
    assert_eq!(run.json()["kinds"][0]["rejected"], 6);
    assert_eq!(run.json()["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn skip_copies_the_rest_and_writes_each_rejected_row_with_its_values() {
    let scenario = scenario();
    let run = scenario.run(&["sqlite-to-kv", "odd.db", "out.kv", "--on-invalid", "skip"]);
    let rejects = fs::read_to_string(scenario.path("out.kv.rejects.jsonl")).unwrap();
    with_snapshots(|| {
        insta::assert_snapshot!("invalid_rows_skip", run);
        insta::assert_snapshot!("invalid_rows_rejects", rejects);
    });
    assert_eq!(run.status, 1);
    assert_eq!(kv::keys(&scenario.path("out.kv")), ["chunk:good.rs:0:5"]);
    assert_eq!(kv::document(&scenario.path("out.kv"), "manifest")["kinds"]["chunk"]["records"], 1);
}

#[test]
fn fail_writes_the_requested_rejects_file_and_no_target() {
    let scenario = scenario();
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--rejects", "why.jsonl"];
    let _ = scenario.run(&args).expect_status(1);
    let rejects = fs::read_to_string(scenario.path("why.jsonl")).unwrap();
    assert_eq!(rejects.lines().count(), 6);
    assert_eq!(scenario.files().into_keys().collect::<Vec<_>>(), ["odd.db", "why.jsonl"]);
}

#[test]
fn without_invalid_rows_there_is_no_rejects_file() {
    let scenario = Scenario::new();
    scenario.database("code.db", |_| {});
    let args =
        ["sqlite-to-kv", "code.db", "out.kv", "--on-invalid", "skip", "--rejects", "why.jsonl"];
    let _ = scenario.run(&args).expect_status(0);
    assert_eq!(scenario.files().into_keys().collect::<Vec<_>>(), ["code.db", "out.kv"]);
}

#[test]
fn an_old_rejects_file_is_kept_unless_it_may_be_replaced() {
    let scenario = scenario();
    fs::write(scenario.path("out.kv.rejects.jsonl"), "{\"table\":\"old\"}\n").unwrap();
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--on-invalid", "skip"];
    let before = scenario.files();
    for args in [&args[..], &[&args[..], &["--dry-run"]].concat()] {
        let run = scenario.run(args).expect_status(2);
        assert!(run.stderr.contains("out.kv.rejects.jsonl already exists"), "{run}");
        // Replacing it is not all that --replace would do.
        assert!(!run.stderr.contains("--replace"), "{run}");
        assert_eq!(scenario.files(), before);
    }

    let _ = scenario.run(&[&args[..], &["--replace"]].concat()).expect_status(1);
    let rejects = fs::read_to_string(scenario.path("out.kv.rejects.jsonl")).unwrap();
    assert_eq!(rejects.lines().count(), 6);

    // But never a file that is not a rejects file.
    fs::write(scenario.path("notes.txt"), "dear diary").unwrap();
    let args = ["sqlite-to-kv", "odd.db", "new.kv", "--replace", "--rejects", "notes.txt"];
    let _ = scenario.run(&args).expect_status(2);
    assert_eq!(fs::read_to_string(scenario.path("notes.txt")).unwrap(), "dear diary");
}

#[test]
fn a_dry_run_reports_invalid_rows_and_writes_nothing() {
    let scenario = scenario();
    let before = scenario.files();
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--dry-run", "--rejects", "why.jsonl"];
    let run = scenario.run(&args).expect_status(1);
    assert!(
        run.stdout.contains(
            "Dry run: no target would be created: 6 rows are invalid; nothing was written."
        ),
        "{run}"
    );
    assert_eq!(scenario.files(), before);
}

/// The id sequence of the KV file was the id of the rejected row, and negative: no new database
/// could store it, so the file could not be copied back.
#[test]
fn a_rejected_negative_id_does_not_become_an_id_sequence() {
    let scenario = Scenario::new();
    scenario.bare_database("odd.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, -9, "'good.rs'", "0", "5");
        insert_chunk(db, -7, "NULL", "0", "5");
    });
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--on-invalid", "skip"];
    let _ = scenario.run(&args).expect_status(1);
    let id_sequences = kv::document(&scenario.path("out.kv"), "sequences");
    assert_eq!(id_sequences["code_chunks"], 0);
    let _ = scenario.run(&["kv-to-sqlite", "out.kv", "back.db"]).expect_status(0);
    let _ = scenario.run(&["verify", "out.kv", "back.db"]).expect_status(0);
}

/// As another program or an earlier version may have written it.
#[test]
fn a_negative_id_sequence_of_a_kv_file_is_ignored() {
    let scenario = Scenario::new();
    let mut content = Content::of_records(&[]);
    let id_sequences = "{\"code_chunks\":-7,\"execution_log\":-1}";
    content.set_document("sequences", id_sequences);
    content.write(&scenario.path("odd.kv"));
    let _ = scenario.run(&["kv-to-sqlite", "odd.kv", "new.db"]).expect_status(0);
    let _ = scenario.run(&["verify", "odd.kv", "new.db"]).expect_status(0);
}
