//! The examples do what they say. They run as modules, because a program in `target/` may be
//! outdated.

use std::fs;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::record::{CodeChunk, ExecutionRecord, FileMetrics, KindSet};
use chunkmigrate::rusqlite::Connection;
use chunkmigrate::store::{ChunkStore, ExecutionLog, HotspotQuery, MetricsOps};
use chunkmigrate::table::TableSelection;
use chunkmigrate::verify::{VerifyOptions, VerifyReport, verify_pair};

use crate::common::Scenario;
use nightly_check::Verdict;

#[allow(dead_code, reason = "its main is not called")]
#[path = "../examples/dual_mode_log.rs"]
mod dual_mode_log;
#[allow(dead_code, reason = "its main is not called")]
#[path = "../examples/embeddings.rs"]
mod embeddings;
#[allow(dead_code, reason = "its main is not called")]
#[path = "../examples/nightly_check.rs"]
mod nightly_check;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SOURCE: &str = "\
use std::fs;

pub fn largest(numbers: &[u32]) -> Option<u32> {
    let mut largest = None;
    for number in numbers {
        if largest < Some(*number) {
            largest = Some(*number);
        }
    }
    largest
}

fn café<T>() {
}
";

fn args(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// Indexes files of the scenario; returns the output, without the directory.
fn index(scenario: &Scenario, flag: &str, store: &str, sources: &[&str]) -> Outcome<String> {
    let folder = format!("{}/", scenario.folder().display());
    let mut all = args(&[flag, &format!("{folder}{store}")]);
    all.extend(sources.iter().map(|source| format!("{folder}{source}")));
    let mut out = Vec::new();
    let outcome = dual_mode_log::run(&all, &mut out);
    outcome.map(|()| String::from_utf8(out).unwrap().replace(&folder, ""))
}

type Kept = (Vec<CodeChunk>, Vec<FileMetrics>, Vec<ExecutionRecord>);

/// The content of a database, without what differs in each run.
fn kept(scenario: &Scenario, database: &str) -> Kept {
    let path = scenario.path(database);
    let chunks = ChunkStore::new(&path).unwrap();
    let mut chunks = chunks.get_chunks_by_kind("Function").unwrap();
    chunks.iter_mut().for_each(|chunk| chunk.created_at = 0);
    let metrics = MetricsOps::new(&path).unwrap();
    let mut files = metrics.get_hotspots(&HotspotQuery::default()).unwrap();
    files.iter_mut().for_each(|file| file.last_updated = 0);
    let mut runs = ExecutionLog::new(&path).unwrap().list_all(None).unwrap();
    for run in &mut runs {
        assert!(run.finished_at.is_some() && run.duration_ms.is_some());
        (run.started_at, run.finished_at, run.duration_ms) = (0, None, None);
        (run.execution_id, run.args, run.db_path) = Default::default();
    }
    (chunks, files, runs)
}

#[test]
fn the_log_reads_the_same_from_either_store() {
    let scenario = Scenario::new();
    fs::write(scenario.path("a.rs"), SOURCE).unwrap();
    fs::write(scenario.path("b.rs"), "if nobody { matched }\n").unwrap();
    for (flag, store) in [("--sqlite", "code.db"), ("--kv", "code.kv")] {
        let first = index(&scenario, flag, store, &["a.rs", "b.rs"]).unwrap();
        let expected = "2 files, 2 functions: success\n2 branches in a.rs\n1 branches in b.rs\n";
        assert_eq!(first, expected);
        let failed = index(&scenario, flag, store, &["b.rs", "gone.rs", "a.rs"]).unwrap_err();
        assert!(failed.to_string().contains("gone.rs: No such file"));
        let last = index(&scenario, flag, store, &["a.rs"]).unwrap();
        let mut lines = last.lines();
        assert_eq!(lines.next(), Some("1 files, 2 functions: success"));
        let failed = lines.next().unwrap();
        assert!(failed.starts_with("1 files, 0 functions: "), "{failed}");
        assert!(failed.contains("gone.rs: No such file"), "{failed}");
    }
    let _ = scenario.run(&["kv-to-sqlite", "code.kv", "moved.db"]).expect_status(0);
    let (chunks, files, runs) = kept(&scenario, "code.db");
    let contents: Vec<&str> = chunks.iter().map(|chunk| chunk.content.as_str()).collect();
    assert_eq!(contents.len(), 2);
    assert!(contents.iter().all(|content| SOURCE.contains(content)));
    let names: Vec<_> = chunks.iter().map(|chunk| chunk.symbol_name.as_deref()).collect();
    assert_eq!(names, [Some("largest"), Some("café")]);
    assert_eq!((files.len(), runs.len()), (2, 3));
    assert_eq!(kept(&scenario, "moved.db"), (chunks, files, runs));
}

fn check(scenario: &Scenario, stores: [&str; 2], seconds: &str) -> (Outcome<Verdict>, String) {
    let path = |name| scenario.path(name).display().to_string();
    let [primary, copy] = stores.map(path);
    let mut out = Vec::new();
    let all = args(&[&primary, &copy, &path("findings.jsonl"), seconds]);
    let outcome = nightly_check::run(&all, &mut out);
    (outcome, String::from_utf8(out).unwrap())
}

fn verify(scenario: &Scenario) -> VerifyReport {
    let [left, right] = ["code.db", "code.kv"].map(|name| scenario.path(name));
    verify_pair(&left, &right, &VerifyOptions::default(), &(Progress::none() as _)).unwrap()
}

const PAIR: [&str; 2] = ["code.db", "code.kv"];

#[test]
fn the_nightly_check_repairs_what_a_merge_can_repair_and_reports_the_rest() {
    let scenario = Scenario::with_small_pair();
    let report = || fs::read_to_string(scenario.path("findings.jsonl")).unwrap();
    let (checked, output) = check(&scenario, PAIR, "600");
    assert_eq!((nightly_check::status(&checked), output.as_str()), (0, ""));
    assert_eq!((checked.unwrap(), report().as_str()), (Verdict::Same, ""));

    scenario.change(
        "code.db",
        "INSERT INTO file_metrics (file_path, last_updated) VALUES ('new.rs', 1);
         UPDATE execution_log SET outcome = 'success';
         UPDATE sqlite_sequence SET seq = 12 WHERE name = 'code_chunks'",
    );
    let (checked, output) = check(&scenario, PAIR, "600");
    assert_eq!(nightly_check::status(&checked), 0);
    assert_eq!(checked.unwrap(), Verdict::Repaired, "{output}");
    assert!(output.starts_with("3 divergences, all in "), "{output}");
    assert!(output.ends_with("Repaired: 9 records are equal now.\n"), "{output}");
    assert_eq!(report().lines().count(), 3);
    assert!(verify(&scenario).is_identical());

    // What the primary lacks may have been deleted or lost: a merge must not decide that.
    scenario.change(
        "code.db",
        "DELETE FROM file_metrics WHERE file_path = 'new.rs';
         UPDATE execution_log SET outcome = 'error'",
    );
    let before = fs::read(scenario.path("code.kv")).unwrap();
    let (checked, output) = check(&scenario, PAIR, "600");
    assert_eq!(nightly_check::status(&checked), 1);
    assert_eq!(checked.unwrap(), Verdict::Alert);
    assert!(output.contains("1 only-right\n"), "{output}");
    assert!(output.ends_with("Nothing was repaired.\n"), "{output}");
    assert!(report().contains("{\"class\":\"only-right\",\"kind\":\"file-metrics\""));
    assert!(!report().contains("success"), "values are not for reports");
    assert_eq!(fs::read(scenario.path("code.kv")).unwrap(), before);
}

#[test]
fn the_nightly_check_repairs_in_the_other_direction_and_leaves_what_a_merge_cannot_reach() {
    let scenario = Scenario::with_small_pair();
    scenario.change("code.db", "DELETE FROM symbol_metrics");
    let (checked, _) = check(&scenario, ["code.kv", "code.db"], "600");
    assert_eq!(checked.unwrap(), Verdict::Repaired);
    assert!(verify(&scenario).is_identical());

    // The id sequence of the copy is above that of the primary, and a merge lowers none.
    scenario.change("code.db", "UPDATE sqlite_sequence SET seq = 50 WHERE name = 'code_chunks'");
    let (checked, output) = check(&scenario, ["code.kv", "code.db"], "600");
    assert_eq!(checked.unwrap(), Verdict::Alert);
    assert!(output.ends_with("A merge left 1 divergences.\n"), "{output}");

    // Nor does a merge copy from one KV file to another.
    fs::copy(scenario.path("code.kv"), scenario.path("other.kv")).unwrap();
    index(&scenario, "--kv", "other.kv", &[]).unwrap();
    let (checked, output) = check(&scenario, ["other.kv", "code.kv"], "600");
    assert_eq!(checked.unwrap(), Verdict::Alert);
    assert!(output.ends_with("Nothing was repaired.\n"), "{output}");
}

#[test]
fn an_unknown_result_of_the_nightly_check_is_never_success() {
    let scenario = Scenario::with_small_pair();
    let fails = |stores, seconds, why: &str| {
        let (checked, output) = check(&scenario, stores, seconds);
        assert_eq!(nightly_check::status(&checked), 2);
        let error = checked.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(output, "");
    };
    fails(["code.db", "gone.kv"], "600", "gone.kv");
    fails(PAIR, "0", "no verdict within 0 seconds");
    fails(PAIR, "soon", "invalid digit");
    let whole = fs::read(scenario.path("code.kv")).unwrap();
    fs::write(scenario.path("code.kv"), &whole[..whole.len() - 4096]).unwrap();
    fails(PAIR, "600", "corrupt");
}

#[test]
fn embeddings_are_read_from_a_kv_file_and_rows_written_into_it_reach_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (database, file, back) = (path("index.db"), path("index.kv"), path("back.db"));
    let bytes = |vector: [f32; 2]| vector.map(f32::to_le_bytes).concat();
    let connection = Connection::open(&database).unwrap();
    let create = "CREATE TABLE chunks (id TEXT PRIMARY KEY, line INTEGER, embedding BLOB)";
    connection.execute_batch(create).unwrap();
    for (id, vector) in [("a", [1.0, 0.0]), ("b", [0.9, 0.1]), ("c", [0.0, 1.0])] {
        let insert = "INSERT INTO chunks VALUES (?1, 1, ?2)";
        connection.execute(insert, (id, bytes(vector))).unwrap();
    }
    connection.execute("INSERT INTO chunks VALUES ('none', 1, NULL)", []).unwrap();
    let options = CopyOptions::default()
        .only(KindSet::NONE)
        .tables(TableSelection::Named(vec!["chunks".to_owned()]));
    assert!(sqlite_to_kv(&database, &file, &options, &Progress::none()).unwrap().is_complete());

    let (similar, cosine) = embeddings::most_similar(&file, "a").unwrap().unwrap();
    assert_eq!(similar, "b");
    assert!(cosine > 0.99 && cosine < 1.0);
    assert!(embeddings::most_similar(&file, "none").is_err());

    embeddings::add(&file, "d", &[2.0, 0.01]).unwrap();
    assert_eq!(embeddings::most_similar(&file, "a").unwrap().unwrap().0, "d");
    let options = CopyOptions::default();
    assert!(kv_to_sqlite(&file, &back, &options, &Progress::none()).unwrap().is_complete());
    let select = "SELECT embedding FROM chunks WHERE id = 'd' AND line IS NULL";
    let read: Vec<u8> =
        Connection::open(&back).unwrap().query_row(select, [], |row| row.get(0)).unwrap();
    assert_eq!(read, bytes([2.0, 0.01]));
}
