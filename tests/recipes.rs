//! The recipes of `docs/ndjson.md` do what they say, with the tools that are installed.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{PROGRAM, Run, Scenario};

/// Commands of the document, with the tool that they need and what they print.
struct Recipe {
    tool: String,
    script: String,
    output: String,
}

fn recipes() -> Vec<Recipe> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ndjson.md");
    let text = fs::read_to_string(path).unwrap();
    let mut blocks = text.split("```sh ");
    let _prose = blocks.next();
    blocks
        .map(|block| {
            let (tool, rest) = block.split_once('\n').unwrap();
            let (script, rest) = rest.split_once("```\n").unwrap();
            let output = rest.split_once("```text\n").unwrap().1;
            let (output, _) = output.split_once("```").unwrap();
            Recipe {
                tool: tool.to_owned(),
                script: script.to_owned(),
                output: output.to_owned(),
            }
        })
        .collect()
}

fn is_installed(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
        && Command::new(tool)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
}

fn follow(recipe: &Recipe) {
    let scenario = Scenario::with_small_pair();
    let program = Path::new(PROGRAM).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(
        [program.to_owned()]
            .into_iter()
            .chain(env::split_paths(&path)),
    );
    let mut shell = Command::new("sh");
    shell
        .current_dir(scenario.folder())
        .env("PATH", path.unwrap())
        .args(["-euc", &recipe.script]);
    let run = Run::of(shell.output().unwrap());
    assert_eq!(run.stdout, recipe.output, "{}\n{run}", recipe.script);
    assert_eq!(run.status, 0, "{}\n{run}", recipe.script);
    // What is edited has lost its end line.
    let warning = "warning: no end line: completeness unknown";
    let mut told = run.stderr.lines();
    assert!(told.all(|line| line == warning), "{}\n{run}", recipe.script);
}

#[test]
fn every_recipe_prints_what_the_document_says() {
    let recipes = recipes();
    for (tool, count) in [("jq", 3), ("duckdb", 2), ("sqlite3", 2)] {
        let of_tool: Vec<_> = recipes.iter().filter(|r| r.tool == tool).collect();
        assert_eq!(of_tool.len(), count, "{tool}");
        match is_installed(tool) {
            true => of_tool.into_iter().for_each(follow),
            false => eprintln!("{tool} is not installed: its recipes were not tried"),
        }
    }
    assert_eq!(recipes.len(), 7);
}
