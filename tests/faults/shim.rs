//! Runs of the program with `shim.c` between it and its files.

use std::fs;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::commands::scenario;
use crate::common::preload::Preload;
use crate::common::{Run, Scenario};

/// A run that takes longer counts as hanging.
const HANG: Duration = Duration::from_secs(60);

/// The calls that change the disk, except those that remove something.
pub(super) const CHANGES: &str = "cwsn";
/// All calls that change the disk.
pub(super) const CHANGES_AND_DELETIONS: &str = "cwsnd";
/// The calls that open for reading, and read.
pub(super) const READS: &str = "r";

/// What happens to which calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disturbance {
    /// The groups of calls that are steps, as `shim.c` names them.
    pub(super) groups: &'static str,
    /// What happens, as `shim.c` names it.
    pub(super) how: &'static str,
    /// Whether it happens to all later steps too.
    pub(super) lasts: bool,
}

/// A run with one disturbed step.
pub(super) struct Disturbed {
    pub(super) run: Run,
    /// The call and its file.
    pub(super) step: (String, String),
    /// All steps, to be printed if something is wrong.
    pub(super) place: String,
}

/// Runs a command in scenario after scenario and disturbs the next step each time, until there is
/// none left. Returns the number of steps.
pub(super) fn sweep(
    args: &[&str],
    disturbance: Disturbance,
    check: impl Fn(&Scenario, &Disturbed),
) -> usize {
    for at in 0.. {
        let scenario = scenario(args);
        match disturb(&scenario, args, disturbance, at) {
            Some(disturbed) => check(&scenario, &disturbed),
            None => return at,
        }
    }
    unreachable!("there are fewer steps than numbers")
}

/// Runs a command and disturbs one step of it; `None` if it had fewer.
pub(super) fn disturb(
    scenario: &Scenario,
    args: &[&str],
    disturbance: Disturbance,
    at: usize,
) -> Option<Disturbed> {
    let (run, log) = run(scenario, args, disturbance, &at.to_string());
    let step = log.lines().find_map(|line| line.strip_prefix('*'))?;
    let Disturbance { how, lasts, .. } = disturbance;
    Some(Disturbed {
        step: parse(step),
        place: format!("{args:?}, {how} at step {at}, {step}, lasting: {lasts}: {run}"),
        run,
    })
}

/// The steps of an undisturbed command.
pub(super) fn trace(
    scenario: &Scenario,
    args: &[&str],
    groups: &'static str,
) -> Vec<(String, String)> {
    let nothing = Disturbance { groups, how: "", lasts: false };
    let (_, log) = run(scenario, args, nothing, "-1");
    log.lines().map(parse).collect()
}

/// A call and its file.
fn parse(step: &str) -> (String, String) {
    let (call, path) = step.split_once(' ').unwrap();
    (call.to_owned(), path.to_owned())
}

/// Runs a command with the shim; returns what the shim wrote too.
fn run(scenario: &Scenario, args: &[&str], disturbance: Disturbance, at: &str) -> (Run, String) {
    let log = NamedTempFile::new().unwrap();
    let folder = fs::canonicalize(scenario.folder()).unwrap();
    let Disturbance { groups, how, lasts } = disturbance;
    let mut command = scenario.command(args);
    command
        .env("TMPDIR", &folder)
        .env("LD_PRELOAD", LIBRARY.path())
        .env("FAULTS_LOG", log.path())
        .env("FAULTS_UNDER", folder)
        .env("FAULTS_GROUPS", groups)
        .env("FAULTS_HOW", how)
        .env("FAULTS_AT", at);
    if lasts {
        command.env("FAULTS_LASTS", "1");
    }
    let mut command = assert_cmd::Command::from_std(command);
    let run = Run::of(command.timeout(HANG).output().unwrap());
    (run, fs::read_to_string(log.path()).unwrap())
}

static LIBRARY: Preload = Preload::new(include_str!("shim.c"));
