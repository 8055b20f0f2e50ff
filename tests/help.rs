//! What the program says of itself.

use crate::common::{Scenario, with_snapshots};

#[test]
fn help_of_every_command() {
    let scenario = Scenario::new();
    for command in ["", "sqlite-to-kv", "verify"] {
        for flag in ["-h", "--help"] {
            let args: Vec<&str> = [command, flag]
                .into_iter()
                .filter(|a| !a.is_empty())
                .collect();
            let run = scenario.run(&args).expect_status(0);
            let name = format!(
                "help_{}_{}",
                command.replace('-', "_"),
                flag.trim_matches('-')
            );
            with_snapshots(|| insta::assert_snapshot!(name.replace("__", "_"), run));
        }
    }
}

#[test]
fn wrong_usage_is_exit_status_2_and_json_where_json_was_asked_for() {
    let scenario = Scenario::new();
    let _ = scenario.run(&["sqlite-to-kv", "only-one"]).expect_status(2);
    let _ = scenario.run(&[]).expect_status(2);
    let _ = scenario.run(&["no-such-command"]).expect_status(2);
    let run = scenario
        .run(&[
            "--format",
            "json",
            "sqlite-to-kv",
            "a",
            "b",
            "--only",
            "chunks",
        ])
        .expect_status(2);
    with_snapshots(|| insta::assert_snapshot!("help_usage_json", run));
}
