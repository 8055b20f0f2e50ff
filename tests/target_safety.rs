//! Existing files are safe: a target is replaced only on request, and only if it is the right kind
//! of file.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::common::tables::insert_chunks;
use crate::common::{Scenario, kv};

fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| insert_chunks(db, 10));
    scenario
}

fn make_old_kv(scenario: &Scenario, name: &str) {
    scenario.database("old.db", |db| insert_chunks(db, 3));
    let _ = scenario.run(&["sqlite-to-kv", "old.db", name]).expect_status(0);
}

#[test]
fn replace_replaces_a_kv_file_and_keeps_its_mode() {
    let scenario = scenario();
    make_old_kv(&scenario, "out.kv");
    fs::set_permissions(scenario.path("out.kv"), fs::Permissions::from_mode(0o640)).unwrap();
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "out.kv", "--replace"]).expect_status(0);
    assert_eq!(kv::keys(&scenario.path("out.kv")).len(), 10);
    let mode = fs::metadata(scenario.path("out.kv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn replace_accepts_an_empty_file_and_nothing_else() {
    let scenario = scenario();
    fs::write(scenario.path("empty"), "").unwrap();
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "empty", "--replace"]).expect_status(0);
    assert_eq!(kv::keys(&scenario.path("empty")).len(), 10);

    scenario.database("other.db", |_| {});
    fs::write(scenario.path("text"), "dear diary").unwrap();
    let foreign = redb::Database::create(scenario.path("foreign.redb")).unwrap();
    drop(foreign);
    make_old_kv(&scenario, "corrupt.kv");
    let mut bytes = fs::read(scenario.path("corrupt.kv")).unwrap();
    let middle = bytes.len() / 2;
    bytes[10..middle].fill(0xAA);
    fs::write(scenario.path("corrupt.kv"), bytes).unwrap();
    for target in ["other.db", "text", "foreign.redb", "corrupt.kv"] {
        let before = scenario.files();
        let run = scenario.run(&["sqlite-to-kv", "code.db", target, "--replace"]).expect_status(2);
        assert!(run.stderr.contains("refusing to replace"), "{run}");
        assert_eq!(scenario.files(), before, "{target}");
    }
}

#[test]
fn a_kv_file_open_elsewhere_is_not_replaced() {
    let scenario = scenario();
    make_old_kv(&scenario, "out.kv");
    let open = redb::Database::open(scenario.path("out.kv")).unwrap();
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv", "--replace"]).expect_status(2);
    assert!(run.stderr.contains("out.kv is open in another process"), "{run}");
    drop(open);
    assert_eq!(kv::keys(&scenario.path("out.kv")).len(), 3);
}

#[test]
fn a_failed_replacement_leaves_the_old_file() {
    let scenario = scenario();
    make_old_kv(&scenario, "out.kv");
    scenario.database("odd.db", |db| {
        insert_chunks(db, 10);
        db.execute_batch("UPDATE code_chunks SET content = x'00' WHERE id = 10").unwrap();
    });
    let before = scenario.files();
    let _ = scenario.run(&["sqlite-to-kv", "odd.db", "out.kv", "--replace"]).expect_status(1);
    assert_eq!(scenario.files(), before);
}

#[test]
fn a_symbolic_link_is_resolved_to_its_target() {
    let scenario = scenario();
    fs::create_dir(scenario.path("real")).unwrap();
    symlink("real/out.kv", scenario.path("link.kv")).unwrap();
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "link.kv"]).expect_status(0);
    assert!(fs::symlink_metadata(scenario.path("link.kv")).unwrap().is_symlink());
    assert_eq!(kv::keys(&scenario.path("real/out.kv")).len(), 10);

    let _ = scenario.run(&["sqlite-to-kv", "code.db", "link.kv"]).expect_status(2);
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "link.kv", "--replace"]).expect_status(0);
    assert!(fs::symlink_metadata(scenario.path("link.kv")).unwrap().is_symlink());
}

#[test]
fn the_source_is_never_the_target_under_any_name() {
    let scenario = scenario();
    symlink("code.db", scenario.path("link.db")).unwrap();
    fs::hard_link(scenario.path("code.db"), scenario.path("hard.db")).unwrap();
    let before = scenario.files();
    for target in ["code.db", "link.db", "hard.db", "./code.db"] {
        for replace in [&["--replace"][..], &[]] {
            let args = [&["sqlite-to-kv", "code.db", target][..], replace].concat();
            let _ = scenario.run(&args).expect_status(2);
            assert_eq!(scenario.files(), before, "{target}");
        }
    }
}

#[test]
fn a_sidecar_of_the_source_is_never_the_target() {
    let scenario = scenario();
    let before = scenario.files();
    for target in ["code.db-wal", "code.db-shm", "code.db-journal"] {
        let run = scenario.run(&["sqlite-to-kv", "code.db", target]).expect_status(2);
        assert!(run.stderr.contains("one is a SQLite sidecar file"), "{run}");
        let args = ["sqlite-to-kv", "code.db", "out.kv", "--rejects", target];
        let _ = scenario.run(&args).expect_status(2);
        assert_eq!(scenario.files(), before);
    }
}

#[test]
fn leftovers_of_a_killed_run_are_reported_and_not_touched() {
    let scenario = scenario();
    fs::create_dir(scenario.path(".chunkmigrate-abc123")).unwrap();
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
    assert!(run.stdout.contains("leftover"), "{run}");
    assert!(run.stdout.contains(".chunkmigrate-abc123"), "{run}");
    assert!(Path::new(&scenario.path(".chunkmigrate-abc123")).exists());
}

#[test]
fn a_fake_staging_directory_blocks_nothing() {
    let scenario = scenario();
    fs::create_dir(scenario.path(".chunkmigrate-trap")).unwrap();
    let fifo = scenario.path(".chunkmigrate-trap/lock");
    assert!(std::process::Command::new("mkfifo").arg(fifo).status().unwrap().success());
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
}

#[test]
fn the_old_rejects_file_is_restored_if_the_target_cannot_be_published() {
    let scenario = scenario();
    scenario.database("odd.db", |db| {
        insert_chunks(db, 10);
        db.execute_batch("UPDATE code_chunks SET content = x'00' WHERE id = 10").unwrap();
    });
    make_old_kv(&scenario, "out.kv");
    fs::write(scenario.path("out.kv.rejects.jsonl"), "{\"table\":\"old\"}\n").unwrap();
    let open = redb::Database::open(scenario.path("out.kv")).unwrap();
    let before = scenario.files();
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--replace", "--on-invalid", "skip"];
    let _ = scenario.run(&args).expect_status(2);
    assert_eq!(scenario.files(), before);
    drop(open);
}

#[test]
fn a_stale_rejects_file_next_to_a_clean_target_is_reported() {
    let scenario = scenario();
    fs::write(scenario.path("out.kv.rejects.jsonl"), "{\"table\":\"old\"}\n").unwrap();
    let run = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
    assert!(
        run.stdout.contains("stale rejects  out.kv.rejects.jsonl, left by an earlier run"),
        "{run}"
    );
}
