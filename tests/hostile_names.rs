//! File names that are special to SQLite, a shell or a terminal, and files next to a database that
//! are not what their names say.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use rusqlite::Connection;

use crate::common::hostile_file::Outcome::{Copied, Fails};
use crate::common::hostile_file::{HostileFile, database};
use crate::common::source_state::State;
use crate::common::terminal::Terminal;
use crate::common::{Run, Scenario};

const HOSTILE: &str = "\u{1b}[2J\u{202e}\u{9b}\u{7f}\n\u{2066}\u{200b}";

/// Runs the program with arguments that may be invalid UTF-8.
fn run(scenario: &Scenario, args: &[&OsStr]) -> Run {
    let output = scenario.command(&[]).args(args).output().unwrap();
    Run::of(output)
}

#[test]
fn every_legal_file_name_is_accepted() {
    let long = "a".repeat(255);
    let names: [&[u8]; 12] = [
        b"-x.db",
        b"--merge",
        b"file:x?mode=memory",
        b":memory:",
        b" ",
        b"~",
        b"\xff\xfe.db",
        b"$(touch made)`touch made`'\"",
        b"x-wal",
        b"x.rejects.jsonl",
        HOSTILE.as_bytes(),
        &long.as_bytes()[..240],
    ];
    for name in names {
        let name = OsStr::from_bytes(name);
        let text = |text: &'static str| OsStr::new(text);
        let scenario = Scenario::with_small_pair();
        fs::rename(scenario.path("code.db"), scenario.folder().join(name)).unwrap();
        for (args, made) in [
            (vec![text("sqlite-to-kv"), text("--"), name, text("made.kv")], text("made.kv")),
            (vec![text("verify"), text("--"), name, text("code.kv")], text("")),
            (vec![text("inspect"), text("--"), name], text("")),
            (vec![text("export"), text("--"), name], text("")),
            (
                vec![text("kv-to-sqlite"), text("--merge"), text("--"), text("code.kv"), name],
                text(""),
            ),
            (
                vec![text("kv-to-sqlite"), text("--replace"), text("--"), text("code.kv"), name],
                text(""),
            ),
        ] {
            let run = run(&scenario, &args);
            assert_eq!(run.status, 0, "{args:?}: {run}");
            let found: Vec<_> =
                fs::read_dir(scenario.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
            let expected = [name, text("code.kv"), text("made.kv")];
            assert!(found.iter().all(|f| expected.contains(&f.as_os_str())), "{args:?}: {found:?}");
            assert!(made.is_empty() || found.iter().any(|f| f == made), "{args:?}: {found:?}");
            assert!(
                !(run.stdout + &run.stderr).contains(['\u{1b}', '\u{9b}', '\u{202e}']),
                "{args:?}"
            );
        }
    }
}

/// SQLite looks for a `-wal` next to a database, whose name would be too long for a file.
#[test]
fn a_database_with_the_longest_possible_name_is_read() {
    for len in [248, 251, 252, 255] {
        let scenario = Scenario::new();
        State::CleanWal.make(&scenario.path("draft.db"));
        let name = "n".repeat(len);
        fs::rename(scenario.path("draft.db"), scenario.path(&name)).unwrap();
        let _ = scenario.run(&["sqlite-to-kv", &name, "out.kv"]).expect_status(0);
        let _ = scenario.run(&["verify", &name, "out.kv"]).expect_status(0);
    }
}

#[test]
fn only_regular_files_are_sources_or_targets() {
    let scenario = Scenario::with_small_pair();
    fs::create_dir(scenario.path("folder")).unwrap();
    for path in ["/dev/null", "/dev/zero", "/dev/stdin", "/proc/self/mem", "folder", "."] {
        for args in [
            &["sqlite-to-kv", path, "out.kv"][..],
            &["kv-to-sqlite", path, "out.db"],
            &["kv-to-sqlite", "code.kv", path, "--replace"],
            &["kv-to-sqlite", "code.kv", path, "--merge"],
            &["sqlite-to-kv", "code.db", path, "--merge"],
            &["verify", path],
            &["verify", "code.kv", path],
            &["inspect", path],
            &["export", path],
        ] {
            let before = scenario.files();
            let run = scenario.run(args).expect_status(2);
            assert!(run.stderr.starts_with("error: "), "{args:?}: {run}");
            assert!(scenario.files() == before, "{args:?}");
        }
    }
}

#[test]
fn rejected_arguments_are_escaped_on_a_terminal() {
    let scenario = Scenario::new();
    let name = HOSTILE;
    let option = format!("--{name}");
    for args in [
        &["inspect", "code.db", name][..],
        &[name],
        &["inspect", &option],
        &["verify", "--only", name, "a.db"],
        &["inspect", "--format", name, "a.db"],
        &["inspect", "--format", "json", "a.db", name],
    ] {
        let run = scenario.run(args).expect_status(2);
        let output = [run.stdout.as_str(), &run.stderr].concat();
        let raw =
            output.chars().find(|c| (HOSTILE[4..].contains(*c) || c.is_control()) && *c != '\n');
        assert_eq!(raw, None, "{args:?}: {output:?}");
        assert!(output.contains("error"), "{args:?}: {output:?}");
    }
}

#[test]
fn content_is_escaped_on_a_terminal() {
    let hostile = HostileFile::by_database(|path| {
        database(path, "", &[]);
        let connection = Connection::open(path).unwrap();
        connection
            .execute(
                "UPDATE code_chunks SET content = ?1, content_hash = ?1, symbol_name = ?1 WHERE id = 1",
                [HOSTILE],
            )
            .unwrap();
        for start in [0, -1] {
            connection
                .execute(
                    "INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash,
                         created_at) VALUES (?1, ?2, 5, ?1, ?1, 7)",
                    (HOSTILE, start),
                )
                .unwrap();
        }
    });
    for format in ["human", "json"] {
        for args in [
            &["sqlite-to-kv", "odd.db", "target.kv", "--format", format][..],
            &["sqlite-to-kv", "odd.db", "target.kv", "--on-invalid", "skip", "--format", format],
            &["verify", "odd.db", "code.kv", "--values", "full", "--format", format],
            &["verify", "code.db", "odd.db", "--format", format],
            &["inspect", "odd.db", "--format", format],
        ] {
            let _ = hostile.run("content", args, Some("target.kv")).expect_status(1);
        }
    }
    for args in [&["export", "odd.db"][..], &["export", "odd.db", "--prefix", "chunk:"]] {
        let run = hostile.run("content", args, None).expect_status(1);
        assert!(contents_of(&run.stdout).contains(&HOSTILE.to_owned()), "{run}");
    }
    let shown = on_terminal(&hostile.scenario, &["export", "odd.db", "--prefix", "chunk:"]);
    let plain = |char: char| char == '\r' || char == '\n' || !char.is_control();
    assert!(shown.chars().all(plain), "{shown:?}");
    assert!(!shown.contains(['\u{202e}', '\u{2066}', '\u{200b}']), "{shown:?}");
    assert!(contents_of(&shown).contains(&HOSTILE.to_owned()), "{shown:?}");
}

/// What the program writes to a terminal.
fn on_terminal(scenario: &Scenario, args: &[&str]) -> String {
    let terminal = Terminal::new(80);
    let mut command = scenario.command(args);
    command.stdout(terminal.end()).stderr(Stdio::null());
    let (shown, status) = terminal.run(command);
    assert_eq!(status, 1, "{shown}");
    shown
}

/// The contents of the records of an export.
fn contents_of(export: &str) -> Vec<String> {
    let values = export.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["value"]["content"].as_str().unwrap_or_default().to_owned()
    });
    values.collect()
}

/// SQLite spent ten seconds on a malformed `-wal` that had a `-shm`.
#[test]
fn garbage_sidecars_of_a_database_are_ignored_and_unchanged() {
    let noise: Vec<u8> =
        (0..40_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
    for (suffixes, lengths) in [
        (&["-wal"][..], &[1, 32, 4128][..]),
        (&["-shm"], &[0, 32, 32768]),
        (&["-wal", "-shm"], &[1, 32, 33, 4128, 32768]),
    ] {
        for &length in lengths {
            let hostile = HostileFile::by_database(|path| {
                State::CleanWal.make(path);
                for suffix in suffixes {
                    fs::write(format!("{}{suffix}", path.display()), &noise[..length]).unwrap();
                }
            });
            let what = format!("{suffixes:?} of {length} bytes");
            hostile.assert_read_as(&what, Copied);
        }
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let hostile = HostileFile::by_database(|path| {
            State::CleanWal.make(path);
            let sidecar = format!("{}{suffix}", path.display());
            symlink("/dev/zero", &sidecar).unwrap();
        });
        hostile.assert_read_as(suffix, Fails("is a device, not a file"));
        let linked = HostileFile::by_database(|path| {
            State::CleanWal.make(path);
            symlink("code.kv", format!("{}{suffix}", path.display())).unwrap();
        });
        let _ = linked.run(suffix, &["sqlite-to-kv", "odd.db", "target.kv"], Some("target.kv"));
        let _ = linked.run(suffix, &["verify", "code.kv", "odd.db"], None);
    }
}

/// To roll a multi-database transaction back, SQLite opens the file that the journal names and
/// deletes it, whatever it is.
#[test]
fn a_journal_that_names_another_file_is_not_rolled_back() {
    let hostile = HostileFile::by_database(|path| database(path, "", &[]));
    let elsewhere = Scenario::new();
    let precious = elsewhere.path("precious.txt");
    fs::write(&precious, "dear diary").unwrap();
    let name = precious.to_str().unwrap().as_bytes();
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let magic = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
    let pages = fs::metadata(hostile.scenario.path("odd.db")).unwrap().len() as usize / 4096;
    let mut journal = magic.to_vec();
    journal.extend([0, 1, pages, 512, 4096].map(number).concat());
    journal.resize(512, 0);
    journal.extend(number(0x4000_0000 / 4096 + 1));
    journal.extend(name);
    let sum = name.iter().map(|byte| usize::from(*byte)).sum();
    journal.extend([number(name.len()), number(sum)].concat());
    journal.extend(magic);
    fs::write(hostile.scenario.path("odd.db-journal"), journal).unwrap();
    hostile.assert_read_as("a super-journal", Fails("has a hot journal"));
    hostile.assert_target_as("a super-journal", Fails("precious.txt"));
    assert_eq!(fs::read_to_string(precious).unwrap(), "dear diary");
}
