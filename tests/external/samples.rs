//! Databases that Magellan itself wrote. They are not part of the project: `CHUNKMIGRATE_SAMPLES`
//! lists their directories, separated as in `PATH`.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::common::whole_database::assert_carried;
use crate::common::{Scenario, kv, rows};

/// The databases in all directories; `None` if there are no directories.
pub(crate) fn samples() -> Option<Vec<PathBuf>> {
    let folders = std::env::var_os("CHUNKMIGRATE_SAMPLES")?;
    let mut databases = Vec::new();
    for folder in std::env::split_paths(&folders) {
        let entries = fs::read_dir(&folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let before = databases.len();
        databases.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "db")));
        assert!(databases.len() > before, "no databases in {}", folder.display());
    }
    databases.sort();
    Some(databases)
}

/// A sample by its name.
fn sample(name: &str) -> PathBuf {
    let mut samples = samples().unwrap().into_iter();
    samples.find(|path| path.ends_with(name)).unwrap()
}

/// The tables of the four that a database has, with the key prefix of their records.
fn tables(db: &Connection) -> Vec<(&'static str, &'static str, &'static str)> {
    let all = [
        ("code_chunks", "chunk:", "chunk"),
        ("execution_log", "execlog:", "execution-log"),
        ("file_metrics", "metrics:file:", "file-metrics"),
        ("symbol_metrics", "metrics:symbol:", "symbol-metrics"),
    ];
    let mut tables = all.to_vec();
    tables.retain(|(table, ..)| db.table_exists(Some("main"), *table).unwrap());
    tables
}

/// Copies a sample, with its `-wal`, to `code.db`.
fn scenario(sample: &Path) -> Scenario {
    let scenario = Scenario::new();
    for suffix in ["", "-wal"] {
        let from = PathBuf::from(format!("{}{suffix}", sample.display()));
        if from.exists() {
            let bytes = fs::read(from).unwrap();
            fs::write(scenario.path(&format!("code.db{suffix}")), bytes).unwrap();
        }
    }
    scenario
}

pub(crate) fn every_real_database_is_copied_completely_and_stays_unchanged() {
    for sample in samples().unwrap() {
        let scenario = scenario(&sample);
        let before = scenario.files();
        let run = scenario
            .run(&["sqlite-to-kv", "code.db", "out.kv", "--format", "json"])
            .expect_status(0);
        let mut after = scenario.files();
        assert!(after.remove("out.kv").is_some());
        assert_eq!(after, before);

        // SQLite itself counts the rows.
        let connection = Connection::open(scenario.path("code.db")).unwrap();
        let records = kv::records(&scenario.path("out.kv"));
        let mut total = 0;
        for (table, prefix, kind) in tables(&connection) {
            let sql = format!("SELECT count(*) FROM {table} NOT INDEXED");
            let rows: usize = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            let of_kind = records.keys().filter(|key| key.starts_with(prefix));
            assert_eq!(of_kind.count(), rows, "{table} of {}", sample.display());
            let json = run.json();
            let kinds = json["kinds"].as_array().unwrap();
            let copied = kinds.iter().find(|copied| copied["kind"] == kind).unwrap();
            assert_eq!(copied["records"], rows);
            total += rows;
        }
        assert!(total > 0);
        assert_eq!(records.len(), total);
    }
}

pub(crate) fn every_real_database_survives_a_round_trip_row_by_row() {
    for sample in samples().unwrap() {
        let scenario = scenario(&sample);
        for args in [
            &["sqlite-to-kv", "code.db", "code.kv"][..],
            &["kv-to-sqlite", "code.kv", "back.db"],
            &["verify", "code.db", "code.kv", "--strict"],
            &["verify", "code.kv", "back.db", "--strict"],
            &["verify", "code.db", "back.db", "--strict"],
            &["verify", "code.db"],
            &["verify", "code.kv"],
        ] {
            let run = scenario.run(args).expect_status(0);
            assert!(!args.contains(&"verify") || run.stdout.contains("Identical: "), "{run}");
        }
        let digest = |name: &str| {
            let run = scenario.run(&["inspect", name, "--format", "json"]);
            run.expect_status(0).json()["sha256"].clone()
        };
        let digests = ["code.db", "code.kv", "back.db"].map(digest);
        assert!(digests[0].is_string() && digests.windows(2).all(|pair| pair[0] == pair[1]));
        // Opened by SQLite itself from here on.
        let (old, new) = (scenario.path("code.db"), scenario.path("back.db"));
        assert_eq!(rows::of_database(&old), rows::of_database(&new));
    }
}

pub(crate) fn every_real_database_is_carried_whole() {
    for sample in samples().unwrap() {
        let scenario = scenario(&sample);
        // As rows, which keep even the rowids of tables with another key.
        assert_carried(&scenario, &["--only", "none"], &sample.display().to_string());
        let whole = ["--tables", "all", "--strict"];
        let _ = scenario.run(&["sqlite-to-kv", "code.db", "all.kv", "--tables", "all"]);
        let _ = scenario.run(&["kv-to-sqlite", "all.kv", "all.db"]).expect_status(0);
        for pair in [["code.db", "all.kv"], ["all.kv", "all.db"], ["code.db", "all.db"]] {
            let args = [&["verify"], &pair[..], &whole].concat();
            let run = scenario.run(&args).expect_status(0);
            assert!(run.stdout.contains("Identical: "), "{run}");
        }
    }
}

pub(crate) fn records_are_merged_back_into_every_real_database() {
    for sample in samples().unwrap() {
        let scenario = scenario(&sample);
        let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
        let merge = ["kv-to-sqlite", "code.kv", "code.db", "--merge"];
        let before = scenario.files();
        let _ = scenario.run(&merge).expect_status(0);
        assert_eq!(scenario.files(), before, "there was nothing to write");

        let all = rows::of_database(&scenario.path("code.db"));
        let db = Connection::open(scenario.path("code.db")).unwrap();
        for (table, ..) in tables(&db) {
            let change = match table {
                "code_chunks" => {
                    "DELETE FROM code_chunks WHERE id % 2; UPDATE code_chunks SET content = 'other'"
                }
                "file_metrics" => "UPDATE file_metrics SET complexity_score = complexity_score + 1",
                "execution_log" => "DELETE FROM execution_log",
                _ => "DELETE FROM symbol_metrics",
            };
            db.execute_batch(change).unwrap();
        }
        db.close().unwrap();
        let _ = scenario.run(&merge).expect_status(0);
        assert_eq!(rows::of_database(&scenario.path("code.db")), all);
        let db = Connection::open(scenario.path("code.db")).unwrap();
        let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}

pub(crate) fn metrics_of_one_index_run_are_not_merged_into_another() {
    let (sample, again) = (sample("code-4.7.2.db"), sample("code-4.7.2-again.db"));
    let scenario = scenario(&sample);
    fs::copy(again, scenario.path("again.db")).unwrap();
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    let before = scenario.files();
    let merge = ["kv-to-sqlite", "code.kv", "again.db", "--merge", "--only", "symbol-metrics"];
    let run = scenario.run(&merge).expect_status(1);
    assert!(run.stdout.contains("wrong-symbol"), "{run}");
    assert_eq!(scenario.files(), before);

    // Without its own metrics, only the graph shows which symbol is which.
    scenario.change("again.db", "DELETE FROM symbol_metrics");
    let _ = scenario.run(&[&merge[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
    let db = Connection::open(scenario.path("again.db")).unwrap();
    let wrong: i64 = db
        .query_row(
            "SELECT count(*) FROM symbol_metrics AS m JOIN graph_entities AS e ON e.id = m.symbol_id
             WHERE e.name IS NOT m.symbol_name",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(wrong, 0);
}

pub(crate) fn a_search_finds_what_was_merged() {
    let sample = sample("code-3.3.8-to-21.db");
    let scenario = scenario(&sample);
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    let hits = || {
        let db = Connection::open(scenario.path("code.db")).unwrap();
        let sql = "SELECT count(*) FROM code_chunks_fts WHERE code_chunks_fts MATCH 'fn'";
        db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let all = hits();
    assert!(all > 0);
    scenario.change("code.db", "DELETE FROM code_chunks");
    assert_eq!(hits(), 0);
    let run = scenario.run(&["kv-to-sqlite", "code.kv", "code.db", "--merge"]).expect_status(0);
    assert!(run.stdout.contains("rebuilt        code_chunks_fts\n"), "{run}");
    assert_eq!(hits(), all);
    scenario.change("code.db", "DELETE FROM code_chunks");
    assert_eq!(hits(), 0);
}
