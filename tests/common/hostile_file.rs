//! A prepared file, and every way in which the program opens it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::{Run, Scenario, tables};

/// The expected result of reading a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Read completely: the copy equals the source.
    Copied,
    /// Read, and an invalid item was reported: this is a line of the report.
    Reported(&'static str),
    /// Not read: the message contains this.
    Fails(&'static str),
}

impl Outcome {
    const fn status(self) -> i32 {
        match self {
            Outcome::Copied => 0,
            Outcome::Reported(_) => 1,
            Outcome::Fails(_) => 2,
        }
    }
}

/// A directory with the records of [`tables::SMALL`] as `code.db` and `code.kv`, and the prepared
/// file next to them.
pub(crate) struct HostileFile {
    pub(crate) scenario: Scenario,
    store: &'static str,
    /// Memory that a run may map, in KiB.
    memory: Option<u32>,
}

impl HostileFile {
    /// A prepared database, `odd.db`.
    pub(crate) fn by_database(make: impl FnOnce(&Path)) -> Self {
        Self::by("odd.db", make)
    }

    /// A prepared KV file, `odd.kv`.
    pub(crate) fn by_kv(make: impl FnOnce(&Path)) -> Self {
        Self::by("odd.kv", make)
    }

    fn by(store: &'static str, make: impl FnOnce(&Path)) -> Self {
        let scenario = Scenario::with_small_pair();
        make(&scenario.path(store));
        HostileFile { scenario, store, memory: None }
    }

    /// The same, with a limit on the memory that a run may map.
    pub(crate) fn within_mib(mut self, mib: u32) -> Self {
        self.memory = Some(mib << 10);
        self
    }

    /// Runs a command that may change `target` and nothing else, and undoes what it did.
    ///
    /// It must end by itself, name the prepared file if it fails, leave the target unchanged then,
    /// and send no control character to a terminal.
    pub(crate) fn run(&self, what: &str, args: &[&str], target: Option<&str>) -> Run {
        let run = self.run_and_keep(what, args, target);
        if let Some(target) = target {
            let _ = fs::remove_file(self.scenario.path(target));
            let _ = fs::remove_file(self.scenario.path(&format!("{target}.rejects.jsonl")));
        }
        run
    }

    fn run_and_keep(&self, what: &str, args: &[&str], target: Option<&str>) -> Run {
        let before = self.files();
        let run = match self.memory {
            None => self.scenario.run(args),
            Some(kib) => self.scenario.run_within(kib, args),
        };
        let mut after = self.files();
        assert!((0..=2).contains(&run.status), "{what} {args:?}: {run}");
        let output = run.to_string();
        if run.status == 2 {
            let named = ["odd", "code.", "target"].iter().any(|name| output.contains(name));
            assert!(named, "{what} {args:?}: {run}");
            assert!(!output.contains("bug in chunkmigrate"), "{what} {args:?}: {run}");
        }
        let raw = |char: &char| char.is_control() && *char != '\n' || is_format(*char);
        // An export to a file or a pipe is byte for byte.
        let stdout = if args.contains(&"export") { "" } else { &run.stdout };
        let found = stdout.chars().chain(run.stderr.chars()).find(raw);
        assert_eq!(found, None, "{what} {args:?}: {output:?}");
        if let (Some(target), true) = (target, run.status < 2) {
            for name in [target.to_owned(), format!("{target}.rejects.jsonl")] {
                after.remove(&name);
                if let Some(bytes) = before.get(&name) {
                    after.insert(name, bytes.clone());
                }
            }
        }
        assert!(after == before, "{what} {args:?} changed a file: {run}");
        run
    }

    /// Every regular file with its bytes; for a sparse file of gigabytes, only its length.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.scenario.folder()).unwrap();
        let entries = entries.map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let content = match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() && metadata.len() < 1 << 28 => {
                    fs::read(&path).unwrap()
                }
                Ok(metadata) => metadata.len().to_le_bytes().to_vec(),
                Err(_) => Vec::new(),
            };
            (name, content)
        });
        entries.collect()
    }

    /// Reads the store in every way; each must have the same result.
    pub(crate) fn assert_read_as(&self, what: &str, outcome: Outcome) {
        self.assert_copied_as(what, outcome);
        let exported = self.run(what, &["export", self.store], None);
        assert_eq!(exported.status, outcome.status(), "{what}: {exported}");
        if let Outcome::Fails(text) = outcome {
            assert!(exported.stderr.contains(text), "{what}: {exported}");
        }
    }

    /// The same for a KV file with a wrong manifest. An export omits the manifest and does not read
    /// it.
    pub(crate) fn assert_read_as_but_exported(&self, what: &str, outcome: Outcome) {
        self.assert_copied_as(what, outcome);
        let exported = self.run(what, &["export", self.store], None);
        assert_eq!(exported.status, 0, "{what}: {exported}");
    }

    /// Reads the store in every way except exporting it.
    fn assert_copied_as(&self, what: &str, outcome: Outcome) {
        let store = self.store;
        let (command, target, own) = match store {
            "odd.db" => ("sqlite-to-kv", "target.kv", "code.kv"),
            _ => ("kv-to-sqlite", "target.db", "code.db"),
        };
        let check = |run: Run| {
            assert_eq!(run.status, outcome.status(), "{what}: {run}");
            if let Outcome::Fails(text) = outcome {
                assert!(run.to_string().contains(text), "{what}: {run}");
            }
        };
        if outcome == Outcome::Copied {
            let made = self.run_and_keep(what, &[command, store, target], Some(target));
            assert_eq!(made.status, 0, "{what}: {made}");
            let args = ["verify", store, target];
            assert_eq!(self.run(what, &args, Some(target)).status, 0, "{what}");
        } else {
            let run = self.run(what, &[command, store, target], Some(target));
            if let Outcome::Reported(line) = outcome {
                names(store, line, what, &run);
            }
            check(run);
        }
        check(self.run(what, &["inspect", store, "--format", "json"], None));
        let fails = outcome.status() == 2;
        // Whether the stores share records is not known here, but whether both can be read is.
        for args in [&["verify", store, own][..], &["verify", own, store, "--quick"]] {
            let run = self.run(what, args, None);
            assert_eq!(run.status == 2, fails, "{what} {args:?}: {run}");
        }
    }

    /// Merges the small pair into the store and checks the result; the store is changed.
    pub(crate) fn assert_target_as(&self, what: &str, merged: Outcome) {
        let store = self.store;
        let (command, own) = match store {
            "odd.db" => ("kv-to-sqlite", "code.kv"),
            _ => ("sqlite-to-kv", "code.db"),
        };
        let run = self.run_and_keep(what, &[command, own, store, "--merge"], Some(store));
        assert_eq!(run.status, merged.status(), "{what}: {run}");
        match merged {
            Outcome::Fails(text) => assert!(run.to_string().contains(text), "{what}: {run}"),
            Outcome::Copied => {
                let again = self.run(what, &[command, own, store, "--merge"], None);
                assert_eq!(again.status, 0, "{what}: {again}");
            }
            Outcome::Reported(line) => names(store, line, what, &run),
        }
    }
}

/// Fails if a report is not about the store, or lacks the line.
fn names(store: &str, line: &str, what: &str, run: &Run) {
    let mut lines = run.stdout.lines();
    let heading = lines.next().unwrap_or_default();
    assert!(heading.contains(store), "{what}: {run}");
    assert!(lines.any(|found| found.trim_start() == line), "{what}: {run}");
}

/// Whether a character changes how others are displayed.
fn is_format(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{feff}')
}

/// Creates a database of [`tables::SMALL`] with content other than that of the hostile file, runs
/// `fill`, and then edits its schema directly.
pub(crate) fn database(path: &Path, fill: &str, edits: &[&str]) {
    let connection = Connection::open(path).unwrap();
    chunkmigrate::internal::create_tables(&connection).unwrap();
    connection.execute_batch(tables::SMALL).unwrap();
    connection
        .execute_batch(
            "UPDATE code_chunks SET content = 'other' WHERE id = 1;
             DELETE FROM code_chunks WHERE id = 2; DELETE FROM file_metrics;",
        )
        .unwrap();
    bare_database_in(&connection, fill, edits);
}

/// The same with only what `fill` creates.
pub(crate) fn bare_database(path: &Path, fill: &str, edits: &[&str]) {
    bare_database_in(&Connection::open(path).unwrap(), fill, edits);
}

fn bare_database_in(connection: &Connection, fill: &str, edits: &[&str]) {
    connection.execute_batch(fill).unwrap();
    if !edits.is_empty() {
        connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    }
    for edit in edits {
        connection.execute_batch(edit).unwrap();
    }
}
