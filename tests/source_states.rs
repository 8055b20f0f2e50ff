//! A source in any state is read completely and without a trace: none of its bytes changes, and no
//! file next to it appears or disappears.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::common::source_state::{IN_MAIN, State};
use crate::common::tables::insert_chunks;
use crate::common::{PROGRAM, Run, Scenario, files, kv, make_impatient};

/// A directory that everybody may enter, with its own database in a directory `db` and the program.
struct Place {
    scenario: Scenario,
}

impl Place {
    fn new() -> Self {
        let scenario = Scenario::new();
        open_to_all(scenario.folder(), 0o755);
        for folder in ["db", "out"] {
            fs::create_dir(scenario.path(folder)).unwrap();
        }
        open_to_all(&scenario.path("out"), 0o777);
        Place { scenario }
    }

    fn source(&self) -> PathBuf {
        self.scenario.path("db/code.db")
    }

    fn source_files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.scenario.path("db"))
    }

    fn command(&self, source: &Path, target: &str) -> Command {
        self.command_of(Path::new(PROGRAM), source, target)
    }

    /// The same, run by a user who can't open the program where it was built.
    fn command_as_nobody(&self, source: &Path, target: &str) -> Command {
        if !rustix::process::geteuid().is_root() {
            return self.command(source, target);
        }
        let program = self.scenario.path("program");
        if !program.exists() {
            // Another process copies it: a child that another test starts meanwhile could inherit
            // the descriptor, and a file that is open for writing can't be executed.
            let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
            assert!(copied.unwrap().success());
        }
        let mut command = self.command_of(&program, source, target);
        command.uid(65534).gid(65534);
        command
    }

    fn command_of(&self, program: &Path, source: &Path, target: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("sqlite-to-kv")
            .arg(source)
            .arg(self.scenario.path("out").join(target))
            .current_dir("/");
        command
    }

    /// Copies, and checks that all chunks arrive and nothing in the source's directory changes.
    fn check(&self, source: &Path, target: &str, chunks: i64, as_nobody: bool, what: &str) {
        let before = self.source_files();
        let mut command = match as_nobody {
            true => self.command_as_nobody(source, target),
            false => self.command(source, target),
        };
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.status, 0, "{what}: {run}");
        let keys = kv::keys(&self.scenario.path("out").join(target));
        assert_eq!(keys.len() as i64, chunks, "{what}");
        let after = self.source_files();
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{what}");
        assert!(after == before, "{what}: a file changed");
    }
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn every_source_state_is_read_completely_and_left_unchanged() {
    for state in State::ALL {
        let place = Place::new();
        let chunks = state.make(&place.source());
        place.check(&place.source(), "out.kv", chunks, false, &format!("{state:?}"));
    }
}

#[test]
fn an_unprivileged_user_reads_every_source_state_in_a_read_only_directory() {
    for state in State::ALL {
        let place = Place::new();
        let chunks = state.make(&place.source());
        for name in place.source_files().keys() {
            open_to_all(&place.scenario.path("db").join(name), 0o444);
        }
        open_to_all(&place.scenario.path("db"), 0o555);
        place.check(&place.source(), "out.kv", chunks, true, &format!("{state:?}"));
        open_to_all(&place.scenario.path("db"), 0o755);
    }
}

#[test]
fn a_link_is_read_with_the_sidecars_of_its_target() {
    for state in State::ALL {
        let place = Place::new();
        let chunks = state.make(&place.source());
        let link = place.scenario.path("link.db");
        symlink("db/code.db", &link).unwrap();
        place.check(&link, "file.kv", chunks, false, &format!("link to {state:?}"));
        symlink("db", place.scenario.path("folder")).unwrap();
        let through = place.scenario.path("folder/code.db");
        place.check(&through, "folder.kv", chunks, false, &format!("folder link to {state:?}"));
    }
}

#[test]
fn names_with_uri_characters_work() {
    for name in
        ["a?b.db", "a#b.db", "a%41.db", "a b&c=d.db", "mode=ro?immutable=1.db", "na\u{ef}ve\n.db"]
    {
        for state in
            [State::RollbackJournal, State::CleanWal, State::WalAndShm, State::WalWithoutShm]
        {
            let place = Place::new();
            let source = place.scenario.path("db").join(name);
            let chunks = state.make(&source);
            place.check(&source, "out.kv", chunks, false, &format!("{name:?} {state:?}"));
        }
    }
}

#[test]
fn a_name_with_invalid_utf8_works() {
    let place = Place::new();
    let draft = place.scenario.path("db/draft.db");
    let chunks = State::CleanWal.make(&draft);
    let source = place.scenario.path("db").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.db"));
    fs::rename(draft, &source).unwrap();
    place.check(&source, "out.kv", chunks, false, "not UTF-8");
}

#[test]
fn another_process_may_read_at_the_same_time() {
    for mode in ["DELETE", "WAL"] {
        let place = Place::new();
        let db = Connection::open(place.source()).unwrap();
        db.pragma_update(None, "journal_mode", mode).unwrap();
        chunkmigrate::internal::create_tables(&db).unwrap();
        insert_chunks(&db, IN_MAIN);
        let reading = db.unchecked_transaction().unwrap();
        let count = |db: &Connection| -> i64 {
            db.query_row("SELECT count(*) FROM code_chunks", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(&reading), IN_MAIN);
        place.check(&place.source(), "out.kv", IN_MAIN, false, mode);
        assert_eq!(count(&reading), IN_MAIN);
    }
}

/// Leaves a database as a killed writer does: pages of an unfinished transaction in the file, and
/// their old content in the journal.
fn make_hot_journal(path: &Path) {
    let draft = Scenario::new();
    let draft_path = draft.path("draft.db");
    let db = Connection::open(&draft_path).unwrap();
    chunkmigrate::internal::create_tables(&db).unwrap();
    insert_chunks(&db, 2000);
    db.execute_batch(
        "PRAGMA cache_size = 5; PRAGMA cache_spill = 1;
         BEGIN; UPDATE code_chunks SET content = content || 'x', byte_end = byte_end + 1;",
    )
    .unwrap();
    fs::copy(&draft_path, path).unwrap();
    let journal = format!("{}-journal", draft_path.display());
    fs::copy(journal, format!("{}-journal", path.display())).unwrap();
}

#[test]
fn a_hot_journal_is_an_error_with_a_hint_and_left_unchanged() {
    let place = Place::new();
    make_hot_journal(&place.source());
    let before = place.source_files();
    let run = Run::of(place.command(&place.source(), "out.kv").output().unwrap());
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains("has a hot journal"), "{run}");
    assert!(run.stderr.contains("hint: "), "{run}");
    assert!(place.source_files() == before);
}

/// A commit writes the first page first: its header may count pages that a kill kept from being
/// written.
#[test]
fn a_hot_journal_of_a_seemingly_truncated_file_is_reported_as_hot_journal() {
    let place = Place::new();
    make_hot_journal(&place.source());
    let mut bytes = fs::read(place.source()).unwrap();
    let pages = u32::try_from(bytes.len() / 4096).unwrap();
    bytes[28..32].copy_from_slice(&(pages + 100).to_be_bytes());
    fs::write(place.source(), bytes).unwrap();
    let run = Run::of(place.command(&place.source(), "out.kv").output().unwrap());
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains("has a hot journal"), "{run}");
}

#[test]
fn a_hot_journal_next_to_a_wal_mode_header_is_not_ignored() {
    let place = Place::new();
    make_hot_journal(&place.source());
    let mut bytes = fs::read(place.source()).unwrap();
    bytes[18..20].fill(2);
    fs::write(place.source(), bytes).unwrap();
    let run = Run::of(place.command(&place.source(), "out.kv").output().unwrap());
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains("has a hot journal"), "{run}");
}

#[test]
fn a_locked_database_is_reported_as_locked() {
    let place = Place::new();
    State::RollbackJournal.make(&place.source());
    let db = Connection::open(place.source()).unwrap();
    db.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut command = place.command(&place.source(), "out.kv");
    make_impatient(&mut command);
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains("is locked by another process"), "{run}");
    db.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_fifo_as_sidecar_is_an_error_and_does_not_hang() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let scenario = Scenario::new();
        State::CleanWal.make(&scenario.path("code.db"));
        let fifo = scenario.path(&format!("code.db{suffix}"));
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(2);
        let expected = format!("code.db{suffix} is a FIFO, not a file");
        assert!(run.stderr.contains(&expected), "{run}");
    }
}
