//! The recipes of `docs/ndjson.md` do what they say, with the tools that they use.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{PROGRAM, Run, Scenario};

/// A table that one of the recipes reads.
const VECTORS: &str = "CREATE TABLE vectors (id INTEGER PRIMARY KEY, embedding BLOB);
    INSERT INTO vectors VALUES (1, x'0000803f'), (2, x'00000040')";

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
            Recipe { tool: tool.to_owned(), script: script.to_owned(), output: output.to_owned() }
        })
        .collect()
}

fn follow(recipe: &Recipe) {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", VECTORS);
    let program = Path::new(PROGRAM).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([program.to_owned()].into_iter().chain(env::split_paths(&path)));
    let mut shell = Command::new("sh");
    shell.current_dir(scenario.folder()).env("PATH", path.unwrap()).args(["-euc", &recipe.script]);
    let run = Run::of(shell.output().unwrap());
    assert_eq!(run.stdout, recipe.output, "{}\n{run}", recipe.script);
    assert_eq!(run.status, 0, "{}\n{run}", recipe.script);
    // An edited text has lost its end line.
    let warning = "warning: no end line: completeness unknown";
    let mut warnings = run.stderr.lines();
    assert!(warnings.all(|line| line == warning), "{}\n{run}", recipe.script);
}

/// Runs the recipes for a tool and checks their number.
fn follow_all(tool: &str, count: usize) {
    let mut recipes = recipes();
    recipes.retain(|recipe| recipe.tool == tool);
    assert_eq!(recipes.len(), count, "{tool}");
    recipes.iter().for_each(follow);
}

pub(crate) fn the_recipes_of_duckdb_print_what_the_document_says() {
    follow_all("duckdb", 2);
}

pub(crate) fn the_recipes_of_jq_print_what_the_document_says() {
    follow_all("jq", 4);
}

pub(crate) fn the_recipes_of_sqlite_print_what_the_document_says() {
    follow_all("sqlite3", 2);
}
