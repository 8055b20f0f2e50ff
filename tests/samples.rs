//! Databases that Magellan itself wrote. They are not part of the project: the folder that holds
//! them is named by `CHUNKMIGRATE_SAMPLES`.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::common::{Scenario, kv};

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

#[test]
fn every_real_database_comes_over_complete_and_stays_as_it_is() {
    for sample in samples().into_iter().flatten() {
        let scenario = Scenario::new();
        for suffix in ["", "-wal"] {
            let from = PathBuf::from(format!("{}{suffix}", sample.display()));
            if from.exists() {
                fs::write(
                    scenario.path(&format!("code.db{suffix}")),
                    fs::read(from).unwrap(),
                )
                .unwrap();
            }
        }
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
