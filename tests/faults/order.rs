//! What must be synced to disk before something else is done.

use super::commands::{all_writers, scenario};
use super::page;
use super::shim::{CHANGES, trace};

/// Position of the last step of some calls on a file; the file is identified by the end of its
/// path.
fn last(steps: &[(String, String)], calls: &[&str], path: &str) -> usize {
    let is_one =
        |(call, file): &(String, String)| calls.contains(&call.as_str()) && file.ends_with(path);
    let place = steps.iter().rposition(is_one);
    place.unwrap_or_else(|| panic!("no {calls:?} of {path} in {steps:?}"))
}

#[test]
fn a_file_is_synced_before_its_rename_and_the_rename_before_success_is_reported() {
    const WRITES: [&str; 3] = ["write", "pwrite64", "ftruncate64"];
    let copies = all_writers().filter(|case| !case.args.contains(&"--merge"));
    let copies = copies.map(|case| (case.args, case.target));
    for (args, target) in copies.chain([(&page::VERIFY[..], page::PAGE)]) {
        let scenario = scenario(args);
        let steps = trace(&scenario, args, CHANGES);
        let folder = scenario.folder().canonicalize().unwrap();
        let of_target = |calls: &[&str]| last(&steps, calls, &format!("/{target}"));
        let order = [
            of_target(&WRITES),
            of_target(&["fsync"]),
            of_target(&["rename", "renameat2"]),
            last(&steps, &["fsync"], folder.to_str().unwrap()),
        ];
        assert!(order.is_sorted(), "{args:?}: {order:?} in {steps:?}");
    }
}
