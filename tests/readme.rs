//! The commands in the `console` blocks of README.md and docs/ print what the documents show.
//!
//! After a change of the output, `CHUNKMIGRATE_BLESS=1 cargo test --test runner readme` writes the new
//! samples into the documents.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Run, Scenario};

const START: &str = "```console";
const END: &str = "```";
const PROMPT: &str = "$ ";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("docs")).unwrap();
    let docs = folder.map(|entry| entry.unwrap().path());
    let mut documents: Vec<PathBuf> = docs.chain([root().join("README.md")]).collect();
    documents.sort();
    documents
}

/// Runs the commands of one document in its own directory, in order.
struct Session {
    scenario: Scenario,
    status: i32,
    commands: usize,
}

impl Session {
    fn run(&mut self, command: &str) -> String {
        self.commands += 1;
        if command == "echo $?" {
            return format!("{}\n", self.status);
        }
        // Readers may have no sqlite3, and neither may the machine that runs the tests.
        if let Some(arguments) = command.strip_prefix("sqlite3 ") {
            let (database, sql) = arguments.split_once(' ').unwrap();
            let sql = sql.strip_prefix('"').and_then(|sql| sql.strip_suffix('"'));
            let sql = sql.unwrap_or_else(|| panic!("no quotes around the SQL: {command}"));
            assert!(!sql.contains("SELECT"), "its output is not known: {sql}");
            self.scenario.change(database, sql);
            self.status = 0;
            return String::new();
        }
        let mut shell = self.scenario.shell("sh", &["-c", command]);
        let run = Run::of(shell.output().unwrap());
        self.status = run.status;
        run.stdout + &run.stderr
    }
}

/// The document with the current output of its commands, and the number of commands.
fn rerun(text: &str) -> (String, usize) {
    let mut session = Session { scenario: Scenario::new(), status: 0, commands: 0 };
    let mut rerun = String::new();
    let mut in_block = false;
    for line in text.lines() {
        match (in_block, line.strip_prefix(PROMPT)) {
            (true, Some(command)) => {
                rerun.push_str(line);
                rerun.push('\n');
                rerun.push_str(&session.run(command));
                continue;
            }
            (true, None) if line != END => continue,
            _ => {}
        }
        in_block = line == START;
        rerun.push_str(line);
        rerun.push('\n');
    }
    assert!(!in_block, "a block has no end");
    (rerun, session.commands)
}

#[test]
fn every_documented_command_prints_the_documented_output() {
    let is_blessed = env::var_os("CHUNKMIGRATE_BLESS").is_some_and(|value| value == "1");
    let mut commands = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let (rerun, count) = rerun(&text);
        commands += count;
        if is_blessed {
            if rerun != text {
                fs::write(&path, rerun).unwrap();
            }
            continue;
        }
        for (number, (shown, printed)) in (1..).zip(text.lines().zip(rerun.lines())) {
            let name = path.strip_prefix(root()).unwrap().display();
            assert_eq!(shown, printed, "{name}:{number} differs: {rerun}");
        }
        assert_eq!(text, rerun);
    }
    assert!(commands > 10, "only {commands} commands were found");
}

/// Longer text belongs in docs/.
#[test]
fn the_readme_has_at_most_1100_words() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let words = text.split_whitespace().count();
    assert!(words <= 1100, "{words} words");
}
