//! Databases that Magellan itself wrote. They are not part of the project: the folder that holds
//! them is named by `CHUNKMIGRATE_SAMPLES`.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::common::{Scenario, kv, rows};

fn samples() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("CHUNKMIGRATE_SAMPLES") else {
        println!("CHUNKMIGRATE_SAMPLES is not set: no real databases were read");
        return None;
    };
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let databases: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "db"))
        .collect();
    assert!(
        !databases.is_empty(),
        "no databases in CHUNKMIGRATE_SAMPLES"
    );
    Some(databases)
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

#[test]
fn every_real_database_comes_over_complete_and_stays_as_it_is() {
    for sample in samples().into_iter().flatten() {
        let scenario = scenario(&sample);
        let before = scenario.files();
        let run = scenario
            .run(&["sqlite-to-kv", "code.db", "out.kv", "--format", "json"])
            .expect_status(0);
        let mut after = scenario.files();
        assert!(after.remove("out.kv").is_some());
        assert_eq!(after, before);

        // SQLite itself counts what there is.
        let connection = Connection::open(scenario.path("code.db")).unwrap();
        let records = kv::records(&scenario.path("out.kv"));
        let mut total = 0;
        for (index, (table, prefix)) in [
            ("code_chunks", "chunk:"),
            ("execution_log", "execlog:"),
            ("file_metrics", "metrics:file:"),
            ("symbol_metrics", "metrics:symbol:"),
        ]
        .into_iter()
        .enumerate()
        {
            let sql = format!("SELECT count(*) FROM {table} NOT INDEXED");
            let rows: usize = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            let of_kind = records.keys().filter(|key| key.starts_with(prefix));
            assert_eq!(of_kind.count(), rows, "{table} of {}", sample.display());
            assert_eq!(run.json()["kinds"][index]["records"], rows);
            total += rows;
        }
        assert!(total > 0);
        assert_eq!(records.len(), total);
    }
}

#[test]
fn every_real_database_goes_round_and_comes_back_row_by_row() {
    for sample in samples().into_iter().flatten() {
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
            assert!(
                !args.contains(&"verify") || run.stdout.contains("Identical: "),
                "{run}"
            );
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

#[test]
fn records_return_to_every_real_database() {
    for sample in samples().into_iter().flatten() {
        let scenario = scenario(&sample);
        let _ = scenario
            .run(&["sqlite-to-kv", "code.db", "code.kv"])
            .expect_status(0);
        let merge = ["kv-to-sqlite", "code.kv", "code.db", "--merge"];
        let before = scenario.files();
        let _ = scenario.run(&merge).expect_status(0);
        assert_eq!(scenario.files(), before, "there was nothing to write");

        let all = rows::of_database(&scenario.path("code.db"));
        let db = Connection::open(scenario.path("code.db")).unwrap();
        db.execute_batch(
            "DELETE FROM code_chunks WHERE id % 2; UPDATE code_chunks SET content = 'other';
             DELETE FROM execution_log; DELETE FROM symbol_metrics;
             UPDATE file_metrics SET complexity_score = complexity_score + 1",
        )
        .unwrap();
        db.close().unwrap();
        let _ = scenario.run(&merge).expect_status(0);
        assert_eq!(rows::of_database(&scenario.path("code.db")), all);
        let db = Connection::open(scenario.path("code.db")).unwrap();
        let check: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
    }
}
