//! The commands that are disturbed, and what must be true after each.

use std::fs;
use std::sync::OnceLock;

use rusqlite::Connection;

use crate::common::store_contents::{Files, everything, files_of, records};
use crate::common::tables::{LOOSE_CHUNKS, SMALL, WHOLE_DATABASE, insert_chunk, insert_chunks};
use crate::common::{Run, Scenario};

/// A command that creates or changes a file.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) args: &'static [&'static str],
    pub(super) target: &'static str,
    /// The store whose content the target has at the end.
    pub(super) like: &'static str,
    /// The exit status of an undisturbed run.
    pub(super) status: i32,
    /// Whether the target has everything that a database has, and not only records.
    is_whole: bool,
}

/// The commands that write, in each of their modes.
pub(super) const WRITERS: [Case; 4] = [
    Case::new(&["sqlite-to-kv", "code.db", "new.kv"], "new.kv", "code.db"),
    Case::new(&["kv-to-sqlite", "code.kv", "new.db"], "new.db", "code.kv"),
    Case::new(&["sqlite-to-kv", "code.db", "half.kv", "--merge"], "half.kv", "code.db"),
    Case::new(&["kv-to-sqlite", "code.kv", "half.db", "--merge"], "half.db", "code.kv"),
];

/// The commands that carry a whole database.
pub(super) const WHOLE_WRITERS: [Case; 2] = [
    Case::new(&["sqlite-to-kv", "all.db", "new.kv", "--tables", "all"], "new.kv", "all.kv").whole(),
    Case::new(&["kv-to-sqlite", "all.kv", "new.db"], "new.db", "all.db").whole(),
];

/// The other commands that write, and other targets.
pub(super) const OTHER_WRITERS: [Case; 9] = [
    Case::new(&["kv-to-sqlite", "full.kv", "new.db"], "new.db", "full.db").whole(),
    Case::new(&["import", "code.ndjson", "new.db", "--to", "sqlite"], "new.db", "code.db"),
    Case::new(&["sqlite-to-kv", "code.db", "half.kv", "--replace"], "half.kv", "code.db"),
    Case::new(&["kv-to-sqlite", "code.kv", "half.db", "--replace"], "half.db", "code.kv"),
    Case::new(&["kv-to-sqlite", "code.kv", "wal.db", "--merge"], "wal.db", "code.kv"),
    Case::new(&["sqlite-to-kv", "odd.db", "new.kv", "--on-invalid", "skip"], "new.kv", "even.kv")
        .that_rejects(),
    Case::new(
        &["sqlite-to-kv", "odd.db", "one.kv", "--merge", "--on-invalid", "skip"],
        "one.kv",
        "even.kv",
    )
    .that_rejects(),
    Case::new(&["sample", "new.db"], "new.db", "sample.db"),
    Case::new(&["sample", "half.db", "--replace"], "half.db", "sample.db"),
];

/// All of them.
pub(super) fn all_writers() -> impl Iterator<Item = &'static Case> {
    WRITERS.iter().chain(&WHOLE_WRITERS).chain(&OTHER_WRITERS)
}

/// Commands that change no file.
pub(super) const READERS: [&[&str]; 10] = [
    &["kv-to-sqlite", "code.kv", "wal.db", "--merge", "--dry-run"],
    &["sqlite-to-kv", "code.db", "half.kv", "--merge", "--dry-run"],
    &["verify", "code.db"],
    &["verify", "code.kv"],
    &["verify", "code.db", "code.kv"],
    &["verify", "code.kv", "code.db", "--quick"],
    &["inspect", "code.db"],
    &["inspect", "code.kv"],
    &["export", "code.db"],
    &["verify", "all.db", "all.kv"],
];

/// Those of them that read every kind of file, and in which all others read like one of these.
pub(super) const READERS_OF_EACH_STORE: [&[&str]; 3] = [READERS[0], READERS[3], READERS[4]];

/// A directory with the files that a command reads and changes.
pub(super) fn scenario(args: &[&str]) -> Scenario {
    let scenario = Scenario::new();
    for (name, bytes) in files_for(args) {
        fs::write(scenario.path(name), bytes).unwrap();
    }
    scenario
}

/// The files of [`scenario`], undisturbed.
fn files_for(args: &[&str]) -> impl Iterator<Item = (&'static String, &'static Vec<u8>)> {
    files().iter().filter(|(name, _)| args.contains(&&***name))
}

/// The files of all commands.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| make().files())
}

/// Enough for trees of several pages.
const CHUNKS: i64 = 40;

fn make() -> Scenario {
    let scenario = Scenario::new();
    let all = |db: &Connection| {
        db.execute_batch(SMALL).unwrap();
        db.execute_batch("UPDATE code_chunks SET id = id + 1000").unwrap();
        insert_chunks(db, CHUNKS);
    };
    let half = |db: &Connection| {
        insert_chunks(db, CHUNKS / 2);
        db.execute_batch("UPDATE code_chunks SET content = 'old' WHERE id % 3 = 0").unwrap();
    };
    scenario.database("code.db", all);
    scenario.database("half.db", half);
    scenario.database("wal.db", |db| {
        half(db);
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
    });
    scenario.bare_database("odd.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'src/a.rs'", "0", "9");
        insert_chunk(db, 2, "NULL", "0", "9");
        insert_chunk(db, 3, "'src/b.rs'", "0", "9");
    });
    scenario.bare_database("even.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'src/a.rs'", "0", "9");
        insert_chunk(db, 3, "'src/b.rs'", "0", "9");
    });
    scenario.bare_database("one.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'src/a.rs'", "0", "9");
    });
    scenario.bare_database("all.db", |db| {
        db.execute_batch(WHOLE_DATABASE).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
    });
    scenario.bare_database("full.db", |db| {
        db.pragma_update(None, "auto_vacuum", "FULL").unwrap();
        db.execute_batch(WHOLE_DATABASE).unwrap();
    });
    scenario.export("code.db", "code.ndjson");
    let _ = scenario.run(&["sample", "sample.db"]).expect_status(0);
    for name in ["code", "half", "even", "one"] {
        let (source, target) = (format!("{name}.db"), format!("{name}.kv"));
        let _ = scenario.run(&["sqlite-to-kv", &source, &target]).expect_status(0);
    }
    for name in ["all", "full"] {
        let (source, target) = (format!("{name}.db"), format!("{name}.kv"));
        let copy = ["sqlite-to-kv", &source, &target, "--tables", "all"];
        let _ = scenario.run(&copy).expect_status(0);
    }
    scenario
}

/// The state of a target after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    AsBefore,
    Whole,
}

/// The content of a target before and after a command.
pub(super) struct Expected {
    before: Option<String>,
    whole: Option<String>,
}

impl Expected {
    /// Whether there is no target before.
    pub(super) fn is_new(&self) -> bool {
        self.before.is_none()
    }
}

impl Case {
    const fn new(args: &'static [&'static str], target: &'static str, like: &'static str) -> Self {
        Case { args, target, like, status: 0, is_whole: false }
    }

    /// The same, of everything that a database has.
    const fn whole(mut self) -> Self {
        self.is_whole = true;
        self
    }

    /// The same, with an invalid item.
    const fn that_rejects(mut self) -> Self {
        self.status = 1;
        self
    }

    pub(super) fn expected(&self) -> Expected {
        let untouched = scenario(&[self.target, self.like]);
        let content = |name| self.content(&untouched, name);
        Expected { before: content(self.target), whole: content(self.like) }
    }

    /// What a target has; `None` without one.
    fn content(&self, scenario: &Scenario, name: &str) -> Option<String> {
        match self.is_whole {
            true => everything(scenario, name),
            false => records(scenario, name),
        }
    }

    /// Returns the state of the target, and fails if it is neither.
    pub(super) fn target(&self, scenario: &Scenario, expected: &Expected, place: &str) -> Target {
        if files_of(&scenario.files(), self.target) == files_of(files(), self.target) {
            return Target::AsBefore;
        }
        let found = self.content(scenario, self.target);
        if found == expected.before {
            return Target::AsBefore;
        }
        assert!(found == expected.whole, "the target is neither old nor whole: {place}");
        Target::Whole
    }

    /// Fails if anything except the target, and what SQLite keeps next to it, has changed.
    pub(super) fn check_others(&self, scenario: &Scenario, target: Target, place: &str) {
        let is_targets = |name: &str| {
            // Only of a file that is changed in its place.
            let is_merge = self.args.contains(&"--merge");
            let side: &[&str] = if is_merge { &["-journal", "-wal", "-shm"] } else { &[] };
            name == self.target
                || side.iter().any(|side| name == format!("{}{side}", self.target))
                || (target == Target::Whole && name == format!("{}.rejects.jsonl", self.target))
        };
        check_others(scenario, self.args, is_targets, place);
    }
}

/// Fails if a file of the scenario has changed, or a new one exists.
pub(super) fn check_others(
    scenario: &Scenario,
    args: &[&str],
    may_differ: impl Fn(&str) -> bool,
    place: &str,
) {
    let found = scenario.files();
    let found: Vec<_> = found.iter().filter(|(name, _)| !may_differ(name)).collect();
    let before = files_for(args).filter(|(name, _)| !may_differ(name));
    let before: Vec<_> = before.collect();
    let names =
        |files: &[(&String, _)]| files.iter().map(|(name, _)| (*name).clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&before), "{place}");
    assert!(found == before, "a file was changed: {place}");
}

/// Fails if an error doesn't report its cause and one of the files of the command.
pub(super) fn check_reported(
    scenario: &Scenario,
    args: &[&str],
    run: &Run,
    causes: &[&str],
    place: &str,
) {
    let Run { stderr, .. } = run;
    let names = args.iter().copied().filter(|arg| arg.contains('.'));
    // A file without a name is reported by the staging directory that contains it, and that by its
    // destination.
    let folder = scenario.folder().display();
    let places = [
        format!("{folder}/.chunkmigrate-"),
        format!("{folder}/chunkmigrate-"),
        format!("a staging directory in {folder}\n"),
        format!("the directory {folder}\n"),
        format!("not enough space in {folder}:"),
    ];
    let mut names = names.chain(places.iter().map(String::as_str));
    let names_a_file = names.any(|name| stderr.contains(name));
    assert!(names_a_file, "no file is reported: {place}");
    let names_a_cause = causes.iter().any(|cause| stderr.contains(cause));
    assert!(names_a_cause, "the cause is not reported: {place}");
}
