//! The program's help, and that it is true.

use std::collections::BTreeSet;
use std::fs;

use crate::common::commands::{advice, commands, help, section};
use crate::common::{Run, Scenario, with_snapshots};

#[test]
fn the_help_of_every_command_is_as_in_its_snapshot() {
    let scenario = Scenario::new();
    let mut names: BTreeSet<String> = ["help_usage_json", "help_version"].map(Into::into).into();
    for command in commands() {
        for flag in ["-h", "--help"] {
            let args: Vec<&str> = command.iter().map(String::as_str).chain([flag]).collect();
            let run = scenario.run(&args).expect_status(0);
            let words = args.iter().map(|arg| arg.trim_start_matches('-').replace('-', "_"));
            let name = format!("help_{}", words.collect::<Vec<_>>().join("_"));
            with_snapshots(|| insta::assert_snapshot!(name.clone(), run));
            names.insert(name);
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !name.starts_with("help_") || names.contains(&name),
            "nothing is like {} any more",
            path.display()
        );
    }
}

#[test]
fn help_of_a_command_is_the_same_by_name_and_by_flag() {
    for command in commands() {
        let args: Vec<&str> =
            ["help"].into_iter().chain(command.iter().map(String::as_str)).collect();
        let by_name = Scenario::new().run(&args).expect_status(0);
        assert_eq!(by_name.stdout, help(&command));
    }
}

#[test]
fn the_first_line_is_short_and_imperative_without_a_period() {
    let listed = help(&[]);
    for command in commands() {
        let help = help(&command);
        let first = help.lines().next().unwrap();
        assert!(first.len() < 93, "{command:?}: {first}");
        assert!(first.starts_with(char::is_uppercase) && !first.ends_with('.'), "{first}");
        let verb = first.split(' ').next().unwrap();
        assert!(!verb.ends_with('s'), "{command:?}: {first}");
        if !command.is_empty() {
            assert!(listed.contains(first), "{command:?}: {first}");
        }
    }
}

/// The options of a command with their descriptions.
fn options(help: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for heading in ["Options", "Global options"] {
        for line in section(help, heading) {
            let is_head = line.trim_start().starts_with('-') && !line.starts_with("          ");
            match options.last_mut() {
                Some(option) if !is_head => option.push_str(line),
                _ => options.push(line.to_owned()),
            }
        }
    }
    options
}

#[test]
fn every_option_states_its_default() {
    for command in commands() {
        let options = options(&help(&command));
        assert!(options.len() > 4, "{command:?}: {options:?}");
        for option in options {
            let says: &[&str] = match option.contains("--help") || option.contains("--version") {
                true => &["Print"],
                false => &["[default: ", "[possible values: ", "(required)"],
            };
            assert!(
                says.iter().any(|says| option.contains(says)),
                "{command:?}: one of {says:?} is missing in {option}"
            );
        }
    }
}

#[test]
fn every_help_ends_with_exit_statuses_and_examples() {
    for command in commands() {
        let help = help(&command);
        let headings = help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' '));
        let headings: Vec<&str> = headings.collect();
        assert!(headings.ends_with(&["Exit status:", "Examples:"]), "{command:?}: {headings:?}");
        let statuses: Vec<&str> = section(&help, "Exit status").collect();
        for status in ["  0", "  2"] {
            let at = statuses.iter().position(|line| *line == status);
            let text = at.and_then(|at| statuses.get(at + 1));
            assert!(text.is_some_and(|text| text.starts_with("      ")), "{command:?}");
        }
    }
}

#[test]
fn verify_help_explains_each_class_and_what_to_do() {
    let texts = advice();
    let classes: Vec<_> = texts.iter().map(|(class, _)| *class).collect();
    assert_eq!(classes, chunkmigrate::verify::FindingClass::ALL);
    for (class, text) in texts {
        let has_both = text.contains([':', ',']);
        assert!(has_both, "what is to be done? {class}: {text}");
    }
}

/// The examples of a command, each with its description and command line.
fn examples(command: &[String]) -> Vec<(String, String)> {
    let help = help(command);
    let lines: Vec<&str> = section(&help, "Examples").collect();
    let pairs = lines.chunks_exact(2).map(|pair| {
        assert!(pair[0].ends_with(':') && !pair[0].starts_with("   "), "{lines:?}");
        assert!(pair[1].starts_with("      ") && pair[1].len() <= 80, "{lines:?}");
        (pair[0].trim().to_owned(), pair[1].trim().to_owned())
    });
    assert_eq!(lines.len() % 2, 0, "{lines:?}");
    pairs.collect()
}

/// A directory with the files that the examples use.
fn folder_of_examples() -> Scenario {
    let scenario = Scenario::with_small_export();
    let path = |name: &str| scenario.path(name);
    fs::copy(path("code.db"), path("magellan.db")).unwrap();
    fs::copy(path("code.db"), path("old.db")).unwrap();
    let sql = "UPDATE code_chunks SET content = 'fn old() {}' WHERE id = 1";
    scenario.change("old.db", sql);
    scenario
}

#[test]
fn every_example_works_when_pasted() {
    let template = folder_of_examples();
    for command in commands() {
        let examples = examples(&command);
        assert!(!examples.is_empty(), "{command:?} has no examples");
        for (what, line) in examples {
            assert!(line.contains("chunkmigrate"), "{line}");
            let scenario = Scenario::new();
            for (name, content) in template.files() {
                fs::write(scenario.path(&name), content).unwrap();
            }
            let mut shell = scenario.shell("sh", &["-c", &line]);
            let status = i32::from(what.contains("exit status 1"));
            let run = Run::of(shell.output().unwrap());
            assert_eq!(run.status, status, "{what} {line}\n{run}");
            assert_eq!(run.stderr, "", "{what} {line}");
        }
    }
}

#[test]
fn version_shows_which_file_formats_can_be_read() {
    let scenario = Scenario::new();
    let name = concat!("chunkmigrate ", env!("CARGO_PKG_VERSION"));
    let short = scenario.run(&["-V"]).expect_status(0);
    assert_eq!(short.stdout, format!("{name}\n"));
    let long = scenario.run(&["--version"]).expect_status(0);
    let (format, sqlite) = (chunkmigrate::kv::FORMAT_VERSION, rusqlite::version());
    assert_eq!(long.stdout, format!("{name}\nKV format {format}\nSQLite {sqlite}\n"));
    with_snapshots(|| {
        insta::with_settings!({filters => vec![(r"\d+\.\d+\.\d+", "[VERSION]")]}, {
            insta::assert_snapshot!("help_version", long);
        });
    });
}

#[test]
fn wrong_usage_is_exit_status_2_and_json_if_requested() {
    let scenario = Scenario::new();
    let _ = scenario.run(&["sqlite-to-kv", "only-one"]).expect_status(2);
    let _ = scenario.run(&[]).expect_status(2);
    let _ = scenario.run(&["no-such-command"]).expect_status(2);
    let run = scenario
        .run(&["--format", "json", "sqlite-to-kv", "a", "b", "--only", "chunks"])
        .expect_status(2);
    with_snapshots(|| insta::assert_snapshot!("help_usage_json", run));
}
