//! What `verify` suggests for two stores that diverge restores nothing that was deleted, and works
//! when pasted.

use std::fs;
use std::sync::Arc;

use chunkmigrate::kv::RedbBackend;
use chunkmigrate::record::CodeChunk;
use chunkmigrate::store::ChunkStore;
use chunkmigrate::verify::FindingClass;
use test_support::kv_file::Content;

use crate::common::kv;
use crate::common::{Run, Scenario, tables};

const FRESH: &str = "chunkmigrate sqlite-to-kv code.db code.kv --replace";
const BACK: &str = "chunkmigrate kv-to-sqlite code.kv code.db --merge";

/// What comes after "Next: ".
fn advice(run: &Run) -> &str {
    run.stdout.split_once("Next: ").map_or("", |(_, next)| next)
}

/// The commands of the advice, in order.
fn commands(run: &Run) -> Vec<&str> {
    let lines = advice(run).lines();
    lines.filter_map(|line| line.strip_prefix("    ")).collect()
}

fn paste(scenario: &Scenario, line: &str) -> Run {
    Run::of(scenario.shell("sh", &["-c", line]).output().unwrap())
}

fn verify(scenario: &Scenario, left: &str, right: &str) -> Run {
    scenario.run(&["verify", left, right]).expect_status(1)
}

/// The KV file without its manifest, as if a tool had written to it.
fn without_manifest(scenario: &Scenario) {
    let content = Content::read(&scenario.path("code.kv")).without_manifest();
    fs::remove_file(scenario.path("code.kv")).unwrap();
    content.write(&scenario.path("code.kv"));
}

/// An old copy, and a database in which a file was deleted, one added and one changed.
fn with_old_copy() -> Scenario {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        "DELETE FROM code_chunks WHERE id = 1;
         INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash, created_at)
             SELECT 'new.rs', 0, 0, content, content_hash, 4000000000 FROM code_chunks WHERE id = 3;
         UPDATE file_metrics SET loc = 11, last_updated = 4000000000 WHERE loc = 10",
    );
    scenario
}

const DELETED: &str = "chunk:src/lib.rs:0:12";

#[test]
fn a_fresh_copy_is_suggested_if_a_merge_would_restore_deleted_records() {
    for (left, right) in [("code.db", "code.kv"), ("code.kv", "code.db")] {
        let scenario = with_old_copy();
        let run = verify(&scenario, left, right);
        assert_eq!(commands(&run), [FRESH, BACK], "{run}");
        let expected = "code.db is newer than code.kv (its ids are higher, its timestamps are later, \
            code.kv was copied from it and is unchanged); make a fresh copy, which adds 1 record, \
            changes 1 record and removes 1 record that only code.kv has:\n";
        assert!(advice(&run).starts_with(expected), "{run}");
        let expected = "Merging code.kv into code.db would restore 1 record that only code.kv has and \
            revert 1 record:\n";
        assert!(run.stdout.contains(expected), "{run}");

        let _ = paste(&scenario, FRESH).expect_status(0);
        let _ = scenario.run(&["verify", left, right]).expect_status(0);
        let keys = kv::keys(&scenario.path("code.kv"));
        assert!(!keys.contains(&DELETED.to_owned()), "{keys:?}");
    }
}

/// The other command does what the report says it does.
#[test]
fn a_merge_announced_to_restore_records_does_restore_them() {
    let scenario = with_old_copy();
    let _ = paste(&scenario, BACK).expect_status(0);
    let run = scenario.run(&["export", "code.db"]).expect_status(0);
    assert!(run.stdout.contains(DELETED), "{run}");
}

/// Each alone is enough.
#[test]
fn ids_times_or_the_manifest_show_which_store_is_newer() {
    let new_run = "INSERT INTO execution_log (execution_id, tool_version, args, db_path, started_at, \
                   outcome) VALUES ('run-2', '1', '[]', '', 4000000000, 'ok')";
    let later = "UPDATE file_metrics SET loc = 11, last_updated = 4000000000 WHERE loc = 10";
    let deleted = "DELETE FROM symbol_metrics WHERE symbol_id = 1";
    for (sql, has_manifest, reasons) in [
        (new_run, false, "its ids are higher"),
        (later, false, "its timestamps are later"),
        (deleted, true, "code.kv was copied from it and is unchanged"),
    ] {
        let scenario = Scenario::with_small_pair();
        if !has_manifest {
            without_manifest(&scenario);
        }
        scenario.change("code.db", sql);
        let run = verify(&scenario, "code.db", "code.kv");
        let expected =
            format!("code.db is newer than code.kv ({reasons}); make a fresh copy, which ");
        assert!(advice(&run).starts_with(&expected), "{run}");
        assert_eq!(commands(&run)[0], FRESH, "{run}");
        let _ = paste(&scenario, FRESH).expect_status(0);
        let _ = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(0);
    }
}

/// Nothing shows the direction, or two clues contradict each other.
#[test]
fn if_the_direction_is_unclear_both_are_suggested_with_their_effects() {
    let deleted = "DELETE FROM symbol_metrics WHERE symbol_id = 1";
    let later = "UPDATE file_metrics SET loc = 11, last_updated = 4000000000 WHERE loc = 10";
    for (sql, id_sequences, fresh, back) in [
        (
            deleted,
            "{\"code_chunks\":9,\"execution_log\":1}",
            "removes 1 record that only code.kv has",
            "adds or restores 1 record",
        ),
        (later, "{\"code_chunks\":99,\"execution_log\":1}", "changes 1 record", "changes 1 record"),
    ] {
        let scenario = Scenario::with_small_pair();
        let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
        content.set_document("sequences", id_sequences);
        fs::remove_file(scenario.path("code.kv")).unwrap();
        content.write(&scenario.path("code.kv"));
        scenario.change("code.db", sql);
        let run = verify(&scenario, "code.db", "code.kv");
        assert_eq!(commands(&run), [FRESH, BACK], "{run}");
        let expected = format!(
            "it is unclear which store is newer. If code.db is right, make a fresh copy, which \
             {fresh}:\n"
        );
        assert!(advice(&run).starts_with(&expected), "{run}");
        let expected = format!("If code.kv is right, merge it into code.db, which {back}:\n");
        assert!(run.stdout.contains(&expected), "{run}");
        let _ = paste(&scenario, BACK).expect_status(0);
    }
}

/// A database may contain more than records: a copy of a KV file must never replace it.
#[test]
fn a_newer_kv_file_is_merged_and_never_replaces_a_database() {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "CREATE TABLE graph (id INTEGER PRIMARY KEY)");
    let backend = RedbBackend::open(&scenario.path("code.kv")).unwrap();
    let store = ChunkStore::with_kv_backend(Arc::new(backend));
    let new = CodeChunk { created_at: 4_000_000_000, ..CodeChunk::new("new.rs", 0, 1, "x") };
    store.store_chunk(&new).unwrap();
    assert_eq!(store.delete_chunks_for_file("src/lib.rs").unwrap(), 2);
    drop(store);
    let run = verify(&scenario, "code.kv", "code.db");
    let forth = BACK;
    assert_eq!(commands(&run)[0], forth, "{run}");
    let expected = "code.kv is newer than code.db (its ids are higher, its timestamps are later); \
        merge it into code.db, which adds 1 record and keeps 2 records that only code.db has:\n";
    assert!(advice(&run).starts_with(expected), "{run}");
    assert!(
        run.stdout.contains(
            "Merging code.db into code.kv would restore 2 records that only code.db has:\n"
        ),
        "{run}"
    );
    assert!(!run.stdout.contains("--replace"), "{run}");
    let _ = paste(&scenario, forth).expect_status(0);
}

#[test]
fn two_stores_of_one_kind_have_commands_that_work_too() {
    let newer = with_old_copy();
    fs::rename(newer.path("code.kv"), newer.path("old.kv")).unwrap();
    let _ = newer.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    let run = verify(&newer, "old.kv", "code.kv");
    let fresh = "chunkmigrate export code.kv | chunkmigrate import - old.kv --to kv --replace";
    assert_eq!(commands(&run)[0], fresh, "{run}");
    assert!(advice(&run).starts_with("code.kv is newer than old.kv ("), "{run}");
    let _ = paste(&newer, fresh).expect_status(0);
    let _ = newer.run(&["verify", "old.kv", "code.kv"]).expect_status(0);

    // One database is not a copy of another: a merge keeps the rest of its content.
    let scenario = Scenario::with_small_pair();
    fs::copy(scenario.path("code.db"), scenario.path("old.db")).unwrap();
    scenario.change(
        "code.db",
        "INSERT INTO code_chunks (file_path, byte_start, byte_end, content, content_hash, created_at)
             SELECT 'new.rs', 0, 0, content, content_hash, 4000000000 FROM code_chunks WHERE id = 3",
    );
    let run = verify(&scenario, "code.db", "old.db");
    let merge = "chunkmigrate export code.db | chunkmigrate import - old.db --to sqlite --merge";
    assert_eq!(commands(&run), [merge], "{run}");
    let _ = paste(&scenario, merge).expect_status(0);
    let _ = scenario.run(&["verify", "code.db", "old.db"]).expect_status(0);
}

/// A copy of some kinds in the place of all would lose the others.
#[test]
fn a_copy_of_some_kinds_never_replaces_a_complete_copy() {
    let scenario = with_old_copy();
    let args = ["verify", "code.db", "code.kv", "--only", "chunk"];
    let run = scenario.run(&args).expect_status(1);
    let merge = "chunkmigrate sqlite-to-kv code.db code.kv --merge --only chunk";
    assert_eq!(commands(&run)[0], merge, "{run}");
    assert!(!run.stdout.contains("--replace"), "{run}");
    let _ = paste(&scenario, merge).expect_status(0);
    let metrics = kv::keys(&scenario.path("code.kv"));
    assert!(metrics.contains(&"metrics:symbol:1".to_owned()), "{metrics:?}");
}

/// A record that a copy of the database would lack must not be lost from the KV file.
#[test]
fn a_database_with_an_invalid_row_is_not_copied_over_the_last_valid_record() {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "UPDATE code_chunks SET content = x'00' WHERE id = 1");
    let run = verify(&scenario, "code.db", "code.kv");
    assert!(!run.stdout.contains("--replace") && !run.stdout.contains("--merge"), "{run}");
    assert!(run.stdout.contains("Next: fix or restore what is invalid"), "{run}");
    assert!(run.stdout.contains("; the right side has a valid record with this key"), "{run}");

    // In the other direction the database is what is left.
    let scenario = Scenario::with_small_pair();
    let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
    content.edit("metrics:symbol:1", "\"loc\":1", "\"loc\":1.5");
    fs::remove_file(scenario.path("code.kv")).unwrap();
    content.write(&scenario.path("code.kv"));
    let run = verify(&scenario, "code.db", "code.kv");
    assert_eq!(commands(&run), [FRESH], "{run}");
    let _ = paste(&scenario, FRESH).expect_status(0);
    let _ = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(0);
}

/// It depends on what was counted, not on what is shown.
#[test]
fn the_advice_is_the_same_however_many_findings_are_shown() {
    let scenario = with_old_copy();
    let with_limit = |limit: &str| {
        let args = ["verify", "code.db", "code.kv", "--limit", limit];
        let run = scenario.run(&args).expect_status(1);
        advice(&run).to_owned()
    };
    let all = with_limit("1000");
    assert!(all.contains(FRESH), "{all}");
    for limit in ["0", "1"] {
        assert_eq!(with_limit(limit), all);
    }
}

#[test]
fn no_class_advises_merging_records_that_may_have_been_deleted() {
    for (class, advice) in crate::common::commands::advice() {
        let is_one_sided = [FindingClass::OnlyLeft, FindingClass::OnlyRight].contains(&class);
        if is_one_sided {
            let warns = advice.contains("a merge would restore a deleted record");
            assert!(warns, "{advice}");
        }
        if is_one_sided || class == FindingClass::Field {
            assert!(!advice.contains("--merge"), "{advice}");
        }
    }
    // An example in the help that updates a copy must really do so.
    let help = Scenario::new().run(&["sqlite-to-kv", "--help"]).expect_status(0);
    let (_, example) = help.stdout.split_once("Replace a KV file with a fresh copy").unwrap();
    let command = example.lines().nth(1).unwrap().trim();
    let scenario = with_old_copy();
    let _ = paste(&scenario, command).expect_status(0);
    let _ = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(0);
}

/// A moved record has its id on both sides: a merge would fail.
#[test]
fn no_merge_is_suggested_that_would_fail_where_a_copy_succeeds() {
    for sql in [
        "UPDATE code_chunks SET byte_start = 1000, byte_end = 2000 WHERE id = 1",
        "UPDATE code_chunks SET id = 77 WHERE id = 1; UPDATE code_chunks SET id = 1 WHERE id = 2",
    ] {
        let scenario = Scenario::with_small_pair();
        scenario.change("code.db", sql);
        let run = verify(&scenario, "code.db", "code.kv");
        assert_eq!(commands(&run), [FRESH], "{run}");
        let _ = paste(&scenario, FRESH).expect_status(0);
        let _ = scenario.run(&["verify", "code.db", "code.kv"]).expect_status(0);
    }
    let scenario = Scenario::new();
    scenario.database("code.db", |db| db.execute_batch(tables::SMALL).unwrap());
    fs::copy(scenario.path("code.db"), scenario.path("other.db")).unwrap();
    scenario.change("code.db", "UPDATE code_chunks SET byte_end = 2000 WHERE id = 1");
    let run = verify(&scenario, "code.db", "other.db");
    assert_eq!(
        commands(&run),
        ["chunkmigrate verify code.db other.db --html report.html"],
        "{run}"
    );
}
