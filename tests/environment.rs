//! Unusual systems: file systems without hard links, wrong clocks, access control lists,
//! directories that pass on their group, ignored signals, exhausted limits.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::process::{Pid, Signal, kill_process};

use crate::common::preload::Preload;
use crate::common::{PROGRAM, Run, Scenario, kv};

/// Neither a rename that refuses to overwrite nor a hard link is available, as on exFAT and vboxsf.
static NO_LINKS: Preload = Preload::new(
    "#define _GNU_SOURCE
     #include <errno.h>
     #include <sys/syscall.h>
     #include <unistd.h>
     int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
         if (flags) { errno = EINVAL; return -1; }
         return syscall(SYS_renameat2, a, from, b, to, 0);
     }
     int link(const char *from, const char *to) { errno = EPERM; return -1; }
     int linkat(int a, const char *from, int b, const char *to, int flags) { errno = EPERM; return -1; }",
);

/// The system's clock stands at `CLOCK_AT`.
pub(crate) static CLOCK: Preload = Preload::new(
    "#define _GNU_SOURCE
     #include <stdlib.h>
     #include <sys/syscall.h>
     #include <time.h>
     #include <unistd.h>
     int clock_gettime(clockid_t id, struct timespec *time) {
         int result = syscall(SYS_clock_gettime, id, time);
         if (id == CLOCK_REALTIME) time->tv_sec = atoll(getenv(\"CLOCK_AT\"));
         return result;
     }",
);

pub(crate) fn run_with(
    scenario: &Scenario,
    preload: &Preload,
    args: &[&str],
    variables: &[(&str, &str)],
) -> Run {
    let mut command = scenario.command(args);
    command.env("LD_PRELOAD", preload.path());
    command.envs(variables.iter().copied());
    Run::of(command.output().unwrap())
}

#[test]
fn files_are_created_and_replaced_without_hard_links() {
    let scenario = Scenario::with_small_export();
    for (args, made) in [
        (&["sqlite-to-kv", "code.db", "new.kv"][..], "new.kv"),
        (&["kv-to-sqlite", "code.kv", "new.db"], "new.db"),
        (&["import", "code.ndjson", "text.kv", "--to", "kv"], "text.kv"),
        (&["sqlite-to-kv", "code.db", "new.kv", "--replace"], "new.kv"),
        (&["verify", "code.db", "code.kv", "--report", "all.jsonl"], "all.jsonl"),
        (&["verify", "code.db", "code.kv", "--html", "page.html"], "page.html"),
        (&["verify", "code.db"], "code.db"),
    ] {
        let _ = run_with(&scenario, &NO_LINKS, args, &[]).expect_status(0);
        assert!(scenario.path(made).exists(), "{args:?}");
    }
    // An existing file is still not overwritten.
    let before = scenario.files();
    for args in [["sqlite-to-kv", "code.db", "new.kv"], ["kv-to-sqlite", "code.kv", "new.db"]] {
        let run = run_with(&scenario, &NO_LINKS, &args, &[]).expect_status(2);
        assert!(run.stderr.contains("exists"), "{run}");
    }
    assert!(scenario.files() == before);
}

#[test]
fn a_clock_before_1970_or_after_9999_blocks_nothing() {
    let scenario = Scenario::with_small_pair();
    for (seconds, created_at) in [
        ("-3600", "1970-01-01T00:00:00Z"),
        ("-2208988800", "1970-01-01T00:00:00Z"),
        ("4102444800", "2100-01-01T00:00:00Z"),
        ("253402300800", "9999-12-31T23:59:59Z"),
        ("99999999999999", "9999-12-31T23:59:59Z"),
    ] {
        let run = |args: &[&str]| {
            run_with(&scenario, &CLOCK, args, &[("CLOCK_AT", seconds)]).expect_status(0)
        };
        let _ = run(&["sqlite-to-kv", "code.db", "odd.kv", "--replace"]);
        let _ = run(&["kv-to-sqlite", "odd.kv", "odd.db", "--replace"]);
        let _ = run(&["verify", "odd.db"]);
        let _ = run(&["verify", "odd.kv", "code.db"]);
        let json = run(&["inspect", "odd.kv", "--format", "json"]).json();
        assert_eq!(json["manifest"]["created_at"], created_at, "{seconds}");
    }
}

/// An access control list as Linux stores it: the permissions of the owner, a user with the id
/// 1234, the group, the mask, and others.
fn access_control_list(bits: [u16; 5]) -> Vec<u8> {
    let tags: [(u16, u32); 5] = [(1, !0), (2, 1234), (4, !0), (0x10, !0), (0x20, !0)];
    let mut list = vec![2, 0, 0, 0];
    for ((tag, id), bits) in tags.into_iter().zip(bits) {
        list.extend(tag.to_le_bytes());
        list.extend(bits.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

const ACL: &str = "system.posix_acl_access";

fn acl_of(path: &Path) -> Option<Vec<u8>> {
    let mut list = vec![0; 4096];
    let length = getxattr(path, ACL, list.as_mut_slice()).ok()?;
    list.truncate(length);
    Some(list)
}

#[test]
fn a_replaced_file_keeps_its_access_control_list_and_grants_nobody_more() {
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("target.kv");
    let list = access_control_list([6, 4, 0, 4, 0]);
    fs::copy(scenario.path("code.kv"), &target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    let replace = ["sqlite-to-kv", "code.db", "target.kv", "--replace"];
    match setxattr(&target, ACL, &list, XattrFlags::empty()) {
        Ok(()) => {
            let run = scenario.run(&replace).expect_status(0);
            assert_eq!(acl_of(&target), Some(list), "{run}");
        }
        // Then there is no list to lose.
        Err(error) => assert_eq!(error, rustix::io::Errno::NOTSUP),
    }
    fs::remove_file(&target).unwrap();

    // A list that the directory passes on to new files is not one that the replaced file had.
    let plain = fs::read(scenario.path("code.kv")).unwrap();
    fs::write(&target, plain).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    let handed_down = access_control_list([6, 6, 6, 6, 0]);
    let default = "system.posix_acl_default";
    let is_set = setxattr(scenario.folder(), default, &handed_down, XattrFlags::empty());
    let _ = scenario.run(&replace).expect_status(0);
    assert_eq!(acl_of(&target), None);
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o640);
    // A new file gets it, like every new file there.
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "new.kv"]).expect_status(0);
    assert_eq!(acl_of(&scenario.path("new.kv")).is_some(), is_set.is_ok());
}

/// A group of this process other than its own.
fn second_group() -> Option<u32> {
    let groups = rustix::process::getgroups().unwrap();
    let own = rustix::process::getegid();
    let other = groups.into_iter().find(|group| *group != own);
    match rustix::process::geteuid().is_root() {
        true => Some(12345),
        false => other.map(rustix::process::Gid::as_raw),
    }
}

#[test]
fn files_get_the_group_of_the_directory_or_of_the_replaced_file() {
    let Some(group) = second_group() else {
        println!("this user has one group only: groups were not tested");
        return;
    };
    let scenario = Scenario::with_small_pair();
    let shared = scenario.path("shared");
    fs::create_dir(&shared).unwrap();
    chown(&shared, None, Some(group)).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o2775)).unwrap();
    for args in
        [["sqlite-to-kv", "code.db", "shared/new.kv"], ["kv-to-sqlite", "code.kv", "shared/new.db"]]
    {
        let _ = scenario.run(&args).expect_status(0);
        assert_eq!(fs::metadata(scenario.path(args[2])).unwrap().gid(), group);
    }

    let target = scenario.path("target.kv");
    fs::copy(scenario.path("code.kv"), &target).unwrap();
    chown(&target, None, Some(group)).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    let replace = ["sqlite-to-kv", "code.db", "target.kv", "--replace"];
    let run = scenario.run(&replace).expect_status(0);
    let found = fs::metadata(&target).unwrap();
    assert_eq!((found.gid(), found.mode() & 0o7777), (group, 0o640));
    assert!(!run.stdout.contains("not preserved"), "{run}");
}

#[test]
fn access_rights_that_cannot_be_kept_are_reported_and_nobody_gets_more() {
    if !rustix::process::geteuid().is_root() {
        println!("only root can make a file of somebody else: not tested");
        return;
    }
    let scenario = Scenario::with_small_pair();
    let target = scenario.path("target.kv");
    fs::copy(scenario.path("code.kv"), &target).unwrap();
    chown(&target, Some(1234), Some(12345)).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o664)).unwrap();
    fs::set_permissions(scenario.folder(), fs::Permissions::from_mode(0o777)).unwrap();
    // As a user who is neither the owner nor in the group.
    let args = ["sqlite-to-kv", "code.db", "target.kv", "--replace"];
    let mut command = Command::new("setpriv");
    command
        .current_dir(scenario.folder())
        .args(["--reuid=4321", "--regid=4321", "--clear-groups", PROGRAM])
        .args(args);
    let run = Run::of(command.output().unwrap()).expect_status(0);
    assert!(run.stdout.contains("not preserved  owner, group of the replaced file"), "{run}");
    let found = fs::metadata(&target).unwrap();
    // The group could write, but a different group counts only as others.
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o777), (4321, 4321, 0o644));
}

#[test]
fn a_signal_ignored_by_the_parent_stays_ignored() {
    let scenario = Scenario::with_small_export();
    let text = fs::read(scenario.path("code.ndjson")).unwrap();
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT), ("TERM", Signal::TERM)] {
        let target = format!("{name}.kv");
        let script = format!("trap '' {name}; exec \"$@\"");
        let made = Command::new("mkfifo").arg(scenario.path(name)).status();
        assert!(made.unwrap().success());
        let mut child = Command::new("sh")
            .current_dir(scenario.folder())
            .args(["-c", &script, "sh", PROGRAM])
            .args(["import", name, &target, "--to", "kv"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Opened only when the program reads it, which handles signals by then.
        let mut pipe = fs::File::options().write(true).open(scenario.path(name)).unwrap();
        let process = Pid::from_raw(child.id().cast_signed()).unwrap();
        kill_process(process, signal).unwrap();
        std::io::Write::write_all(&mut pipe, &text).unwrap();
        drop(pipe);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
        assert!(!kv::keys(&scenario.path(&target)).is_empty());
    }
}

#[test]
fn an_empty_variable_for_temporary_files_counts_as_unset() {
    let scenario = Scenario::with_small_pair();
    for args in [
        &["verify", "code.db"][..],
        &["verify"],
        &["sqlite-to-kv", "code.db", "new.kv"],
        &["kv-to-sqlite", "code.kv", "code.db", "--merge", "--dry-run"],
    ] {
        let mut command = scenario.command(args);
        command.env("TMPDIR", "").env("SQLITE_TMPDIR", "");
        let _ = Run::of(command.output().unwrap()).expect_status(0);
    }
}

/// The program under a limit set by `prlimit`.
fn run_limited(scenario: &Scenario, limit: &str, args: &[&str]) -> Run {
    let mut command = Command::new("prlimit");
    command
        .current_dir(scenario.folder())
        .env_clear()
        .env("TMPDIR", scenario.folder())
        .args([limit, PROGRAM])
        .args(args);
    Run::of(command.output().unwrap())
}

#[test]
fn a_run_without_file_descriptors_is_an_error_and_leaves_nothing() {
    let scenario = Scenario::with_small_pair();
    let names = || scenario.files().into_keys().collect::<Vec<_>>();
    let before = names();
    let mut failures = 0;
    for args in [
        &["sqlite-to-kv", "code.db", "new"][..],
        &["kv-to-sqlite", "code.kv", "new"],
        &["kv-to-sqlite", "code.kv", "code.db", "--merge", "--dry-run"],
        &["verify", "code.db"],
        &["inspect", "code.db"],
        &["inspect", "code.kv"],
    ] {
        for limit in 3..14 {
            let run = run_limited(&scenario, &format!("--nofile={limit}"), args);
            let _ = fs::remove_file(scenario.path("new"));
            assert_eq!(names(), before, "{args:?} with {limit}: {run}");
            if run.status == 0 || run.stderr.contains("error while loading shared libraries") {
                continue;
            }
            failures += 1;
            assert_eq!(run.status, 2, "{args:?} with {limit}: {run}");
            assert!(run.stderr.contains("hint:"), "{args:?} with {limit}: {run}");
        }
    }
    assert!(failures > 6, "{failures}");
}

#[test]
fn a_run_without_memory_ends_with_2_and_leaves_nothing() {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| {
        db.execute_batch(
            "INSERT INTO code_chunks VALUES
             (1, 'a', 0, 1, replace(hex(zeroblob(2000000)), '00', 'xx'), 'hash', NULL, NULL, 1)",
        )
        .unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    let names = || scenario.files().into_keys().collect::<Vec<_>>();
    let before = names();
    let mut out_of_memory = 0;
    for args in [
        &["sqlite-to-kv", "code.db", "new"][..],
        &["kv-to-sqlite", "code.kv", "new"],
        &["verify", "code.db"],
        &["inspect", "code.kv"],
    ] {
        for mib in [30, 36, 44] {
            let run = run_limited(&scenario, &format!("--as={}", mib << 20), args);
            let _ = fs::remove_file(scenario.path("new"));
            assert!([0, 2].contains(&run.status), "{args:?} with {mib} MiB: {run}");
            assert_eq!(names(), before, "{args:?} with {mib} MiB: {run}");
            if run.status == 2 {
                assert!(run.stderr.contains("hint:"), "{args:?} with {mib} MiB: {run}");
            }
            // Starting a thread may fail instead.
            out_of_memory += u32::from(run.status == 2 && run.stderr.contains("memory"));
        }
    }
    assert!(out_of_memory > 3, "{out_of_memory}");
}

#[test]
fn a_target_is_created_wherever_sqlite_can_open_one() {
    let scenario = Scenario::with_small_pair();
    let root = fs::canonicalize(scenario.folder()).unwrap();
    // SQLite opens paths of up to 504 bytes: the path of `a.db` has the maximum length, or one byte
    // more.
    for (length, status) in [(504, 0), (505, 2)] {
        let mut folder = root.clone();
        loop {
            let rest = length - "/a.db".len() - folder.as_os_str().len();
            match rest {
                0 => break,
                1..=200 => folder.push("d".repeat(rest - 1)),
                _ => folder.push("d".repeat(100)),
            }
        }
        fs::create_dir_all(&folder).unwrap();
        let target = folder.join("a.db").to_str().unwrap().to_owned();
        assert_eq!(target.len(), length);
        let run = scenario.run(&["kv-to-sqlite", "code.kv", &target]).expect_status(status);
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, usize::from(status == 0), "{run}");
        if status == 0 {
            let _ = scenario.run(&["verify", "code.db", &target]).expect_status(0);
            let _ =
                scenario.run(&["kv-to-sqlite", "code.kv", &target, "--replace"]).expect_status(0);
        } else {
            assert!(run.stderr.contains("504 bytes"), "{run}");
        }
    }
    let name = "n".repeat(255);
    let _ = scenario.run(&["sqlite-to-kv", "code.db", &name]).expect_status(0);
    let run = scenario.run(&["sqlite-to-kv", "code.db", &"n".repeat(256)]).expect_status(2);
    assert!(run.stderr.contains("choose a shorter name"), "{run}");
}

#[test]
fn a_redb_file_of_an_older_format_is_identified() {
    let scenario = Scenario::with_small_pair();
    let mut bytes = fs::read(scenario.path("code.kv")).unwrap();
    // The version of redb's format is in each of two commit slots.
    for slot in [64, 192] {
        assert_eq!(bytes[slot], 3);
        bytes[slot] = 2;
    }
    fs::write(scenario.path("old.kv"), bytes).unwrap();
    for args in [
        &["inspect", "old.kv"][..],
        &["kv-to-sqlite", "old.kv", "new.db"],
        &["verify", "old.kv", "code.db"],
    ] {
        let run = scenario.run(args).expect_status(2);
        assert!(run.stderr.contains("old.kv is a redb file of format 2"), "{run}");
        assert!(run.stderr.contains("hint:"), "{run}");
    }
}
