//! Instructions of each step under valgrind. They are the same on every machine.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::Result;
use crate::step::Step;
use crate::steps::{Files, is_installed, steps};

const CHUNKS: usize = 20_000;
/// One thread of the pool, so that the number of cores makes no difference.
const JOBS: usize = 1;
/// To which the others are compared.
const REFERENCE: &str = "sqldiff --summary";

/// The goals, as multiples of the reference.
const GOALS: [(&str, &str, &str); 5] = [
    ("sqlite-to-kv --no-verify", "1.8", "1.6"),
    ("sqlite-to-kv", "2.5", "2.1"),
    ("verify", "1.9", "1.6"),
    ("kv-to-sqlite", "3.0", "2.5"),
    ("export", "1.3", "0.9"),
];

/// Counts the instructions of our steps and of `sqldiff`, and prints them.
pub(crate) fn print(folder: &Path) -> Result<()> {
    if !is_installed("valgrind") {
        println!("\ninstructions not counted: valgrind is not installed");
        return Ok(());
    }
    let files = Files::in_folder(folder);
    files.create(CHUNKS)?;
    let mut counted = Vec::new();
    for mut step in steps(&files, &[JOBS])? {
        if step.is_ours() || step.name == REFERENCE {
            eprintln!("{CHUNKS} chunks, instructions: {}", step.name);
            counted.push((step.name, count(step, &folder.join("profile"))?));
        } else if step.name == "VACUUM INTO" {
            // The reference reads its output.
            step.run()?;
        }
    }
    let count_of = |name: &str| counted.iter().find(|counted| counted.0 == name);
    println!("\nMillions of instructions without SHA-256, {CHUNKS} chunks, --jobs {JOBS}\n");
    println!("| way | instructions | × {REFERENCE} | bar | aim |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, instructions) in &counted {
        let ratio = match count_of(REFERENCE) {
            Some((_, reference)) => format!("{:.2}", *instructions as f64 / *reference as f64),
            None => "not measured".to_owned(),
        };
        let goal = GOALS.iter().find(|goal| goal.0 == *name);
        let (_, bar, aim) = goal.unwrap_or(&("", "", ""));
        let millions = *instructions as f64 / 1e6;
        println!("| {name} | {millions:.0} | {ratio} | {bar} | {aim} |");
    }
    Ok(())
}

fn count(step: Step, profile: &Path) -> Result<u64> {
    let arguments = [
        "--quiet".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", profile.display()),
    ];
    step.under("valgrind", &arguments).run()?;
    instructions_without_sha256(BufReader::new(File::open(profile)?))
}

/// Adds up a profile in callgrind's format. SHA-256 has instructions of its own on today's processors,
/// but not under valgrind, where it would be a large part.
fn instructions_without_sha256(profile: impl BufRead) -> Result<u64> {
    let mut sum = 0;
    let mut sha256_functions = HashSet::new();
    let mut is_sha256 = false;
    let mut is_inclusive = false;
    for line in profile.lines() {
        let line = line?;
        if let Some(function) = line.strip_prefix("fn=").or(line.strip_prefix("cfn=")) {
            // `(7) name` where a function is first mentioned, `(7)` from then on.
            let (id, name) = function.split_once(' ').unwrap_or((function, ""));
            if name.to_lowercase().contains("sha2") {
                sha256_functions.insert(id.to_owned());
            }
            if line.starts_with("fn=") {
                is_sha256 = sha256_functions.contains(id);
            }
        } else if line.starts_with("calls=") {
            is_inclusive = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            // The line after a call has the cost of the called function, which counts it itself.
            if !std::mem::take(&mut is_inclusive) && !is_sha256 {
                let cost = line.split(' ').nth(1).unwrap_or("0");
                sum += cost.parse::<u64>()?;
            }
        }
    }
    Ok(sum)
}
