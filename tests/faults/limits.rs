//! A file size limit, and a small disk that is really full.

use std::process::Command;

use super::commands::{Case, Expected, Target, all_writers, check_reported, scenario};
use crate::common::{PROGRAM, Run, Scenario};

/// The message for a write beyond a limit, or to a full disk.
const CAUSES: [&str; 4] = ["File too large", "disk I/O error", "No space left on device", "space"];

fn check(case: &Case, expected: &Expected, scenario: &Scenario, run: &Run, place: &str) -> bool {
    let place = format!("{:?}, {place}: {run}", case.args);
    let target = case.target(scenario, expected, &place);
    case.check_others(scenario, target, &place);
    if run.status == case.status {
        assert_eq!(target, Target::Whole, "{place}");
        return true;
    }
    assert_eq!(run.status, 2, "{place}");
    check_reported(scenario, case.args, run, &CAUSES, &place);
    false
}

#[test]
#[ignore = "deep: fifteen commands with one limit after the other"]
fn a_file_size_limit_leaves_the_old_target_or_a_complete_one() {
    for case in all_writers() {
        let expected = case.expected();
        let done = (0..500).any(|eighth| {
            let scenario = scenario(case.args);
            let mut command = Command::new("sh");
            command
                .current_dir(scenario.folder())
                .env("TMPDIR", scenario.folder())
                .arg("-c")
                .arg(format!("ulimit -f {} && exec \"$0\" \"$@\"", eighth * 8))
                .arg(PROGRAM)
                .args(case.args);
            let run = Run::of(command.output().unwrap());
            check(case, &expected, &scenario, &run, &format!("limit {eighth}"))
        });
        assert!(done, "{:?} never had enough space", case.args);
    }
}

/// Runs a command on its own disk with this many bytes for new files, whose content is copied back
/// into the directory; `None` if the machine doesn't let us mount one.
fn run_on_small_disk(scenario: &Scenario, args: &[&str], free_kib: u64) -> Option<Run> {
    let aside = Scenario::new();
    // A file takes whole pages, and the directory some.
    let pages = |bytes: &Vec<u8>| bytes.len().div_ceil(4096) as u64;
    let kib = scenario.files().values().map(pages).sum::<u64>() * 4 + free_kib;
    let script = format!(
        "folder=$1 aside=$2 program=$3; shift 3; export TMPDIR=\"$folder\"
         cp -a \"$folder\"/. \"$aside\" || exit 98
         mount -t tmpfs -o size={kib}k tmpfs \"$folder\" || exit 99
         cp -a \"$aside\"/. \"$folder\" && cd \"$folder\" || exit 98
         \"$program\" \"$@\"; status=$?
         cd / && rm -rf \"$aside\"/* && cp -a \"$folder\"/. \"$aside\" || exit 97
         umount \"$folder\" && rm -rf \"$folder\"/* && cp -a \"$aside\"/. \"$folder\" || exit 97
         exit $status"
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
        .args([scenario.folder(), aside.folder()])
        .arg(PROGRAM)
        .args(args)
        .output()
        .ok()?;
    let run = Run::of(output);
    assert!(![97, 98].contains(&run.status), "{run}");
    (run.status != 99 && !run.stderr.contains("unshare")).then_some(run)
}

#[test]
#[ignore = "deep: fifteen commands on one disk after the other"]
fn a_small_full_disk_leaves_the_old_target_or_a_complete_one() {
    for case in all_writers() {
        let expected = case.expected();
        let mut free = (0..200).map(|step| step * 12);
        let done = free.any(|free_kib| {
            let scenario = scenario(case.args);
            let Some(run) = run_on_small_disk(&scenario, case.args, free_kib) else {
                eprintln!("passed by: no disk can be mounted here");
                return true;
            };
            check(case, &expected, &scenario, &run, &format!("{free_kib} KiB"))
        });
        assert!(done, "{:?} never had enough space", case.args);
    }
}
