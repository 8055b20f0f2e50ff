//! What the target of a merge refuses is named, and all else is as it was.

use std::fs;

use crate::common::{Scenario, rows, tables, with_snapshots};

#[test]
fn an_id_that_another_key_has_in_the_end_is_an_error_that_names_both() {
    let scenario = Scenario::with_small_pair();
    scenario.database("target.db", |db| {
        tables::insert_chunk(db, 2, "'own.rs'", "0", "1");
    });
    let _ = scenario
        .run(&["sqlite-to-kv", "target.db", "target.kv"])
        .expect_status(0);
    let before = scenario.files();
    for command in [
        ["kv-to-sqlite", "code.kv", "target.db", "--merge"],
        ["sqlite-to-kv", "code.db", "target.kv", "--merge"],
    ] {
        let run = scenario.run(&command).expect_status(2);
        assert!(run.stderr.contains("chunk:src/lib.rs:13:16"), "{run}");
        assert!(run.stderr.contains("chunk:own.rs:0:1"), "{run}");
        assert!(run.stderr.contains("the id 2"), "{run}");
        assert_eq!(scenario.files(), before);
    }
}

#[test]
fn the_tables_of_an_older_schema_keep_their_constraints() {
    let scenario = Scenario::with_small_pair();
    scenario.bare_database("target.db", |db| {
        db.execute_batch(tables::SCHEMA_7).unwrap();
        db.execute_batch("INSERT INTO graph_entities (id, name) VALUES (2, 'main')")
            .unwrap();
    });
    let before = scenario.files();
    let command = ["kv-to-sqlite", "code.kv", "target.db", "--merge"];
    let run = scenario.run(&command).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("merge_refused", run));
    assert_eq!(scenario.files(), before);

    let run = scenario
        .run(&[&command[..], &["--on-invalid", "skip"]].concat())
        .expect_status(1);
    let rejects = fs::read_to_string(scenario.path("target.db.rejects.jsonl")).unwrap();
    with_snapshots(|| {
        insta::assert_snapshot!("merge_refused_skip", run);
        insta::assert_snapshot!("merge_refused_rejects", rejects);
    });
    let found = rows::of_database(&scenario.path("target.db"));
    let of = |table: &str| found.iter().filter(|row| row.starts_with(table)).count();
    assert_eq!(
        (of("code_chunks"), of("file_metrics"), of("symbol_metrics")),
        (3, 0, 0)
    );
}

/// Which column a constraint is about, only its text tells.
#[test]
fn a_check_names_the_column_that_it_checks_or_none() {
    for (check, place) in [
        ("CHECK (length(content) < 9)", "constraint in content"),
        (
            "CONSTRAINT short CHECK (length(content) < 9)",
            "constraint (invalid-row",
        ),
    ] {
        let scenario = Scenario::with_small_export();
        scenario.bare_database("target.db", |db| {
            let columns = "id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL,
                 byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL, content TEXT NOT NULL,
                 content_hash TEXT NOT NULL, symbol_name TEXT, symbol_kind TEXT,
                 created_at INTEGER NOT NULL, UNIQUE (file_path, byte_start, byte_end)";
            db.execute_batch(&format!("CREATE TABLE code_chunks ({columns}, {check})"))
                .unwrap();
        });
        let args = [
            "import",
            "code.ndjson",
            "target.db",
            "--to",
            "sqlite",
            "--merge",
        ];
        let run = scenario
            .run(&[&args[..], &["--only", "chunk"]].concat())
            .expect_status(1);
        let told = format!("the table code_chunks can't hold the record: {place}");
        assert!(run.stdout.contains(&told), "{run}");
    }
}
