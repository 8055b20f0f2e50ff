//! Calls that fail or are cut short.

use super::commands::{
    Case, OTHER_WRITERS, READERS, READERS_OF_EACH_STORE, Target, WHOLE_WRITERS, WRITERS,
    all_writers, check_others, check_reported, scenario,
};
use super::shim::{CHANGES, Disturbance, Disturbed, READS, sweep};

const EIO: [&str; 2] = ["Input/output error", "disk I/O error"];
/// SQLite's message for a file that could not be opened or read once, but can be afterwards.
const EIO_ONCE: [&str; 5] = [
    EIO[0],
    EIO[1],
    "unable to open database file",
    "attempt to write a readonly database",
    "failing disk",
];
const FULL: [&str; 2] = ["No space left on device", "not enough disk space"];

/// Disturbs each step of commands that write. An error leaves the target unchanged, or complete; a
/// run that continued leaves it complete. `causes` are the messages that an error may have; if
/// empty, no error may occur.
fn sweep_writers<'a>(
    cases: impl IntoIterator<Item = &'a Case>,
    disturbance: Disturbance,
    causes: &[&str],
) {
    for case in cases {
        let expected = case.expected();
        let steps = sweep(case.args, disturbance, |scenario, disturbed| {
            let (run, place) = (&disturbed.run, &disturbed.place);
            let target = case.target(scenario, &expected, place);
            case.check_others(scenario, target, place);
            let journal = scenario.path(&format!("{}-journal", case.target));
            assert!(disturbance.lasts || !journal.exists(), "{place}");
            match run.status == case.status {
                true => {
                    assert_eq!(target, Target::Whole, "{place}");
                    assert!(causes.is_empty() || may_fail(case, disturbed), "{place}");
                }
                false => {
                    assert_eq!(run.status, 2, "{place}");
                    check_reported(scenario, case.args, run, causes, place);
                }
            }
        });
        assert!(steps > 0, "{:?} has no such step", case.args);
    }
}

/// Like [`sweep_writers`], for commands that change no file: their output is the undisturbed one,
/// or an error.
fn sweep_readers(commands: &[&[&str]], disturbance: Disturbance, causes: &[&str]) {
    for &args in commands {
        let undisturbed = scenario(args).run(args).expect_status(0);
        sweep(args, disturbance, |scenario, disturbed| {
            let (run, place) = (&disturbed.run, &disturbed.place);
            check_others(scenario, args, |_| false, place);
            match run.status {
                0 => assert_eq!(run.stdout, undisturbed.stdout, "{place}"),
                status => {
                    assert_eq!(status, 2, "{place}");
                    check_reported(scenario, args, run, causes, place);
                }
            }
        });
    }
}

/// Whether a step may fail without consequence: what only saves work or disk space, SQLite's sync
/// of a directory, whose result it ignores, and the checkpoint of a `-wal` after the commit.
fn may_fail(case: &Case, disturbed: &Disturbed) -> bool {
    let (call, path) = &disturbed.step;
    let is_merge = case.args.contains(&"--merge");
    match call.as_str() {
        _ if case.target == "wal.db" => true,
        "write" | "pwrite64" | "rename" | "renameat2" => false,
        "fsync" | "fdatasync" => is_merge && !path.contains(case.target),
        _ => true,
    }
}

fn once(groups: &'static str, how: &'static str) -> Disturbance {
    let lasts = false;
    Disturbance { groups, how, lasts }
}

fn from_then_on(groups: &'static str, how: &'static str) -> Disturbance {
    let lasts = true;
    Disturbance { groups, how, lasts }
}

#[test]
fn one_failing_call_leaves_the_old_target_or_a_complete_one() {
    sweep_writers(&WRITERS, once(CHANGES, "EIO"), &EIO_ONCE);
}

#[test]
fn one_failing_call_leaves_a_whole_database_complete_or_not_created() {
    sweep_writers(&WHOLE_WRITERS, once(CHANGES, "EIO"), &EIO_ONCE);
}

#[test]
#[ignore = "deep: every step of nine more commands"]
fn one_failing_call_of_any_other_command_leaves_the_old_target_or_a_complete_one() {
    sweep_writers(&OTHER_WRITERS, once(CHANGES, "EIO"), &EIO_ONCE);
}

#[test]
#[ignore = "deep: every step of fifteen commands"]
fn a_disk_failing_from_any_call_on_leaves_the_old_target_or_a_complete_one() {
    sweep_writers(all_writers(), from_then_on(CHANGES, "EIO"), &EIO);
}

#[test]
fn a_disk_full_from_any_call_on_leaves_the_old_target_or_a_complete_one() {
    sweep_writers(&WRITERS, from_then_on("cw", "ENOSPC"), &FULL);
}

#[test]
fn a_disk_full_from_any_call_on_leaves_a_whole_database_complete_or_not_created() {
    sweep_writers(&WHOLE_WRITERS, from_then_on("cw", "ENOSPC"), &FULL);
}

#[test]
#[ignore = "deep: every step of nine more commands"]
fn a_full_disk_leaves_any_other_command_the_old_target_or_a_complete_one() {
    sweep_writers(&OTHER_WRITERS, from_then_on("cw", "ENOSPC"), &FULL);
}

#[test]
#[ignore = "deep: every write of six commands"]
fn short_writes_are_continued() {
    sweep_writers(WRITERS.iter().chain(&WHOLE_WRITERS), once("w", "SHORT"), &[]);
}

#[test]
#[ignore = "deep: every write of six commands, every read of three"]
fn interrupted_calls_are_retried() {
    sweep_writers(WRITERS.iter().chain(&WHOLE_WRITERS), once("w", "EINTR"), &[]);
    sweep_readers(&READERS_OF_EACH_STORE, once(READS, "EINTR"), &[]);
}

#[test]
#[ignore = "deep: every read of all commands"]
fn a_failing_read_is_an_error_of_every_command() {
    sweep_writers(all_writers(), once(READS, "EIO"), &EIO_ONCE);
    sweep_readers(&READERS, once(READS, "EIO"), &EIO_ONCE);
}

#[test]
#[ignore = "deep: every read of three commands"]
fn a_disk_unreadable_from_any_call_on_is_an_error_of_every_command() {
    sweep_readers(&READERS_OF_EACH_STORE, from_then_on(READS, "EIO"), &EIO_ONCE);
}

#[test]
#[ignore = "deep: every read of three commands"]
fn short_reads_are_continued() {
    sweep_readers(&READERS_OF_EACH_STORE, once(READS, "SHORT"), &[]);
}

#[test]
#[ignore = "deep: every step of ten commands"]
fn a_round_trip_without_disk_space_is_an_error_and_leaves_nothing() {
    sweep_readers(&READERS, from_then_on("cw", "ENOSPC"), &FULL);
}
