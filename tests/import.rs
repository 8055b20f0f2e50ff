//! `import`: an export is imported completely, from wherever it comes.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use chunkmigrate::migrate::{CopyOptions, ImportSource, import_to_kv, import_to_sqlite};
use chunkmigrate::verify::{VerifyOptions, verify_pair};
use chunkmigrate::{Error, Progress, ProgressSink};
use proptest::prelude::*;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::watchdog::Watchdog;
use crate::common::{PROGRAM, Run, Scenario, kv, records, rows, with_snapshots};

/// The program with text on its stdin.
fn run_with_stdin(scenario: &Scenario, args: &[&str], text: &[u8]) -> Run {
    let mut command = scenario.command(args);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _watchdog = Watchdog::of(&child);
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_vec();
    // The program may stop reading before everything is written.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&text)));
    let run = Run::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    run
}

fn is_same_as_source(scenario: &Scenario, target: &str) {
    let run = scenario.run(&["verify", "code.db", target, "--strict"]).expect_status(0);
    assert!(run.stdout.contains("Identical"), "{run}");
}

#[test]
fn a_round_trip_through_text_loses_nothing() {
    let scenario = Scenario::with_small_export();
    let before = scenario.files();
    let run = scenario.run(&["import", "code.ndjson", "new.kv", "--to", "kv"]).expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("import_human", run));
    let run = scenario
        .run(&["import", "code.ndjson", "new.db", "--to", "sqlite", "--format", "json"])
        .expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("import_json", run));
    for target in ["new.kv", "new.db"] {
        is_same_as_source(&scenario, target);
        fs::remove_file(scenario.path(target)).unwrap();
    }
    assert_eq!(scenario.files(), before);
}

#[test]
fn rows_and_id_sequences_match_the_exported_database() {
    let scenario = Scenario::with_small_export();
    let args = ["import", "code.ndjson", "new.db", "--to", "sqlite"];
    let _ = scenario.run(&args).expect_status(0);
    let (old, new) = (scenario.path("code.db"), scenario.path("new.db"));
    assert_eq!(rows::of_database(&old), rows::of_database(&new));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_records_survive_an_export_in_any_line_order(
        made in prop::collection::vec(records::record(), 0..40),
        above in 0..3_i64,
        shuffle in any::<u64>(),
    ) {
        let scenario = Scenario::new();
        let all = records::distinct(made);
        let source = scenario.path("source.db");
        records::write_database(&source, &all, records::id_sequences_above(&all, above));
        let exported = scenario.run(&["export", "source.db"]).expect_status(0);
        let mut lines: Vec<&str> = exported.stdout.split_inclusive('\n').collect();
        fastrand::Rng::with_seed(shuffle).shuffle(&mut lines);
        let text = scenario.path("text.ndjson");
        fs::write(&text, lines.concat()).unwrap();

        let progress = Progress::none();
        for (import, name) in [
            (import_to_kv as fn(_, &_, &_, &_) -> _, "new.kv"),
            (import_to_sqlite, "new.db"),
        ] {
            let target = scenario.path(name);
            let lines = ImportSource::File(&text);
            let summary = import(lines, &target, &CopyOptions::default(), &progress).unwrap();
            prop_assert!(summary.is_complete() && summary.is_verified());
            let report = verify_pair(&source, &target, &VerifyOptions::default(), &progress);
            let report = report.unwrap();
            prop_assert!(report.is_identical(), "{:?}", report.findings);
        }
    }
}

#[test]
fn json_formatted_by_other_programs_is_accepted() {
    let scenario = Scenario::with_small_export();
    let mut text = String::from("\u{feff}\n \t\r\n");
    for line in scenario.lines("code.ndjson").iter().rev() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let (kind, key, value) = (&line["kind"], &line["key"], &line["value"]);
        // Fields in another order, spaces, escapes, exponents, and line breaks of two kinds.
        let value = value.to_string().replace("caf\u{e9}", "caf\\u00E9");
        let value = value.replace(":1.5,", ":15e-1 ,").replace(":2.5,", ":2.500,");
        text += &format!("  {{ \"value\":{value},\"key\" :{key}, \"kind\": {kind} }}\r\n\n");
    }
    fs::write(scenario.path("other.ndjson"), text.trim_end()).unwrap();
    for (target, to) in [("new.kv", "kv"), ("new.db", "sqlite")] {
        let args = ["import", "other.ndjson", target, "--to", to];
        let _ = scenario.run(&args).expect_status(0);
        is_same_as_source(&scenario, target);
    }
    let written = kv::records(&scenario.path("new.kv"));
    assert_eq!(written, kv::records(&scenario.path("code.kv")));
}

#[test]
fn an_import_merges_as_a_copy_does() {
    let scenario = Scenario::with_small_export();
    for (from, target, to) in [("code.kv", "target.kv", "kv"), ("code.db", "target.db", "sqlite")] {
        let content = fs::read(scenario.path(from)).unwrap();
        fs::write(scenario.path(target), &content).unwrap();
        let args = ["import", "code.ndjson", target, "--to", to, "--merge"];
        let run = scenario.run(&args).expect_status(0);
        assert!(run.stdout.contains("Nothing was written to"), "{run}");
        assert_eq!(fs::read(scenario.path(target)).unwrap(), content);

        let changed = scenario
            .lines_without_end("code.ndjson")
            .join("\n")
            .replace("\"loc\":10", "\"loc\":11");
        let run = run_with_stdin(
            &scenario,
            &["import", "-", target, "--to", to, "--merge"],
            changed.as_bytes(),
        )
        .expect_status(0);
        assert!(run.stdout.contains("Merged 1 record into"), "{run}");
        let run = scenario.run(&["verify", "code.db", target]).expect_status(1);
        assert!(run.stdout.contains("left 10, right 11"), "{run}");
    }
}

#[test]
fn text_is_read_from_a_pipe_or_a_file() {
    let scenario = Scenario::with_small_export();
    let text = fs::read(scenario.path("code.ndjson")).unwrap();
    let args = ["import", "-", "new.kv", "--to", "kv"];
    let run = run_with_stdin(&scenario, &args, &text).expect_status(0);
    assert!(run.stdout.starts_with("stdin (NDJSON) to new.kv"), "{run}");
    is_same_as_source(&scenario, "new.kv");

    let script = format!(
        "mkfifo pipe; '{PROGRAM}' export code.kv > pipe & '{PROGRAM}' import pipe new.db --to sqlite"
    );
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(scenario.folder()).args(["-c", &script]);
    let _ = Run::of(shell.output().unwrap()).expect_status(0);
    is_same_as_source(&scenario, "new.db");
}

#[test]
fn a_blocked_pipe_read_can_be_interrupted() {
    let scenario = Scenario::with_small_export();
    let pipe = scenario.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // One blocks while opening the pipe, one while reading from it.
    for source in ["pipe", "-"] {
        let args = ["import", source, "new.kv", "--to", "kv", "--progress", "always"];
        let mut command = scenario.command(&args);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _watchdog = Watchdog::of(&child);
        let stdin = child.stdin.take();
        let pid = Pid::from_child(&child);
        // A signal before the handler is installed would end the program by itself.
        let status = format!("/proc/{}/status", pid.as_raw_pid());
        let listens = || {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap());
            caught.is_none_or(|mask| mask & 2 == 2)
        };
        while cfg!(target_os = "linux") && !listens() {
            std::thread::yield_now();
        }
        // One that arrives while the handler is being installed is lost.
        while child.try_wait().unwrap().is_none() {
            kill_process(pid, Signal::INT).unwrap();
            std::thread::yield_now();
        }
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.status, 130, "{run}");
        assert!(run.stderr.contains("interrupted"), "{run}");
        drop(stdin);
    }
    assert!(!scenario.path("new.kv").exists());
}

#[test]
fn input_that_is_not_an_export_is_an_error_before_anything_is_created() {
    let scenario = Scenario::with_small_export();
    fs::create_dir(scenario.path("folder")).unwrap();
    let mut errors = String::new();
    for source in ["code.db", "code.kv", "folder", "missing"] {
        let run = scenario.run(&["import", source, "new.kv", "--to", "kv"]);
        errors += &format!("{}\n", run.expect_status(2));
    }
    for source in ["code.db", "code.kv"] {
        let bytes = fs::read(scenario.path(source)).unwrap();
        let args = ["import", "-", "new.kv", "--to", "kv"];
        errors += &format!("{}\n", run_with_stdin(&scenario, &args, &bytes).expect_status(2));
    }
    for args in [
        ["import", "code.ndjson", "code.kv", "--to", "kv"],
        ["import", "code.ndjson", "code.ndjson", "--to", "kv"],
        ["import", "code.ndjson", "folder", "--to", "kv"],
    ] {
        errors += &format!("{}\n", scenario.run(&args).expect_status(2));
    }
    let args = ["import", "code.ndjson", "new.kv", "--to", "kv", "--merge"];
    errors += &format!("{}\n", scenario.run(&args).expect_status(2));
    with_snapshots(|| insta::assert_snapshot!("import_refused", errors));
    assert!(!scenario.path("new.kv").exists());
}

#[test]
fn an_export_given_as_a_store_is_an_error_with_a_hint() {
    let scenario = Scenario::with_small_export();
    for args in [
        &["verify", "code.ndjson"][..],
        &["inspect", "code.ndjson"],
        &["sqlite-to-kv", "code.ndjson", "x"],
        &["kv-to-sqlite", "code.ndjson", "x"],
    ] {
        let run = scenario.run(args).expect_status(2);
        assert!(run.stderr.contains("code.ndjson is an NDJSON export, not a store"), "{run}");
        assert!(run.stderr.contains("chunkmigrate import"), "{run}");
    }
}

#[test]
fn an_endless_line_takes_constant_memory() {
    let scenario = Scenario::with_small_export();
    let script = format!(
        "ulimit -v 250000; (cat code.ndjson; head -c 260000000 /dev/zero; echo; cat code.ndjson) |
         '{PROGRAM}' import - new.kv --to kv --only file-metrics"
    );
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(scenario.folder()).args(["-c", &script]);
    let run = Run::of(shell.output().unwrap()).expect_status(1);
    let line = scenario.lines("code.ndjson").len() + 1;
    let message = format!("line {line}: not a JSON object");
    assert!(run.stdout.contains(&message), "{run}");
    // The lines after it were read too, with the right numbers.
    let shared = format!("line {}: line 5 has the same key", 5 + line);
    assert!(run.stdout.contains(&shared), "{run}");
}

/// Appends to a file once some of it was read.
struct Appends(PathBuf);

impl ProgressSink for Appends {
    fn inc(&self, _: u64) {
        let mut file = fs::OpenOptions::new();
        let mut file = file.append(true).open(&self.0).unwrap();
        file.write_all(b"\n").unwrap();
    }
}

#[test]
fn a_file_written_while_it_is_read_is_reported() {
    let scenario = Scenario::with_small_export();
    let (text, target) = (scenario.path("code.ndjson"), scenario.path("new.kv"));
    let progress = Progress::new(Appends(text.clone()));
    let lines = ImportSource::File(&text);
    let error = import_to_kv(lines, &target, &CopyOptions::default(), &progress).unwrap_err();
    assert!(matches!(error, Error::TextChanged { path } if path == text));
    assert!(!target.exists());
}
