//! The page of `verify --html`, disturbed at every step.

use std::fs;

use super::commands::{check_others, scenario};
use super::shim::{CHANGES, CHANGES_AND_DELETIONS, Disturbance, sweep};

pub(super) const PAGE: &str = "page.html";
pub(super) const VERIFY: [&str; 5] = ["verify", "half.kv", "code.db", "--html", PAGE];

/// Disturbs each step. Then there is no page, or a complete one, and no verdict without it.
fn sweep_page(groups: &'static str, how: &'static str, lasts: bool, statuses: &[i32]) {
    let undisturbed = scenario(&VERIFY);
    let output = undisturbed.run(&VERIFY).expect_status(1).stdout;
    let whole = fs::read(undisturbed.path(PAGE)).unwrap();
    let disturbance = Disturbance { groups, how, lasts };
    let steps = sweep(&VERIFY, disturbance, |scenario, disturbed| {
        let (run, place) = (&disturbed.run, &disturbed.place);
        let may_be_left = |name: &str| how == "KILL" && name.starts_with(".chunkmigrate-");
        check_others(scenario, &VERIFY, |name| name == PAGE || may_be_left(name), place);
        let page = fs::read(scenario.path(PAGE)).ok();
        assert!(page.as_ref().is_none_or(|page| *page == whole), "{place}");
        assert!(statuses.contains(&run.status), "{place}");
        match run.status {
            1 => assert!(page.is_some() && run.stdout == output, "{place}"),
            // A killed run may have printed everything.
            -9 => {}
            _ => assert_eq!(run.stdout, "", "{place}"),
        }
        let (call, path) = &disturbed.step;
        let is_of_page = path.ends_with(PAGE);
        let must_fail = ["EIO", "ENOSPC"].contains(&how) && (is_of_page || call == "fsync");
        assert!(run.status == 2 || !must_fail, "{place}");
        let must_stop = how == "INT" && is_of_page && !call.starts_with("rename");
        assert!(run.status == 130 || !must_stop, "{place}");
        if run.status == 2 {
            let folder = scenario.folder().to_str().unwrap();
            assert!(run.stderr.contains(PAGE) || run.stderr.contains(folder), "{place}");
        }
    });
    // The start of the page, and the rest at once.
    assert!(steps > 1, "{how}: {steps}");
}

#[test]
#[ignore = "deep: every step of one more command"]
fn a_page_appears_complete_or_not_at_all_whatever_fails() {
    sweep_page(CHANGES, "EIO", false, &[1, 2]);
    sweep_page(CHANGES, "EIO", true, &[1, 2]);
    sweep_page("cw", "ENOSPC", true, &[1, 2]);
    sweep_page("w", "SHORT", false, &[1]);
    sweep_page("w", "EINTR", false, &[1]);
}

#[test]
#[ignore = "deep: every step of one more command"]
fn a_page_appears_complete_or_not_at_all_when_the_run_is_stopped() {
    sweep_page(CHANGES_AND_DELETIONS, "KILL", false, &[-9]);
    sweep_page(CHANGES_AND_DELETIONS, "INT", false, &[1, 130]);
}
