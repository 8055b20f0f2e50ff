//! Stopped at any moment: the target is unchanged or complete. After a signal that can be caught no
//! temporary file is left; after SIGKILL the next run reports it and succeeds.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};

use crate::common::store_contents::records;
use crate::common::tables::insert_chunks;
use crate::common::watchdog::Watchdog;
use crate::common::{Run, Scenario};

const CHUNKS: i64 = 100;

/// A command that creates or changes `target`.
struct Case {
    args: &'static [&'static str],
    target: &'static str,
    /// The store whose records the target has at the end.
    like: &'static str,
}

const CASES: [Case; 4] = [
    Case { args: &["sqlite-to-kv", "code.db", "target"], target: "target", like: "code.db" },
    Case { args: &["kv-to-sqlite", "code.kv", "target"], target: "target", like: "code.kv" },
    Case {
        args: &["kv-to-sqlite", "code.kv", "half.db", "--merge"],
        target: "half.db",
        like: "code.kv",
    },
    Case {
        args: &["sqlite-to-kv", "code.db", "half.kv", "--merge"],
        target: "half.kv",
        like: "code.db",
    },
];

/// A directory with a database and its KV file, and both with half of the records changed.
fn scenario() -> Scenario {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    let scenario = Scenario::new();
    for (name, bytes) in FILES.get_or_init(|| make().files()) {
        fs::write(scenario.path(name), bytes).unwrap();
    }
    scenario
}

fn make() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| insert_chunks(db, CHUNKS));
    scenario.database("half.db", |db| {
        insert_chunks(db, CHUNKS / 2);
        db.execute_batch("UPDATE code_chunks SET content = 'old' WHERE id % 3 = 0").unwrap();
    });
    for (source, target) in [("code.db", "code.kv"), ("half.db", "half.kv")] {
        let _ = scenario.run(&["sqlite-to-kv", source, target]).expect_status(0);
    }
    scenario
}

/// Starts a command and sends it a signal once it has reported this many finished stages. Returns
/// how it ended and whether it was still running when the signal came.
fn stop_after(scenario: &Scenario, args: &[&str], stages: usize, signal: Signal) -> (Run, bool) {
    let mut command = scenario.command(&[args, &["--progress", "always"]].concat());
    let mut child: Child = command
        .env("TMPDIR", scenario.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _watchdog = Watchdog::of(&child);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines.by_ref().take(stages).count();
    kill_process(Pid::from_child(&child), signal).unwrap();
    // The rest of its output must be read, or it could block.
    let _rest = lines.count();
    (Run::of(child.wait_with_output().unwrap()), seen == stages)
}

/// Sweeps a signal over all stages of a command, and checks each result with `check`. On a busy
/// machine a signal may come after the run, so a sweep that stopped no run is repeated.
fn sweep(args: &[&str], signal: Signal, check: impl Fn(&Scenario, &Run)) {
    let mut sweeps = (0..100).map(|_| sweep_once(args, signal, &check));
    assert!(sweeps.any(|stopped| stopped), "no run of {args:?} was stopped");
}

/// Whether a sweep stopped a run before it ended.
fn sweep_once(args: &[&str], signal: Signal, check: &impl Fn(&Scenario, &Run)) -> bool {
    let mut stopped = false;
    for stages in 0.. {
        let scenario = scenario();
        let (run, reached) = stop_after(&scenario, args, stages, signal);
        check(&scenario, &run);
        stopped |= run.status != 0;
        if !reached {
            break;
        }
    }
    stopped
}

/// The records of a store, if there is one.
type Catalog = Option<String>;

/// Whether a run did all of its work, and not half of it.
fn is_complete(scenario: &Scenario, case: &Case, old: &Catalog, whole: &Catalog) -> bool {
    let found = records(scenario, case.target);
    let complete = found == *whole;
    assert!(complete || found == *old, "{:?} left a half target", case.args);
    complete
}

fn names(scenario: &Scenario) -> Vec<String> {
    scenario.files().into_keys().collect()
}

/// Whether this process ignores a signal, and with it the programs that it starts; `false` if there
/// is no `/proc`.
fn is_ignored(number: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}

#[test]
fn sigint_sigterm_and_sighup_leave_only_existing_files() {
    for case in &CASES {
        let before = scenario();
        let old = records(&before, case.target);
        let whole = records(&before, case.like);
        for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15), (Signal::HUP, 1)] {
            // One signal is enough for the other commands: they handle all three alike.
            if number != 2 && case.args != CASES[0].args {
                continue;
            }
            if is_ignored(number) {
                eprintln!("passed by: signal {number} is ignored here, as under nohup");
                continue;
            }
            sweep(case.args, signal, |scenario, run| {
                let mut left = names(scenario);
                let complete = is_complete(scenario, case, &old, &whole);
                if complete {
                    left.retain(|name| old.is_some() || name != case.target);
                }
                assert_eq!(left, names(&before), "{run}");
                match run.status {
                    0 => assert!(complete),
                    // So early that the program has no signal handler yet.
                    status if status == -number => {}
                    status => assert_eq!(status, 128 + number, "{run}"),
                }
            });
        }
    }
}

#[test]
fn sigkill_leaves_no_incomplete_target_and_the_next_run_succeeds() {
    for case in &CASES {
        let before = scenario();
        let old = records(&before, case.target);
        let whole = records(&before, case.like);
        sweep(case.args, Signal::KILL, |scenario, run| {
            let complete = is_complete(scenario, case, &old, &whole);
            let known = names(&before);
            let mut left = names(scenario);
            left.retain(|name| !known.contains(name) && !name.starts_with(case.target));
            if !complete || old.is_some() {
                let next = scenario.run(case.args).expect_status(0);
                assert!(is_complete(scenario, case, &None, &whole), "{run}");
                for name in left {
                    assert!(name.starts_with(".chunkmigrate-"), "{name}");
                    assert!(next.stdout.contains(&name), "{next}");
                }
            }
        });
    }
}

#[test]
fn a_stopped_round_trip_leaves_nothing() {
    let before = names(&scenario());
    sweep(&["verify", "code.db"], Signal::INT, |scenario, _| {
        assert_eq!(names(scenario), before);
    });
}
