//! Shared by all tests: a directory with databases, runs of the program, records of any shape.

pub(crate) mod commands;
pub(crate) mod hostile_file;
pub(crate) mod kv;
pub(crate) mod pages;
#[cfg(target_os = "linux")]
pub(crate) mod preload;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod source_state;
pub(crate) mod store_contents;
pub(crate) mod tables;
pub(crate) mod terminal;
pub(crate) mod watchdog;
pub(crate) mod whole_database;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use test_support::folder;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chunkmigrate");

/// A run that takes longer counts as hanging.
const HANG: Duration = Duration::from_secs(120);

/// Where programs keep their temporary files, unless a test says otherwise.
fn temporary() -> PathBuf {
    folder::in_memory().map_or_else(std::env::temp_dir, Path::to_owned)
}

/// A private directory for one test.
pub(crate) struct Scenario {
    folder: TempDir,
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Scenario { folder: folder::private() }
    }

    /// A scenario with `code.db`, built from [`tables::SMALL`], and its copy `code.kv`.
    pub(crate) fn with_small_pair() -> Self {
        static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
        let files = FILES.get_or_init(|| {
            let scenario = Scenario::new();
            scenario.database("code.db", |db| db.execute_batch(tables::SMALL).unwrap());
            let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
            scenario.files()
        });
        let scenario = Scenario::new();
        for (name, bytes) in files {
            fs::write(scenario.path(name), bytes).unwrap();
        }
        scenario
    }

    /// Like [`Scenario::with_small_pair`], with `code.ndjson`, the export of either.
    pub(crate) fn with_small_export() -> Self {
        let scenario = Scenario::with_small_pair();
        scenario.export("code.db", "code.ndjson");
        scenario
    }

    /// Exports a store into a file.
    pub(crate) fn export(&self, store: &str, text: &str) {
        let run = self.run(&["export", store]).expect_status(0);
        fs::write(self.path(text), run.stdout).unwrap();
    }

    /// The lines of a text.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The lines of an export without its end line, for editing.
    pub(crate) fn lines_without_end(&self, name: &str) -> Vec<String> {
        let mut lines = self.lines(name);
        let end = lines.pop().unwrap();
        assert!(end.starts_with("{\"kind\":\"end\","), "{end}");
        lines
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Creates a database with the four tables and runs `fill`.
    pub(crate) fn database(&self, name: &str, fill: impl FnOnce(&Connection)) -> PathBuf {
        self.bare_database(name, |connection| {
            chunkmigrate::internal::create_tables(connection).unwrap();
            fill(connection);
        })
    }

    /// Creates a database without any table.
    pub(crate) fn bare_database(&self, name: &str, fill: impl FnOnce(&Connection)) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
        fill(&connection);
        connection.close().unwrap();
        path
    }

    /// Changes a database.
    pub(crate) fn change(&self, name: &str, sql: &str) {
        let db = Connection::open(self.path(name)).unwrap();
        db.execute_batch(sql).unwrap();
        db.close().unwrap();
    }

    /// A shell in the directory that finds the program by its name, ready to run.
    pub(crate) fn shell(&self, shell: &str, args: &[&str]) -> Command {
        let program = Path::new(PROGRAM).parent().unwrap().display();
        let mut command = Command::new(shell);
        command
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.folder())
            .env("PATH", format!("{program}:/usr/bin:/bin"))
            .args(args);
        command
    }

    /// The program, ready to run in the directory with its own environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder()).env_clear().env("TMPDIR", temporary()).args(args);
        command
    }

    /// Runs the program in the directory; a run that hangs is killed and fails.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let command = self.command(args);
        let mut command = assert_cmd::Command::from_std(command);
        Run::of(command.timeout(HANG).output().unwrap())
    }

    /// The same with little patience for a lock, where that can be arranged.
    pub(crate) fn run_impatiently(&self, args: &[&str]) -> Run {
        let mut command = self.command(args);
        make_impatient(&mut command);
        Run::of(command.output().unwrap())
    }

    /// The same as [`Scenario::run`] with a limit on the memory that the program may map, in KiB.
    pub(crate) fn run_within(&self, kib: u32, args: &[&str]) -> Run {
        let mut command = Command::new("sh");
        command
            .current_dir(self.folder())
            .env_clear()
            .env("TMPDIR", temporary())
            .args(["-c", &format!("ulimit -v {kib}; exec \"$@\""), "sh", PROGRAM])
            .args(args);
        let mut command = assert_cmd::Command::from_std(command);
        Run::of(command.timeout(HANG).output().unwrap())
    }

    /// Every file of the directory with its bytes; directories have none.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(self.folder())
    }
}

/// Shortens the time that a program waits for a lock, where that can be arranged.
pub(crate) fn make_impatient(command: &mut Command) {
    #[cfg(target_os = "linux")]
    command.env("LD_PRELOAD", preload::FAST_CLOCK.path());
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// Every file of a directory with its bytes; directories have none.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap_or_default())
        })
        .collect()
}

/// The result of a run: its output and its exit status.
#[must_use = "an unchecked run proves nothing"]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit status, or minus the signal that ended the program.
    pub(crate) status: i32,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let run = Run {
            stdout: without_time(&String::from_utf8(output.stdout).unwrap()),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code().unwrap_or_else(|| -output.status.signal().unwrap()),
        };
        assert!(!run.stderr.contains("panicked"), "{run}");
        run
    }

    pub(crate) fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("invalid JSON: {self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { stdout, stderr, status } = self;
        write!(f, "{stdout}")?;
        if !stderr.is_empty() {
            write!(f, "--- stderr\n{stderr}")?;
        }
        write!(f, "--- exit status {status}")
    }
}

/// The text of a report that took a fiftieth of a second.
pub(crate) fn without_time(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let time = line.trim_start().strip_prefix("time   ").map(str::trim_start);
        match time.filter(|time| time.starts_with(|char: char| char.is_ascii_digit())) {
            Some(time) => format!("{}0.02 s\n", &line[..line.len() - time.len()]),
            None => line.to_owned(),
        }
    });
    lines.collect()
}

/// Runs assertions with the snapshots in the top-level directory; what differs between runs is
/// replaced.
pub(crate) fn with_snapshots(assert: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]");
    settings.add_filter(r"\.chunkmigrate-\w{6}", ".chunkmigrate-[RANDOM]");
    settings.add_filter(r"/\S*/\.tmp\w{6}", "[FOLDER]");
    settings.bind(assert);
}
