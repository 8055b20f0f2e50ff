//! The next step in a report works when pasted.

use crate::common::{Run, Scenario};

/// The commands of a report's next step.
fn commands(run: &Run) -> Vec<&str> {
    let next = run.stdout.split_once("Next: ").map_or("", |(_, next)| next);
    let lines = next.lines().skip(1);
    lines.map_while(|line| line.strip_prefix("    ")).collect()
}

/// Pastes a line into a shell.
fn shell_command(scenario: &Scenario, line: &str) -> Run {
    Run::of(scenario.shell("sh", &["-c", line]).output().unwrap())
}

#[test]
fn rejected_rows_are_added_once_they_are_fixed() {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        "ALTER TABLE code_chunks ADD COLUMN \"a b\"; UPDATE code_chunks SET \"a b\" = 1;
         UPDATE code_chunks SET content = x'ff' WHERE id = 1",
    );
    let column = ["--without-column", "code_chunks.a b"];
    let args = ["sqlite-to-kv", "code.db", "new.kv", "--on-invalid", "skip"];
    let run = scenario.run(&[&args[..], &column].concat()).expect_status(1);
    let [add] = commands(&run)[..] else { panic!("{run}") };
    scenario.change("code.db", "UPDATE code_chunks SET content = 'fixed' WHERE id = 1");
    let run = shell_command(&scenario, add).expect_status(0);
    assert!(run.stdout.contains("Merged 1 record into new.kv"), "{run}");
}

#[test]
fn a_constraint_violation_may_be_fixed_in_the_target() {
    let scenario = Scenario::with_small_pair();
    scenario.bare_database("target.db", |db| {
        db.execute_batch(
            "CREATE TABLE graph_entities (id INTEGER PRIMARY KEY);
             CREATE TABLE symbol_metrics (symbol_id INTEGER PRIMARY KEY, symbol_name TEXT NOT NULL,
                 kind TEXT NOT NULL, file_path TEXT NOT NULL, loc INTEGER, estimated_loc REAL,
                 fan_in INTEGER, fan_out INTEGER, cyclomatic_complexity INTEGER,
                 last_updated INTEGER NOT NULL,
                 FOREIGN KEY (symbol_id) REFERENCES graph_entities(id))",
        )
        .unwrap();
    });
    let args = ["kv-to-sqlite", "code.kv", "target.db", "--merge", "--on-invalid", "skip"];
    let only = ["--only", "symbol-metrics"];
    let run = scenario.run(&[&args[..], &only].concat()).expect_status(1);
    assert!(run.stdout.contains("fix the rejected items in the source or the target"), "{run}");
    let [add] = commands(&run)[..] else { panic!("{run}") };
    scenario.change(
        "target.db",
        "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 100)
         INSERT INTO graph_entities SELECT id FROM ids;
         INSERT OR IGNORE INTO graph_entities VALUES (0), (-1), (-9223372036854775808)",
    );
    let _ = shell_command(&scenario, add).expect_status(0);
}

/// Id sequences belong to no kind and are not records, but they change the target anyway.
#[test]
fn a_merge_of_id_sequences_alone_says_what_it_writes() {
    let scenario = Scenario::with_small_pair();
    std::fs::write(
        scenario.path("sequences.ndjson"),
        r#"{"kind":"sequences","key":"sequences","value":{"code_chunks":500,"execution_log":60}}"#,
    )
    .unwrap();
    for (target, to) in [("code.kv", "kv"), ("code.db", "sqlite")] {
        let args = ["import", "sequences.ndjson", target, "--to", to, "--merge"];
        let before = scenario.files();
        let run = scenario.run(&[&args[..], &["--dry-run"]].concat()).expect_status(0);
        assert!(run.stdout.contains("only the id sequences or the manifest"), "{run}");
        assert!(run.stdout.contains("\nNext: rerun without --dry-run"), "{run}");
        assert_eq!(scenario.files(), before);

        let run = scenario.run(&args).expect_status(0);
        assert!(run.stdout.contains("only the id sequences or the manifest"), "{run}");
        assert_ne!(scenario.files(), before);
        let run = scenario.run(&args).expect_status(0);
        assert!(run.stdout.contains("there was nothing to merge"), "{run}");
    }
}
