//! Errors are reported in a line or two, with a next step if one is known; nothing is written.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use rusqlite::Connection;

use crate::common::tables::{LOOSE_CHUNKS, insert_chunk, insert_chunks};
use crate::common::{Run, Scenario, with_snapshots};

/// Runs a copy that must fail, and pins its message, as text and as JSON.
fn pin(scenario: &Scenario, name: &str, args: &[&str]) {
    let before = scenario.files();
    let args = [&["sqlite-to-kv"], args].concat();
    let human = scenario.run(&args);
    let json = scenario.run(&[&args[..], &["--format", "json"]].concat());
    assert_eq!((human.status, json.status), (2, 2), "{human}");
    assert_eq!(human.stdout, "");
    assert_eq!(json.json()["schema"], 2);
    assert!(scenario.files() == before, "{name}: something was written");
    with_snapshots(|| {
        insta::assert_snapshot!(format!("error_{name}"), format!("{human}\n\n{json}"));
    });
}

fn with_code_db() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| insert_chunks(db, 200));
    scenario
}

#[test]
fn sources_that_are_not_databases_are_errors() {
    let scenario = with_code_db();
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    fs::create_dir(scenario.path("folder")).unwrap();
    fs::write(scenario.path("empty"), "").unwrap();
    fs::write(scenario.path("text"), "dear diary").unwrap();
    fs::write(scenario.path("garbage"), [b"SQLite format 3\0", &[0xAA; 4096][..]].concat())
        .unwrap();
    for (name, source) in [
        ("source_missing", "missing.db"),
        ("source_folder", "folder"),
        ("source_empty", "empty"),
        ("source_text", "text"),
        ("source_kv", "code.kv"),
        ("source_garbage", "garbage"),
        ("source_device", "/dev/null"),
    ] {
        pin(&scenario, name, &[source, "out.kv"]);
    }
    let made = std::process::Command::new("mkfifo").arg(scenario.path("fifo")).status().unwrap();
    assert!(made.success());
    let run = scenario.run(&["sqlite-to-kv", "fifo", "out.kv"]).expect_status(2);
    assert_eq!(
        run.stderr,
        "error: fifo is a FIFO, not a file\nhint: give the path of a regular file\n"
    );
}

#[test]
fn a_database_truncated_anywhere_is_an_error() {
    let scenario = with_code_db();
    let whole = fs::read(scenario.path("code.db")).unwrap();
    let cuts =
        (1..whole.len()).step_by(997).chain([16, 99, 100, 4095, 4096, 4097, whole.len() - 1]);
    for cut in cuts {
        fs::write(scenario.path("cut.db"), &whole[..cut]).unwrap();
        let run = scenario.run(&["sqlite-to-kv", "cut.db", "out.kv"]);
        assert_eq!(run.status, 2, "cut at {cut}: {run}");
        assert!(!scenario.path("out.kv").exists());
    }
    fs::write(scenario.path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    pin(&scenario, "source_truncated", &["cut.db", "out.kv"]);
}

#[test]
fn a_corrupt_page_is_an_error() {
    let scenario = with_code_db();
    let mut bytes = fs::read(scenario.path("code.db")).unwrap();
    let pages = bytes.len() / 4096;
    // Every page except the first claims not to be a b-tree page.
    for page in 1..pages {
        bytes[page * 4096] = 0xAA;
    }
    fs::write(scenario.path("damaged.db"), bytes).unwrap();
    pin(&scenario, "source_damaged", &["damaged.db", "out.kv"]);
}

#[test]
fn unsupported_schemas_are_errors() {
    let scenario = Scenario::new();
    let make = |name: &str, sql: &str| {
        scenario.bare_database(name, |db| db.execute_batch(sql).unwrap());
    };
    make("no_tables.db", "CREATE TABLE notes (text)");
    make("view.db", "CREATE TABLE t (a); CREATE VIEW code_chunks AS SELECT * FROM t");
    make("virtual.db", "CREATE VIRTUAL TABLE code_chunks USING fts5(content)");
    make(
        "without_rowid.db",
        "CREATE TABLE symbol_metrics (symbol_id INTEGER PRIMARY KEY) WITHOUT ROWID",
    );
    make("missing_column.db", "CREATE TABLE file_metrics (file_path TEXT, loc INTEGER)");
    scenario.bare_database("unknown_column.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'a'", "0", "5");
        db.execute_batch("ALTER TABLE code_chunks ADD COLUMN language TEXT DEFAULT 'rust'")
            .unwrap();
    });
    for name in
        ["no_tables", "view", "virtual", "without_rowid", "missing_column", "unknown_column"]
    {
        let source = format!("{name}.db");
        pin(&scenario, &format!("schema_{name}"), &[&source, "out.kv"]);
    }
    let known = ["unknown_column.db", "out.kv", "--without-column", "code_chunks.content"];
    pin(&scenario, "schema_without_known_column", &known);
    let none = ["unknown_column.db", "out.kv", "--without-column", "code_chunks.lang"];
    pin(&scenario, "schema_without_no_column", &none);
}

#[test]
fn targets_that_cannot_be_created_are_errors() {
    let scenario = with_code_db();
    fs::write(scenario.path("there.kv"), "dear diary").unwrap();
    fs::create_dir(scenario.path("folder")).unwrap();
    symlink("loop", scenario.path("loop")).unwrap();
    symlink("code.db", scenario.path("link.db")).unwrap();
    fs::write(scenario.path("empty.kv"), "").unwrap();
    pin(&scenario, "target_exists", &["code.db", "empty.kv"]);
    pin(&scenario, "target_text", &["code.db", "there.kv"]);
    pin(&scenario, "target_not_ours", &["code.db", "there.kv", "--replace"]);
    pin(&scenario, "target_folder", &["code.db", "folder", "--replace"]);
    pin(&scenario, "target_device", &["code.db", "/dev/null", "--replace"]);
    pin(&scenario, "target_no_folder", &["code.db", "missing/out.kv"]);
    pin(&scenario, "target_in_a_file", &["code.db", "there.kv/out.kv"]);
    pin(&scenario, "target_same_file", &["code.db", "code.db", "--replace"]);
    pin(&scenario, "target_same_by_link", &["code.db", "link.db", "--replace"]);
    pin(&scenario, "target_part_of_source", &["code.db", "code.db-wal"]);
    pin(&scenario, "target_link_loop", &["code.db", "loop"]);
    pin(&scenario, "target_no_name", &["code.db", ".."]);
    pin(&scenario, "target_trailing_slash", &["code.db", "out.kv/"]);
    pin(&scenario, "rejects_is_source", &["code.db", "out.kv", "--rejects", "code.db"]);
    pin(&scenario, "target_is_rejects", &["code.db", "out.kv", "--rejects", "out.kv"]);
}

#[test]
fn an_unwritable_directory_is_an_error() {
    if rustix::process::geteuid().is_root() {
        println!("root may write any folder: nothing to see here");
        return;
    }
    let scenario = with_code_db();
    fs::create_dir(scenario.path("closed")).unwrap();
    let mode =
        |mode| fs::set_permissions(scenario.path("closed"), fs::Permissions::from_mode(mode));
    mode(0o555).unwrap();
    let args = ["sqlite-to-kv", "code.db", "closed/out.kv"];
    let runs = [scenario.run(&args), scenario.run(&[&args[..], &["--dry-run"]].concat())];
    mode(0o755).unwrap();
    for run in runs {
        let run = run.expect_status(2);
        assert!(run.stderr.contains("cannot create a staging directory in"), "{run}");
    }
}

#[test]
fn escape_sequences_in_names_never_reach_a_terminal() {
    let scenario = Scenario::new();
    let run = scenario.run(&["sqlite-to-kv", "\u{1b}[31mred.db", "out.kv"]).expect_status(2);
    assert!(run.stderr.contains("\\u{1b}[31mred.db"), "{run}");
    assert!(!run.stderr.contains('\u{1b}'));
    let name = "CREATE TABLE \"bell\u{7}\u{202e}\" (a)";
    scenario.database("code.db", |db: &Connection| db.execute_batch(name).unwrap());
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
    assert!(run.stdout.contains("bell\\u{7}\\u{202e}"), "{run}");
}

#[test]
fn an_unusable_directory_is_reported_with_an_alternative() {
    let scenario = Scenario::with_small_pair();
    let mut command = scenario.command(&["verify", "code.db"]);
    command.env("TMPDIR", scenario.path("missing"));
    let run = Run::of(command.output().unwrap()).expect_status(2);
    assert!(run.stderr.contains("hint: choose another directory with --temp-dir"), "{run}");

    if !cfg!(target_os = "linux") {
        return;
    }
    // Nobody can create anything there.
    let run = scenario.run(&["sqlite-to-kv", "code.db", "/proc/new.kv"]).expect_status(2);
    assert!(run.stderr.contains("cannot create a staging directory in /proc"), "{run}");
    assert!(run.stderr.contains("hint: the target is built next to its destination"), "{run}");
}

#[test]
fn stdin_and_stdout_are_refused_where_a_file_is_needed() {
    let scenario = Scenario::with_small_pair();
    let before = scenario.files();
    for args in [
        &["sqlite-to-kv", "-", "new.kv"][..],
        &["sqlite-to-kv", "code.db", "-"],
        &["sqlite-to-kv", "code.db", "new.kv", "--rejects", "-"],
        &["kv-to-sqlite", "-", "new.db"],
        &["kv-to-sqlite", "code.kv", "-"],
        &["verify", "-", "code.kv"],
        &["verify", "code.db", "-"],
        &["verify", "code.db", "code.kv", "--report", "-"],
        &["verify", "code.db", "code.kv", "--html", "-"],
        &["inspect", "-"],
        &["export", "-"],
        &["import", "-", "-", "--to", "kv"],
        &["sample", "-"],
    ] {
        let run = scenario.run(args).expect_status(2);
        let why = ["a store is not read and written from start to end", "stdout has the report"];
        assert!(why.iter().any(|why| run.stderr.contains(why)), "{run}");
        assert!(run.stderr.contains("(a file of that name is ./-)"), "{run}");
    }
    assert_eq!(scenario.files(), before);
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "./-"]).expect_status(0);
    let _ = scenario.run(&["verify", "code.db", "./-"]).expect_status(0);
}
