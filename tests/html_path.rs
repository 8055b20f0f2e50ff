//! Where the page of `verify --html` may be written, and when there is one.

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::pages::{PAGE, verify, with_every_class};
use crate::common::{PROGRAM, Run, Scenario};

/// What no page may replace or lie next to; each with the words of the error.
const NOT_THERE: [(&str, &str); 15] = [
    ("diary", "not an HTML report of chunkmigrate"),
    ("other.html", "not an HTML report of chunkmigrate"),
    ("all.jsonl", "cannot be both --html and --report"),
    ("./all.jsonl", "cannot be both --html and --report"),
    ("link-to-report", "cannot be both --html and --report"),
    ("code.kv", "and the source"),
    ("./code.db", "and the source"),
    ("link-to-source", "and the source"),
    ("hard-link", "and the source"),
    ("code.db-wal", "one is a SQLite sidecar file"),
    ("code.db-journal", "one is a SQLite sidecar file"),
    ("no/folder", "does not exist"),
    ("folder", "is a directory"),
    ("folder/", "is not a file name"),
    ("/dev/null", "is a device"),
];

#[test]
fn a_page_never_overwrites_another_kind_of_file() {
    let scenario = Scenario::with_small_pair();
    fs::write(scenario.path("diary"), "dear diary").unwrap();
    fs::write(scenario.path("other.html"), "<!doctype html>\n<title>Mine</title>").unwrap();
    fs::create_dir(scenario.path("folder")).unwrap();
    symlink("all.jsonl", scenario.path("link-to-report")).unwrap();
    symlink("code.kv", scenario.path("link-to-source")).unwrap();
    fs::hard_link(scenario.path("code.db"), scenario.path("hard-link")).unwrap();
    let before = scenario.files();
    for (place, words) in NOT_THERE {
        let args = ["verify", "code.db", "code.kv", "--report", "all.jsonl", "--html", place];
        let run = scenario.run(&args).expect_status(2);
        assert!(run.stderr.contains(words), "{place}: {run}");
        assert_eq!(run.stdout, "");
        assert_eq!(scenario.files(), before, "{place}");
    }
    // An empty file may become either, but not both.
    fs::write(scenario.path("empty"), "").unwrap();
    fs::hard_link(scenario.path("empty"), scenario.path("empty-too")).unwrap();
    let args = ["verify", "code.db", "code.kv", "--report", "empty", "--html", "empty-too"];
    let run = scenario.run(&args).expect_status(2);
    assert!(run.stderr.contains("both --html and --report"), "{run}");
}

#[test]
fn an_unusable_page_path_is_reported_before_anything_is_read() {
    let scenario = Scenario::new();
    fs::write(scenario.path("garbage"), "no store").unwrap();
    fs::write(scenario.path("diary"), "dear diary").unwrap();
    // In the last of these, nobody can create a file.
    for place in ["diary", "no/page.html", "/proc/page.html"] {
        for stores in [&["garbage"][..], &["garbage", "diary"], &[]] {
            let args = [&["verify", "--html", place], stores].concat();
            let run = scenario.run(&args).expect_status(2);
            assert!(!run.stderr.contains("neither a SQLite database"), "{run}");
            let (shown, _) = place.rsplit_once('/').unwrap_or((place, ""));
            assert!(run.stderr.contains(shown), "{run}");
        }
    }
}

#[test]
fn a_page_replaces_a_page_or_an_empty_file_even_through_a_link() {
    let scenario = with_every_class();
    fs::create_dir(scenario.path("pages")).unwrap();
    fs::write(scenario.path("pages/real.html"), "").unwrap();
    symlink("pages/real.html", scenario.path(PAGE)).unwrap();
    let (_, first) = verify(&scenario, &["left.db", "right.kv"], 1);
    let (_, second) = verify(&scenario, &["left.db", "left.db", "--only", "chunk"], 0);
    assert_ne!(first, second);
    assert!(scenario.path(PAGE).is_symlink());
    assert_eq!(fs::read_to_string(scenario.path("pages/real.html")).unwrap(), second);
    // The same stores have the same page, byte for byte.
    let (_, third) = verify(&scenario, &["left.db", "right.kv"], 1);
    assert!(first == third);
}

#[test]
fn an_error_leaves_no_page() {
    let scenario = Scenario::with_small_pair();
    let mut corrupted = fs::read(scenario.path("code.kv")).unwrap();
    corrupted.truncate(8000);
    fs::write(scenario.path("corrupt.kv"), corrupted).unwrap();
    let before = scenario.files();
    for stores in [&["corrupt.kv"][..], &["code.db", "corrupt.kv"], &["code.db", "missing"]] {
        let args = [&["verify", "--html", PAGE], stores].concat();
        let run = scenario.run(&args).expect_status(2);
        assert_eq!(run.stdout, "");
        assert_eq!(scenario.files(), before, "{stores:?}");
    }
}

#[test]
fn an_unwritable_page_is_an_error_without_a_verdict() {
    let scenario = Scenario::with_small_pair();
    let before = scenario.files();
    // This many blocks are too few for any page, and enough for everything else.
    let limited = "ulimit -f 8; exec \"$@\"";
    for format in ["human", "json"] {
        let args = ["verify", "code.db", "code.kv", "--html", PAGE, "--format", format];
        let mut command = assert_cmd::Command::new("sh");
        command.args(["-c", limited, "sh", PROGRAM]).args(args);
        let output = command.current_dir(scenario.folder()).output().unwrap();
        let run = Run::of(output).expect_status(2);
        assert!(!run.stdout.contains("dentical"), "{run}");
        let output = run.stdout.clone() + &run.stderr;
        assert!(output.contains("cannot write page.html"), "{run}");
        assert!(output.contains("free some space or choose another directory"), "{run}");
        assert_eq!(scenario.files(), before);
    }
}
