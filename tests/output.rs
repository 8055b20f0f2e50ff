//! Where output goes: closed pipes, full disks, terminals of any kind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::commands::commands;
use crate::common::terminal::Terminal;
use crate::common::{Run, Scenario, tables};

/// The help of every command, and every command at work in [`folder`]. A command that is missing
/// here fails the tests: add it to the list.
fn runs() -> Vec<Vec<String>> {
    let arguments = |command: &str| -> &[&str] {
        match command {
            "" => &["--version"],
            "sqlite-to-kv" => &["code.db", "new.kv"],
            "kv-to-sqlite" => &["code.kv", "new.db"],
            "verify" => &["code.db", "code.kv"],
            "inspect" | "export" => &["code.kv"],
            "import" => &["code.ndjson", "new.kv", "--to", "kv"],
            "sample" => &["new.db"],
            "completions" => &["bash"],
            "man" => &[],
            other => panic!("say in tests/output.rs how to run {other}"),
        }
    };
    let mut runs: Vec<Vec<String>> = vec![vec!["-V".to_owned()]];
    for command in commands() {
        let name = command.first().map_or("", String::as_str);
        let arguments = arguments(name).iter().map(|argument| (*argument).to_owned());
        for flag in ["-h", "--help"] {
            runs.push([&command[..], &[flag.to_owned()]].concat());
        }
        runs.push(command.iter().cloned().chain(arguments).collect());
    }
    runs
}

/// Every run of every command with its exit status, in both formats.
fn all_runs() -> Vec<(Vec<String>, i32)> {
    let words = |words: &str| words.split(' ').map(str::to_owned).collect();
    let mut runs: Vec<(Vec<String>, i32)> = runs().into_iter().map(|run| (run, 0)).collect();
    runs.push((words("verify old.db code.kv"), 1));
    runs.push((words("man --dir ."), 0));
    runs.push((words("inspect missing.db"), 2));
    runs.push((words("inspect --no-such-option"), 2));
    let in_json = runs.iter().map(|(run, status)| {
        let args = words("--format json").into_iter().chain(run.iter().cloned());
        (args.collect(), *status)
    });
    let in_json: Vec<_> = in_json.collect();
    runs.into_iter().chain(in_json).collect()
}

/// A directory in which each of these runs succeeds.
fn folder() -> Scenario {
    let scenario = Scenario::with_small_export();
    scenario.database("old.db", |db| tables::insert_chunks(db, 3));
    scenario
}

fn command(scenario: &Scenario, args: &[String]) -> Command {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for target in ["new.kv", "new.db"] {
        let _ = fs::remove_file(scenario.path(target));
    }
    scenario.command(&args)
}

#[test]
fn a_closed_pipe_ends_every_command_quietly_and_changes_no_verdict() {
    let scenario = folder();
    for (args, status) in all_runs() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(&scenario, &args);
        let run = Run::of(command.stdout(writer).output().unwrap());
        assert_eq!(run.status, status, "{args:?}: {run}");
        if status < 2 {
            assert_eq!(run.stderr, "", "{args:?}");
        }
        if let Some(target) = args.last().filter(|arg| arg.starts_with("new.")) {
            assert!(scenario.path(target).exists(), "{args:?}");
        }
    }
}

#[test]
fn unwritable_output_is_reported_and_is_exit_status_2() {
    if !Path::new("/dev/full").exists() {
        println!("no /dev/full here");
        return;
    }
    let scenario = folder();
    for (args, status) in all_runs() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = command(&scenario, &args);
        let run = Run::of(command.stdout(full.unwrap()).output().unwrap());
        assert_eq!(run.status, 2, "{args:?}: {run}");
        let message = "error: cannot write to stdout\n  caused by: No space left on device";
        assert!(run.stderr.starts_with(message) || status == 2, "{args:?}: {run}");
        assert!(run.stderr.starts_with("error: "), "{args:?}: {run}");
    }
}

#[test]
fn output_to_a_pipe_or_a_file_has_no_escape_codes() {
    let scenario = folder();
    for (args, status) in all_runs() {
        let mut command = command(&scenario, &args);
        command.env("TERM", "xterm-256color").args(["--progress", "always"]);
        let run = Run::of(command.output().unwrap());
        if args.iter().all(|arg| arg != "-V" && arg != "--version") {
            assert_eq!(run.status, status, "{args:?}: {run}");
        }
        assert!(!run.stdout.is_empty() || !run.stderr.is_empty(), "{args:?}");
        assert!(!format!("{run}").contains('\u{1b}'), "{args:?}: {run}");
    }
}

#[test]
fn colour_is_only_for_terminals_unless_requested_or_disabled() {
    let scenario = folder();
    let on_terminal = |args: &[&str], no_color: bool| {
        let terminal = Terminal::new(80);
        let mut command = scenario.command(args);
        command.env("TERM", "xterm").stdin(Stdio::null());
        command.stdout(terminal.end()).stderr(terminal.end());
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let (shown, _) = terminal.run(command);
        assert!(!shown.is_empty());
        shown.contains('\u{1b}')
    };
    for args in [
        &["verify", "--help"][..],
        &["inspect", "--no-such-option"],
        &["inspect", "missing.db"],
        &["verify", "old.db", "code.kv"],
    ] {
        assert!(on_terminal(args, false), "{args:?}");
        assert!(!on_terminal(args, true), "{args:?}");
        let never = [&["--color", "never"], args].concat();
        assert!(!on_terminal(&never, false), "{args:?}");
        let always = [&["--color=always"], args].concat();
        let run = scenario.run(&always);
        assert!(format!("{run}").contains('\u{1b}'), "{args:?}: {run}");
    }
}

#[test]
fn quiet_silences_reports_but_no_requested_output_and_no_errors() {
    let scenario = folder();
    for (args, status) in all_runs() {
        let is_json = args.iter().any(|arg| arg == "json");
        let asks = ["-h", "--help", "-V", "--version", "export", "completions", "man"];
        let is_asked_for = args.iter().any(|arg| asks.contains(&arg.as_str()));
        let is_folder = args.iter().any(|arg| arg == "--dir");
        let mut command = command(&scenario, &args);
        let run = Run::of(command.arg("--quiet").output().unwrap());
        let is_silent = status < 2 && !is_json && (!is_asked_for || is_folder);
        assert_eq!(run.stdout.is_empty() && run.stderr.is_empty(), is_silent, "{args:?}: {run}");
    }
}

/// So many chunks that progress would be shown.
const LONG: i64 = 10_000;

/// What a terminal of 80 columns shows while chunks are copied.
fn progress(environment: &[(&str, &str)], args: &[&str]) -> String {
    progress_of(&with_chunks(LONG), 80, environment, args)
}

fn with_chunks(chunks: i64) -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| tables::insert_chunks(db, chunks));
    scenario
}

/// What a terminal of this width shows while the chunks of a scenario are copied.
fn progress_of(
    scenario: &Scenario,
    columns: u16,
    environment: &[(&str, &str)],
    args: &[&str],
) -> String {
    let terminal = Terminal::new(columns);
    let mut command = scenario.command(&["sqlite-to-kv", "code.db", "new.kv", "--replace"]);
    command.args(args).envs(environment.iter().copied());
    command.stdout(Stdio::null()).stderr(terminal.end());
    let (shown, status) = terminal.run(command);
    assert_eq!(status, 0, "{shown}");
    shown
}

#[test]
fn a_bar_stays_on_one_line_of_a_terminal_of_any_width() {
    // Work that ends soon shows nothing, and how soon depends on the machine.
    let mut widths = vec![20, 40, 60, 80];
    for chunks in [8_000, 32_000, 128_000] {
        let scenario = with_chunks(chunks);
        // One bar for the copy and the read-back.
        let total = format!(" of {},000 ", 2 * chunks / 1000);
        widths.retain(|columns| !shows_a_bar(&scenario, *columns, &[&total, "/s ", " left"]));
        if widths.is_empty() {
            return;
        }
    }
    panic!("nothing is shown in {widths:?} columns");
}

/// Checks what is shown of a bar; whether one is shown, with all details if it is wide enough.
fn shows_a_bar(scenario: &Scenario, columns: u16, details: &[&str]) -> bool {
    let shown = progress_of(scenario, columns, &[("TERM", "xterm")], &[]);
    // Neither down nor up, where earlier output would be.
    let codes = shown.split("\u{1b}[").skip(1);
    let up = codes.filter(|rest| rest.trim_start_matches(char::is_numeric).starts_with('A'));
    assert_eq!((shown.matches('\n').count(), up.count()), (0, 0), "{columns}: {shown:?}");
    let plain = anstream::adapter::strip_str(&shown).to_string();
    let lines = plain.split('\r').map(str::trim_end);
    let widths: Vec<usize> = lines.map(|line| line.chars().count()).collect();
    let widest = widths.iter().max().unwrap();
    assert!(*widest < columns.into(), "{columns}: {shown:?}");
    assert_eq!(widths.last(), Some(&0), "{columns}: something stays: {shown:?}");
    *widest > 0 && (columns < 80 || details.iter().all(|detail| plain.contains(detail)))
}

#[test]
fn a_dumb_terminal_gets_progress_lines_on_request() {
    for environment in [&[("TERM", "dumb")][..], &[]] {
        assert_eq!(progress(environment, &[]), "");
    }
    let shown = progress(&[("TERM", "dumb")], &["--progress", "always"]);
    let line = "copy chunk: 10,000 of 10,000\r\n";
    assert!(shown.contains(line) && !shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn progress_is_not_shown_when_unwanted() {
    for option in ["--quiet", "--progress=never"] {
        assert_eq!(progress(&[("TERM", "xterm")], &[option]), "");
    }
}
