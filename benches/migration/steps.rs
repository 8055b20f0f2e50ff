//! The steps and the files they read and write.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::step::{Kind, Step};

pub(crate) struct Files {
    pub(crate) database: PathBuf,
    vacuumed: PathBuf,
    restored: PathBuf,
    pub(crate) kv: PathBuf,
    pub(crate) back: PathBuf,
    /// The entries of the KV file in their order, for [`crate::lower_bound::load_redb`].
    entries: PathBuf,
    loaded: PathBuf,
    inserted: PathBuf,
}

impl Files {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Files {
            database: folder.join("big.db"),
            vacuumed: folder.join("vacuumed.db"),
            restored: folder.join("restored.db"),
            kv: folder.join("big.kv"),
            back: folder.join("back.db"),
            entries: folder.join("entries"),
            loaded: folder.join("loaded.kv"),
            inserted: folder.join("inserted.db"),
        }
    }

    /// Creates the database and saves the entries of its copy.
    ///
    /// In separate processes: a parent's memory counts as its children's when they start.
    pub(crate) fn create(&self, chunks: usize) -> Result<()> {
        let chunks = chunks.to_string();
        let database = self.database.as_os_str();
        let commands = [
            part("generate", &[database, OsStr::new(&chunks)])?,
            chunkmigrate(&["sqlite-to-kv", "--no-verify"], &[&self.database, &self.kv]),
            part("save-entries", &[self.kv.as_os_str(), self.entries.as_os_str()])?,
        ];
        for mut command in commands {
            let status = command.stdout(Stdio::null()).status()?;
            if !status.success() {
                return Err(format!("{command:?}: {status}").into());
            }
        }
        Ok(())
    }
}

/// The steps in an order in which each can use the output of those before it. Those of this project
/// are there once for each number of jobs.
pub(crate) fn steps(files: &Files, jobs: &[usize]) -> Result<Vec<Step>> {
    let mut steps = copies_of_sqlite(files);
    let jobs = match jobs {
        [] => vec![None],
        jobs => jobs.iter().copied().map(Some).collect(),
    };
    for jobs in jobs {
        steps.extend(our_steps(files, jobs));
    }
    if is_installed("sqlite3") && is_installed("sqldiff") {
        let files = [Path::new("--summary"), &files.database, &files.vacuumed];
        let command = command_of("sqldiff", &files);
        steps.push(Step::new("sqldiff --summary", Kind::Reference, command));
    }
    steps.extend(lower_bounds(files)?);
    Ok(steps)
}

pub(crate) fn copies_of_sqlite(files: &Files) -> Vec<Step> {
    if !is_installed("sqlite3") {
        return Vec::new();
    }
    let database = files.database.as_path();
    let sqlite3 = |arguments: &[&Path]| command_of("sqlite3", arguments);
    let vacuum = format!("VACUUM INTO '{}'", files.vacuumed.display());
    let vacuum = sqlite3(&[database, Path::new(&vacuum)]);
    let dump = sqlite3(&[database, Path::new(".dump")]);
    vec![
        Step::new("VACUUM INTO", Kind::Reference, vacuum).making(&files.vacuumed),
        Step::new(".dump \\| sqlite3", Kind::Reference, dump)
            .piped_into(sqlite3(&[&files.restored]))
            .making(&files.restored),
    ]
}

fn our_steps(files: &Files, jobs: Option<usize>) -> [Step; 5] {
    let (database, kv, back) = (&files.database, &files.kv, &files.back);
    let ours = |name, arguments: &[&str], files: &[&Path]| {
        let mut command = chunkmigrate(arguments, files);
        if let Some(jobs) = jobs {
            command.args(["--jobs", &jobs.to_string()]);
        }
        Step::new(name, Kind::Ours { jobs }, command)
    };
    let copy = ["sqlite-to-kv", "--no-verify"];
    [
        ours("sqlite-to-kv --no-verify", &copy, &[database, kv]).making(kv),
        ours("sqlite-to-kv", &["sqlite-to-kv"], &[database, kv]).making(kv),
        ours("verify", &["verify"], &[database, kv]),
        ours("kv-to-sqlite", &["kv-to-sqlite"], &[kv, back]).making(back),
        ours("export", &["export"], &[kv]),
    ]
}

fn lower_bounds(files: &Files) -> Result<[Step; 3]> {
    let bound = |name, argument, files: &[&Path]| -> Result<Step> {
        let command =
            part(argument, &files.iter().map(|file| file.as_os_str()).collect::<Vec<_>>())?;
        Ok(Step::new(name, Kind::LowerBound, command))
    };
    let (loaded, inserted) = (&files.loaded, &files.inserted);
    Ok([
        bound("reader alone", "read-sorted", &[&files.database])?,
        bound("redb load alone", "load-redb", &[&files.entries, loaded])?.making(loaded),
        bound("inserts + indexes alone", "insert-and-index", &[&files.database, inserted])?
            .making(inserted),
    ])
}

pub(crate) fn chunkmigrate(arguments: &[&str], files: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chunkmigrate"));
    command.args(arguments).arg("--quiet").args(files);
    command
}

/// A part of this program in a process of its own.
fn part(name: &str, arguments: &[&OsStr]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).args(arguments);
    Ok(command)
}

fn command_of(program: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

pub(crate) fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    let command = command.arg("--version").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}
