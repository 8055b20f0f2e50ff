//! What a test needs from the machine, and whether it is available.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::browser::{self, Browser};
use crate::samples::samples;

/// The variable that lists what must be available.
const REQUIRE: &str = "CHUNKMIGRATE_REQUIRE";

/// Names that the variable may list.
const NAMES: [&str; 5] = ["browser", "duckdb", "jq", "samples", "sqlite3"];

/// Something that a test requires.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Need {
    /// A browser.
    Browser,
    /// The directories of real databases.
    Samples,
    /// Some of these databases, by their names.
    Sample(&'static [&'static str]),
    /// A program, by its name.
    Tool(&'static str),
}

impl Need {
    /// Its name in [`REQUIRE`].
    pub(crate) fn name(self) -> &'static str {
        match self {
            Need::Browser => "browser",
            Need::Samples | Need::Sample(_) => "samples",
            Need::Tool(name) => name,
        }
    }

    /// Reports what is missing, if anything.
    pub(crate) fn is_met(self) -> Result<(), String> {
        let missing = match self {
            Need::Browser => Browser::find()
                .is_none()
                .then(|| format!("no browser is installed ({})", browser::NAMES.join(", "))),
            Need::Samples => {
                samples().is_none().then(|| "CHUNKMIGRATE_SAMPLES is not set".to_owned())
            }
            Need::Sample(names) => {
                Need::Samples.is_met()?;
                let samples = samples().unwrap_or_default();
                let is_there = |name: &&&str| samples.iter().any(|path| path.ends_with(name));
                let missing = names.iter().find(|name| !is_there(name));
                missing.map(|name| format!("{name} is not among the samples"))
            }
            Need::Tool(name) => (!is_installed(name)).then(|| format!("{name} is not installed")),
        };
        missing.map_or(Ok(()), Err)
    }
}

/// What must be available.
pub(crate) fn required() -> Vec<String> {
    let list = env::var(REQUIRE).unwrap_or_default();
    let names = list.split(',').filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let unknown = names.iter().find(|name| !NAMES.contains(&name.as_str()));
    assert_eq!(unknown, None, "{REQUIRE} may list {NAMES:?}");
    names
}

/// The directories of `PATH`.
pub(crate) fn program_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect()
}

fn is_installed(tool: &str) -> bool {
    let mut folders = program_folders().into_iter();
    folders.any(|folder| folder.join(tool).is_file())
        && Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}
