//! Scripts that complete commands, options and files.

use std::fs;

use crate::common::commands::{commands, help};
use crate::common::{Run, Scenario};

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

fn script(shell: &str) -> String {
    let run = Scenario::new().run(&["completions", shell]).expect_status(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

/// The options in the help of a command, without their dashes.
fn options(command: &[String]) -> Vec<String> {
    let help = help(command);
    let words = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = words.flat_map(|line| line.split([' ', ','])).filter_map(|word| {
        let name = word.strip_prefix("--")?;
        Some(name.trim_end_matches("...").to_owned())
    });
    let options: Vec<String> = words.collect();
    assert!(options.len() > 4, "{options:?}");
    options
}

#[test]
fn every_script_contains_every_command_and_option() {
    for shell in SHELLS {
        let script = script(shell);
        for command in commands() {
            for name in command.iter().chain(&options(&command)) {
                assert!(script.contains(name.as_str()), "{shell} lacks {name}");
            }
        }
    }
}

#[test]
fn the_help_shows_how_to_load_the_script_in_every_shell() {
    let help = help(&["completions".to_owned()]);
    for shell in SHELLS {
        let command = format!("chunkmigrate completions {shell}");
        let lines = help.lines().filter(|line| line.contains(&command));
        assert!(lines.count() > 0, "{shell}");
        assert!(help.contains(&format!("{shell},")) || shell == "powershell", "{shell}");
    }
}

/// What a shell prints for a script; `None` if it is not installed.
fn in_shell(shell: &str, args: &[&str], scenario: &Scenario) -> Option<Run> {
    match scenario.shell(shell, args).output() {
        Ok(output) => Some(Run::of(output)),
        Err(error) => {
            println!("no {shell} here ({error}): nothing to see");
            None
        }
    }
}

#[test]
fn shells_can_parse_their_scripts() {
    for (shell, flag) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let scenario = Scenario::new();
        fs::write(scenario.path("script"), script(shell)).unwrap();
        if let Some(run) = in_shell(shell, &[flag, "script"], &scenario) {
            assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{shell}");
        }
    }
}

/// What bash offers for a line whose last word is incomplete. The script is loaded as the help
/// says.
fn offered_by_bash(scenario: &Scenario, words: &[&str]) -> Option<Vec<String>> {
    let last = words.len() - 1;
    let complete = format!(
        "eval \"$(chunkmigrate completions bash)\"
         COMP_WORDS=({}) COMP_CWORD={last}
         _chunkmigrate chunkmigrate '{}' '{}'
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words[last],
        words[last - 1],
    );
    let run = in_shell("bash", &["--norc", "-c", &complete], scenario)?.expect_status(0);
    Some(run.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_commands_options_values_and_files() {
    let scenario = Scenario::new();
    fs::write(scenario.path("spare key.jsonl"), "").unwrap();
    for (words, offered) in [
        (&["chunkmigrate", "sq"][..], &["sqlite-to-kv"][..]),
        (&["chunkmigrate", "verify", "--qui"], &["--quick", "--quiet"]),
        (&["chunkmigrate", "export", "--only", "ch"], &["chunk"]),
        (&["chunkmigrate", "man", "ver"], &["verify"]),
        (&["chunkmigrate", "completions", "po"], &["powershell"]),
        (&["chunkmigrate", "verify", "--report", "spa"], &["spare key.jsonl"]),
    ] {
        let Some(mut found) = offered_by_bash(&scenario, words) else {
            return;
        };
        found.sort();
        assert_eq!(found, offered, "{words:?}");
    }
}

#[test]
fn zsh_and_fish_load_the_script_as_the_help_says() {
    let scenario = Scenario::new();
    let zsh = "autoload -U compinit && compinit -u -D
               eval \"$(chunkmigrate completions zsh)\" && print ${_comps[chunkmigrate]}";
    if let Some(run) = in_shell("zsh", &["-f", "-c", zsh], &scenario) {
        let run = run.expect_status(0);
        assert_eq!(run.stdout, "_chunkmigrate\n", "{run}");
    }
    let fish = "chunkmigrate completions fish | source; complete -C 'chunkmigrate sq'";
    if let Some(run) = in_shell("fish", &["--no-config", "-c", fish], &scenario) {
        let run = run.expect_status(0);
        assert!(run.stdout.starts_with("sqlite-to-kv\t"), "{run}");
    }
}
