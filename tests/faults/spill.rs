//! A merge that is too large for SQLite's cache: pages are written to the database before the
//! commit, and after an error there SQLite leaves the rollback to the next process that opens the
//! database.

use std::fs;
use std::sync::OnceLock;

use super::shim::{CHANGES, Disturbance, disturb, trace};
use crate::common::Scenario;
use crate::common::store_contents::Files;
use crate::common::tables::insert_chunks;

const MERGE: [&str; 4] = ["kv-to-sqlite", "code.kv", "half.db", "--merge"];

fn scenario() -> Scenario {
    static FILES: OnceLock<Files> = OnceLock::new();
    let scenario = Scenario::new();
    for (name, bytes) in FILES.get_or_init(|| make().files()) {
        fs::write(scenario.path(name), bytes).unwrap();
    }
    scenario
}

/// With 8 KB each they are more than the cache takes.
const CHUNKS: i64 = 400;

fn make() -> Scenario {
    let scenario = Scenario::new();
    for (name, chunks) in [("code.db", CHUNKS), ("half.db", CHUNKS / 2)] {
        scenario.database(name, |db| {
            insert_chunks(db, chunks);
            let content = "UPDATE code_chunks SET content = content || hex(zeroblob(4000))";
            db.execute_batch(content).unwrap();
        });
    }
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    scenario
}

#[test]
fn a_merge_that_fails_midway_is_rolled_back_before_the_exit() {
    let steps = trace(&scenario(), &MERGE, CHANGES);
    let places_of = |call: &str, file: &str| -> Vec<usize> {
        let steps = steps.iter().enumerate();
        let found = steps.filter(|(_, (made, path))| made == call && path.ends_with(file));
        found.map(|(place, _)| place).collect()
    };
    let synced = places_of("fsync", "/half.db-journal");
    let mut writes = places_of("pwrite64", "/half.db");
    writes.retain(|place| place < synced.last().unwrap());
    assert!(!writes.is_empty(), "nothing is written before the commit");
    // While records are written, and while they are read back, which fails differently.
    let mut failed = 0;
    for at in (0..=2).map(|half| writes[(writes.len() - 1) * half / 2]) {
        let scenario = scenario();
        let before = scenario.files();
        let disturbance = Disturbance { groups: CHANGES, how: "EIO", lasts: false };
        let disturbed = disturb(&scenario, &MERGE, disturbance, at).unwrap();
        if !disturbed.step.1.ends_with("/half.db") {
            continue;
        }
        failed += 1;
        assert_eq!(disturbed.run.status, 2, "{}", disturbed.place);
        let names: Vec<String> = scenario.files().into_keys().collect();
        assert_eq!(names, ["code.db", "code.kv", "half.db"], "{}", disturbed.place);
        let is_old = fs::read(scenario.path("half.db")).unwrap() == before["half.db"];
        assert!(is_old, "{}", disturbed.place);
    }
    assert!(failed > 0, "no write to the database was disturbed");
}
