//! Runs that are stopped at every step: by SIGKILL, with no chance to clean up, and by signals that
//! request a stop.

use std::cell::Cell;

use super::commands::{
    Case, OTHER_WRITERS, READERS, Target, WHOLE_WRITERS, WRITERS, all_writers, check_others,
};
use super::shim::{CHANGES_AND_DELETIONS, Disturbance, sweep};
use crate::common::Scenario;

fn signal(how: &'static str) -> Disturbance {
    Disturbance { groups: CHANGES_AND_DELETIONS, how, lasts: false }
}

/// Staging directories and other temporary files that a run left.
fn temporaries(scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = scenario.files().into_keys().collect();
    names.retain(|name| is_temporary(name));
    names
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(".chunkmigrate-") || name.starts_with("chunkmigrate-")
}

/// Kills at every step, and runs the command again behind each `again`th of them.
fn kill_at_every_step<'a>(cases: impl IntoIterator<Item = &'a Case>, again: usize) {
    for case in cases {
        let number = Cell::new(0);
        let expected = case.expected();
        let steps = sweep(case.args, signal("KILL"), |scenario, killed| {
            let (run, place) = (&killed.run, &killed.place);
            assert_eq!(run.status, -9, "{place}");
            let target = case.target(scenario, &expected, place);
            let place_in_sweep = number.replace(number.get() + 1);
            if !usize::is_multiple_of(place_in_sweep, again) {
                return;
            }
            let left = temporaries(scenario);
            let next = scenario.run(case.args);
            // The target may be there: the run was killed while it cleaned up.
            let makes_file = expected.is_new() || case.status == 1;
            let is_done = target == Target::Whole && makes_file && next.status == 2;
            match is_done {
                true => assert!(next.stderr.contains("already exists"), "{place}: {next}"),
                false => assert_eq!(next.status, case.status, "{place}: {next}"),
            }
            let target = case.target(scenario, &expected, place);
            assert_eq!(target, Target::Whole, "{place}: {next}");
            assert_eq!(temporaries(scenario), left, "{place}: {next}");
            for name in left.iter().filter(|_| !is_done) {
                assert!(next.stdout.contains(name), "{place}: {next}");
            }
        });
        assert!(steps > 10, "{:?} has {steps} steps", case.args);
    }
}

#[test]
fn a_kill_at_any_call_leaves_the_old_target_or_a_complete_one_and_the_next_run_succeeds() {
    kill_at_every_step(&WRITERS, 3);
}

#[test]
fn a_kill_at_any_call_leaves_a_whole_database_complete_or_not_created_and_the_next_run_succeeds() {
    kill_at_every_step(&WHOLE_WRITERS, 3);
}

#[test]
#[ignore = "deep: every call of nine more commands"]
fn a_kill_of_any_other_command_leaves_the_old_target_or_a_complete_one_and_the_next_run_succeeds() {
    kill_at_every_step(&OTHER_WRITERS, 3);
}

#[test]
#[ignore = "deep: a signal at every step of fifteen commands"]
fn a_signal_at_any_call_leaves_no_temporary_file_and_no_incomplete_target() {
    // The handler doesn't depend on the command: one is enough for the second signal.
    let all = all_writers().map(|case| ("INT", 130, case));
    for (how, status, case) in all.chain([("TERM", 143, &WRITERS[0])]) {
        let expected = case.expected();
        sweep(case.args, signal(how), |scenario, stopped| {
            let (run, place) = (&stopped.run, &stopped.place);
            let target = case.target(scenario, &expected, place);
            case.check_others(scenario, target, place);
            match target {
                Target::AsBefore => assert_eq!(run.status, status, "{place}"),
                Target::Whole => assert_eq!(run.status, case.status, "{place}"),
            }
        });
    }
}

#[test]
#[ignore = "deep: two signals at every step of ten commands"]
fn a_round_trip_stopped_at_any_call_changes_only_its_own_directory() {
    for (how, status) in [("KILL", -9), ("INT", 130)] {
        for args in READERS {
            let number = Cell::new(0);
            sweep(args, signal(how), |scenario, stopped| {
                let (run, place) = (&stopped.run, &stopped.place);
                check_others(scenario, args, |name| how == "KILL" && is_temporary(name), place);
                assert!(run.status == status || run.status == 0, "{place}");
                if usize::is_multiple_of(number.replace(number.get() + 1), 3) {
                    let _ = scenario.run(args).expect_status(0);
                }
            });
        }
    }
}
