//! The reports of `verify` and of copies as text: what comes first, what is shown of a finding, and
//! how long lines are broken.

use std::process::Command;
use std::time::Duration;

use crate::common::pages::{with_contents, with_every_class};
use crate::common::terminal::Terminal;
use crate::common::{Scenario, with_snapshots};

/// What the program shows on a terminal with as many columns, without colours.
fn on_terminal(scenario: &Scenario, columns: u16, args: &[&str]) -> String {
    let terminal = Terminal::new(columns);
    let mut command = scenario.command(args);
    command.env("TERM", "xterm").arg("--color").arg("never").arg("--progress").arg("never");
    command.stdout(terminal.end()).stderr(terminal.end());
    terminal.run(command).0.replace("\r\n", "\n")
}

#[test]
fn text_is_broken_between_words_at_the_width_of_the_terminal() {
    let scenario = with_every_class();
    for columns in [40, 80, 120] {
        let shown = on_terminal(&scenario, columns, &["verify", "left.db", "right.kv"]);
        let shown: String = shown
            .lines()
            .map(|line| if line.starts_with("time ") { "time   [TIME]" } else { line })
            .flat_map(|line| [line, "\n"])
            .collect();
        with_snapshots(|| insta::assert_snapshot!(format!("report_{columns}_columns"), shown));
    }
}

#[test]
fn a_report_begins_and_ends_with_the_verdict_if_there_are_findings() {
    let scenario = with_every_class();
    let run = scenario.run(&["verify", "left.db", "right.kv"]).expect_status(1);
    let verdict = run.stdout.lines().next().unwrap();
    assert!(verdict.starts_with("Diverged: "), "{run}");
    assert_eq!(run.stdout.lines().filter(|line| *line == verdict).count(), 2, "{run}");
    let run = scenario.run(&["verify", "left.db", "left.db", "--only", "none"]).expect_status(0);
    assert_eq!(run.stdout.matches("Identical: ").count(), 1, "{run}");
}

#[test]
fn there_is_a_next_step_whenever_stores_differ() {
    let scenario = with_every_class();
    let pair = ["verify", "left.db", "right.kv"];
    for (args, next) in [
        (&[][..], "--html report.html"),
        (&["--limit", "0"], "--report findings.jsonl"),
        (&["--html", "report.html"], "Next: fix or restore what is invalid, then compare again.\n"),
    ] {
        let run = scenario.run(&[&pair[..], args].concat()).expect_status(1);
        let (_, step) = run.stdout.split_once("Next: ").unwrap();
        assert!(format!("Next: {step}").contains(next), "{args:?}: {run}");
    }
}

#[test]
fn so_many_findings_of_each_class_are_shown() {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
         INSERT INTO file_metrics (file_path, last_updated) SELECT 'new' || i || '.rs', 7 FROM n;
         UPDATE code_chunks SET symbol_name = 'other' WHERE id = 1",
    );
    let run = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(1);
    assert_eq!(run.stdout.matches("  metrics:file:new").count(), 10, "{run}");
    assert!(run.stdout.contains("\n  and 2 more\n"), "{run}");
    let args = ["verify", "code.db", "code.kv", "--limit", "1"];
    let run = scenario.run(&args).expect_status(1);
    assert_eq!(run.stdout.matches("  metrics:file:new").count(), 1, "{run}");
    assert!(run.stdout.contains("\n  and 11 more\n"), "{run}");
    assert!(run.stdout.contains("symbol_name"), "one of each class: {run}");
}

#[test]
fn a_text_of_several_lines_is_compared_by_lines() {
    let lines = |middle: &str| {
        let many = |from: u8| (from..from + 9).map(|n| format!("line {n}\n")).collect::<String>();
        format!("{}{middle}{}", many(0), many(10))
    };
    let scenario = with_contents(
        &(lines("    let café = 1;\n") + "tail"),
        &(lines("    let cafe = 1;\n    more();\n") + "tail\n"),
    );
    let run = scenario.run(&["verify", "left.db", "right.db"]).expect_status(1);
    with_snapshots(|| insta::assert_snapshot!("report_lines", run));
    let run = scenario.run(&["verify", "left.db", "right.db", "--values", "redacted"]);
    assert!(!run.stdout.contains("more()") && !run.stdout.contains("tail"), "{run}");
    // A long difference is cut, and says so.
    let long = |text: &str| format!("{text}\n").repeat(40);
    let scenario = with_contents(&long("one"), &long("two"));
    let run = scenario.run(&["verify", "left.db", "right.db"]).expect_status(1);
    assert!(run.stdout.contains("… 68 more lines\n"), "{run}");
    let args = ["verify", "left.db", "right.db", "--values", "full"];
    let run = scenario.run(&args).expect_status(1);
    assert!(!run.stdout.contains("more lines"), "{run}");
}

#[test]
fn a_record_on_one_side_only_is_shown() {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "DELETE FROM code_chunks WHERE id = 1");
    let run = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(1);
    assert!(run.stdout.contains("content \"fn main() {}\""), "{run}");
    assert!(!run.stdout.contains("content_hash"), "it follows from the content: {run}");
    let args = ["verify", "code.db", "code.kv", "--values", "redacted", "--report", "all.jsonl"];
    let run = scenario.run(&args).expect_status(1);
    let all = std::fs::read_to_string(scenario.path("all.jsonl")).unwrap();
    assert!(!run.stdout.contains("fn main") && !all.contains("fn main"), "{run}{all}");
}

#[test]
fn every_report_says_how_long_it_took() {
    let scenario = Scenario::with_small_pair();
    for args in [
        &["verify", "code.db", "code.kv"][..],
        &["sqlite-to-kv", "code.db", "new.kv"],
        &["kv-to-sqlite", "code.kv", "new.db"],
        &["inspect", "code.kv"],
    ] {
        let mut command: Command = scenario.command(args);
        let output = command.output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        let time = shown.lines().find_map(|line| line.strip_prefix("time ")).unwrap();
        let seconds = time.trim().strip_suffix(" s").unwrap().parse().unwrap();
        assert!(Duration::from_secs_f64(seconds) < Duration::from_secs(60), "{shown}");
    }
}

#[test]
fn verbose_says_how_stores_are_opened_and_lists_all_tables() {
    let scenario = Scenario::with_small_pair();
    let tables = (1..6).map(|n| format!("CREATE TABLE t{n} (a); INSERT INTO t{n} VALUES (1);"));
    scenario.change("code.db", &tables.collect::<String>());
    let run = scenario.run(&["sqlite-to-kv", "code.db", "new.kv"]).expect_status(0);
    let line = "other tables   t1, t2, t3 and 2 more (5 rows, 38 % of all): not copied; --tables all \
                carries them, -v lists all\n";
    assert!(run.stdout.contains(line), "{run}");
    assert!(run.stderr.is_empty(), "{run}");
    let args = ["sqlite-to-kv", "code.db", "new.kv", "--replace", "-v"];
    let run = scenario.run(&args).expect_status(0);
    assert!(run.stdout.contains("               t5 (1 row)\n"), "{run}");
    assert!(run.stderr.contains("code.db: SQLite, opened with a read lock"), "{run}");
    assert!(!run.stderr.contains("copy chunk"), "{run}");
    let run = scenario.run(&[&args[..], &["-v"]].concat()).expect_status(0);
    assert!(run.stderr.contains(" s] copy chunk: 3 records\n"), "{run}");
    let run = scenario.run(&["inspect", "code.kv", "-v", "--quiet"]).expect_status(2);
    assert!(run.stderr.contains("cannot be used with"), "{run}");
}
