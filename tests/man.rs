//! Manual pages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::common::commands::{commands, help, section};
use crate::common::{PROGRAM, Run, Scenario};

/// The man page of a command.
fn page(command: &[String]) -> String {
    let args: Vec<&str> = ["man"].into_iter().chain(command.iter().map(String::as_str)).collect();
    let run = Scenario::new().run(&args).expect_status(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

/// A page as `groff` renders it for a terminal, without its warnings; `None` if it is not
/// installed.
fn set(page: &str) -> Option<String> {
    let mut groff = Command::new("groff");
    // Plain text: no overstrike for bold, no hyphenation.
    let args = ["-man", "-Tutf8", "-ww", "-P-cbou", "-rHY=0", "-rLL=200n"];
    groff.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match groff.spawn() {
        Ok(child) => child,
        Err(error) => {
            println!("no groff here ({error}): nothing to see");
            return None;
        }
    };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), page.as_bytes()).unwrap();
    let run = Run::of(child.wait_with_output().unwrap()).expect_status(0);
    assert_eq!(run.stderr, "", "{page}");
    Some(run.stdout)
}

#[test]
fn every_man_page_renders_without_warnings_and_matches_the_help() {
    for command in commands() {
        let page = page(&command);
        assert!(page.is_ascii(), "{command:?} is not the same for every groff");
        let Some(text) = set(&page) else { return };
        // Typeset: quotes, and spaces where lines are filled.
        let plain = |text: &str| {
            let text = text.replace(['\u{2019}', '\u{2018}'], "'").replace('\u{2010}', "-");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let set = plain(&text);
        let help = help(&command);
        for heading in ["Options", "Global options", "Exit status", "Examples", "Commands"] {
            let lines: Vec<&str> = section(&help, heading).collect();
            let is_there = text.lines().any(|line| line == heading.to_uppercase());
            assert_eq!(is_there, !lines.is_empty(), "{command:?} {heading}\n{text}");
        }
        for heading in ["Exit status", "Examples", "Classes of findings"] {
            for line in section(&help, heading) {
                // A line that the help wraps is in one piece on the page.
                assert!(set.contains(&plain(line)), "{command:?}: {line}\n{text}");
            }
        }
        for line in section(&help, "Examples").filter(|line| line.starts_with("      ")) {
            let shell_command = text.lines().any(|set| plain(set) == plain(line));
            assert!(shell_command, "{command:?}: {line} is not a line of its own");
        }
    }
}

#[test]
fn every_man_page_names_its_command_and_is_reproducible() {
    for command in commands() {
        let name = [&["chunkmigrate".to_owned()], &command[..]].concat().join("-");
        let page = page(&command);
        let version = env!("CARGO_PKG_VERSION");
        let title = format!(
            ".TH {} 1 \"\" \"chunkmigrate {version}\" \"User Commands\"",
            name.to_uppercase()
        );
        assert!(page.contains(&title), "{page}");
        let roff_name = name.replace('-', "\\-");
        assert!(page.contains(&format!("\n{roff_name} \\- ")), "{page}");
    }
}

#[test]
fn all_man_pages_are_written_to_a_directory_over_old_ones() {
    let scenario = Scenario::new();
    fs::create_dir(scenario.path("man1")).unwrap();
    let expected: Vec<(String, String)> = commands()
        .iter()
        .map(|command| {
            let name = [&["chunkmigrate".to_owned()], &command[..]].concat().join("-");
            (format!("man1/{name}.1"), page(command))
        })
        .collect();
    fs::write(scenario.path(&expected[0].0), "an old page").unwrap();
    let listed: Vec<String> =
        expected.iter().map(|(name, _)| format!("written  {name}\n")).collect();
    for _ in 0..2 {
        let run = scenario.run(&["man", "--dir", "man1"]).expect_status(0);
        assert_eq!((run.stdout, run.stderr.as_str()), (listed.concat(), ""));
    }
    for (name, page) in &expected {
        assert_eq!(&fs::read_to_string(scenario.path(name)).unwrap(), page);
    }
    assert_eq!(fs::read_dir(scenario.path("man1")).unwrap().count(), expected.len());
    let quiet = scenario.run(&["man", "--dir", "man1", "--quiet"]).expect_status(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let json = scenario.run(&["man", "--dir", "man1", "--format", "json"]).expect_status(0);
    let names: Vec<&String> = expected.iter().map(|(name, _)| name).collect();
    assert_eq!(json.json(), serde_json::json!({"schema": 2, "pages": names}));
}

#[test]
fn an_unwritable_man_page_is_reported_with_its_path_and_the_cause() {
    let scenario = Scenario::new();
    fs::write(scenario.path("file"), "").unwrap();
    fs::create_dir_all(scenario.path("taken/chunkmigrate-verify.1")).unwrap();
    for (dir, message) in [
        ("missing", "directory missing does not exist"),
        ("file", "cannot write to file"),
        ("taken", "cannot write taken/chunkmigrate-verify.1"),
    ] {
        let run = scenario.run(&["man", "--dir", dir]).expect_status(2);
        assert_eq!(run.stdout, "", "{run}");
        assert!(run.stderr.starts_with(&format!("error: {message}\n")), "{run}");
        assert!(run.stderr.contains("caused by: ") || dir == "missing", "{run}");
    }
    if rustix::process::geteuid().is_root() {
        println!("root may write any folder: no more to see here");
        return;
    }
    fs::create_dir(scenario.path("closed")).unwrap();
    fs::set_permissions(scenario.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    let run = scenario.run(&["man", "--dir", "closed"]).expect_status(2);
    assert!(run.stderr.contains("Permission denied"), "{run}");
}

#[test]
fn an_unknown_man_page_is_wrong_usage() {
    let scenario = Scenario::new();
    for args in [&["man", "help"][..], &["man", "migrate"], &["man", "verify", "--dir", "."]] {
        let run = scenario.run(args).expect_status(2);
        assert_eq!(run.stdout, "", "{run}");
    }
    let run = scenario.run(&["man", "verfy"]).expect_status(2);
    assert!(run.stderr.contains("a similar value exists: 'verify'"), "{run}");
}

#[test]
fn without_disk_space_the_old_man_page_stays_and_nothing_else() {
    let scenario = Scenario::new();
    fs::write(scenario.path("chunkmigrate.1"), "an old page").unwrap();
    // No file may be larger than a block, which is too small for any page.
    let script = format!("ulimit -f 1; exec '{PROGRAM}' man --dir .");
    let mut shell = Command::new("sh");
    shell.current_dir(scenario.folder()).args(["-c", &script]);
    let run = Run::of(shell.output().unwrap()).expect_status(2);
    assert!(run.stderr.contains("cannot write ./chunkmigrate.1"), "{run}");
    let files = scenario.files();
    assert_eq!(files.len(), 1, "{:?}", files.keys());
    assert_eq!(files["chunkmigrate.1"], b"an old page");
}
