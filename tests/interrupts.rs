//! Stopped at any moment: the target is absent or complete. After a signal that can be caught no
//! temporary is left; after SIGKILL the next run names it and succeeds.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::tables::insert_chunks;
use crate::common::{Run, Scenario, kv};

const CHUNKS: i64 = 4000;

fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| insert_chunks(db, CHUNKS));
    scenario
}

/// Starts a copy and sends it a signal as soon as it has told of so many finished stages. Returns
/// how it ended and whether it was still there to be stopped.
fn stop_after(scenario: &Scenario, stages: usize, signal: Signal) -> (Run, bool) {
    let mut command =
        scenario.command(&["sqlite-to-kv", "code.db", "out.kv", "--progress", "always"]);
    let mut child: Child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines.by_ref().take(stages).count();
    kill_process(Pid::from_child(&child), signal).unwrap();
    // What it still says must be read, or it could block.
    let _rest = lines.count();
    (Run::of(child.wait_with_output().unwrap()), seen == stages)
}

/// Sweeps a signal over all stages, and checks each end with `check`.
fn sweep(signal: Signal, check: impl Fn(&Scenario, &Run)) {
    let mut stopped = 0;
    for stages in 0.. {
        let scenario = scenario();
        let (run, reached) = stop_after(&scenario, stages, signal);
        check(&scenario, &run);
        if !reached {
            break;
        }
        stopped += usize::from(run.status != 0);
    }
    assert!(stopped > 0, "no run was stopped");
}

fn is_complete(scenario: &Scenario) -> bool {
    let target = scenario.path("out.kv");
    target.exists() && kv::keys(&target).len() as i64 == CHUNKS
}

#[test]
fn sigint_sigterm_and_sighup_leave_nothing_but_the_source() {
    for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15), (Signal::HUP, 1)] {
        sweep(signal, |scenario, run| {
            let names: Vec<String> = scenario.files().into_keys().collect();
            match run.status {
                0 => assert!(is_complete(scenario)),
                // So early that the program had not begun to listen.
                status if status == -number => assert_eq!(names, ["code.db"], "{run}"),
                status => {
                    assert_eq!(status, 128 + number, "{run}");
                    assert_eq!(names, ["code.db"], "{run}");
                }
            }
        });
    }
}

#[test]
fn sigkill_leaves_no_half_target_and_the_next_run_succeeds() {
    sweep(Signal::KILL, |scenario, run| {
        let target = scenario.path("out.kv");
        if target.exists() {
            assert!(is_complete(scenario), "{run}");
            return;
        }
        let left: Vec<String> = scenario
            .files()
            .into_keys()
            .filter(|n| n != "code.db")
            .collect();
        let next = scenario
            .run(&["sqlite-to-kv", "code.db", "out.kv"])
            .expect_status(0);
        assert!(is_complete(scenario));
        for name in left {
            assert!(name.starts_with(".chunkmigrate-"), "{name}");
            assert!(next.stdout.contains(&name), "{next}");
        }
    });
}
