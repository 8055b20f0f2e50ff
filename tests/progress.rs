//! What a comparison reports while it runs.

use std::sync::{Arc, Mutex};

use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::record::RecordKind;
use chunkmigrate::verify::{VerifyOptions, VerifyReport, verify_pair, verify_round_trip};
use chunkmigrate::{Error, Progress, ProgressSink, Result, Stage};

use crate::common::{Scenario, tables};

/// More than one batch of reported records, and not a multiple of it.
const CHUNKS: i64 = 1300;

/// Keeps the stages in order, each with the number of records reported, and may cancel in one.
#[derive(Debug, Default)]
struct StageLog {
    stages: Mutex<Vec<(Stage, Option<u64>, u64)>>,
    plans: Mutex<Vec<u64>>,
    stops_in: Option<Stage>,
}

impl StageLog {
    fn of(&self, stage: Stage) -> Vec<(Option<u64>, u64)> {
        let stages = self.stages.lock().unwrap();
        let entries = stages.iter().filter(|(started, _, _)| *started == stage);
        entries.map(|(_, total, records)| (*total, *records)).collect()
    }
}

impl ProgressSink for StageLog {
    fn plan(&self, records: u64) {
        self.plans.lock().unwrap().push(records);
    }

    fn start(&self, stage: Stage, total: Option<u64>) {
        self.stages.lock().unwrap().push((stage, total, 0));
    }

    fn inc(&self, records: u64) {
        self.stages.lock().unwrap().last_mut().unwrap().2 += records;
    }

    fn is_cancelled(&self) -> bool {
        let stages = self.stages.lock().unwrap();
        let stage = stages.last().map(|(stage, _, _)| *stage);
        stage.is_some() && stage == self.stops_in
    }
}

/// A scenario with `code.db`, which has chunks and little else, and its copy `code.kv`.
fn scenario() -> Scenario {
    let scenario = Scenario::new();
    scenario.database("code.db", |db| tables::insert_chunks(db, CHUNKS));
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
    scenario
}

fn verify(
    scenario: &Scenario,
    names: [&str; 2],
    quick: bool,
    stage_log: &Arc<StageLog>,
) -> Result<VerifyReport> {
    let options = VerifyOptions::default().quick(quick);
    let progress = Progress::from(stage_log.clone());
    let [left, right] = names.map(|name| scenario.path(name));
    verify_pair(&left, &right, &options, &progress)
}

#[test]
fn each_record_of_the_left_side_is_counted_once() {
    let scenario = scenario();
    for names in [["code.db", "code.kv"], ["code.kv", "code.db"], ["code.kv", "code.kv"]] {
        let stage_log = Arc::new(StageLog::default());
        let report = verify(&scenario, names, false, &stage_log).unwrap();
        assert!(report.is_identical());
        let chunks = stage_log.of(Stage::Compare(RecordKind::Chunk));
        assert_eq!(chunks, [(Some(CHUNKS as u64), CHUNKS as u64)], "{names:?}");
        let files = stage_log.of(Stage::Compare(RecordKind::FileMetrics));
        assert_eq!(files, [(Some(0), 0)], "{names:?}");
    }
}

#[test]
fn records_with_equal_digests_are_hashed_but_not_compared() {
    let scenario = scenario();
    let stage_log = Arc::new(StageLog::default());
    let report = verify(&scenario, ["code.db", "code.kv"], true, &stage_log).unwrap();
    assert!(report.is_identical());
    for kind in RecordKind::ALL {
        assert_eq!(stage_log.of(Stage::Digest(kind)).len(), 2, "{kind}");
        assert_eq!(stage_log.of(Stage::Compare(kind)), [], "{kind}");
    }
}

#[test]
fn a_cancelled_comparison_is_an_error_without_a_verdict() {
    let scenario = scenario();
    let stage_log = Arc::new(StageLog {
        stops_in: Some(Stage::Compare(RecordKind::Chunk)),
        ..StageLog::default()
    });
    let outcome = verify(&scenario, ["code.db", "code.kv"], false, &stage_log);
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
}

#[test]
fn the_records_of_all_stages_add_up_to_the_plan() {
    type Work = fn(&Scenario, &Progress);
    let works: [(&str, Work); 4] = [
        ("copy", |scenario, progress| {
            let (source, target) = (scenario.path("code.db"), scenario.path("new.kv"));
            let _ = sqlite_to_kv(&source, &target, &CopyOptions::default(), progress).unwrap();
        }),
        ("back", |scenario, progress| {
            let (source, target) = (scenario.path("code.kv"), scenario.path("new.db"));
            let _ = kv_to_sqlite(&source, &target, &CopyOptions::default(), progress).unwrap();
        }),
        ("verify", |scenario, progress| {
            let (left, right) = (scenario.path("code.db"), scenario.path("code.kv"));
            let _ = verify_pair(&left, &right, &VerifyOptions::default(), progress).unwrap();
        }),
        ("round trip", |scenario, progress| {
            let store = scenario.path("code.db");
            let _ = verify_round_trip(&store, &VerifyOptions::default(), progress).unwrap();
        }),
    ];
    let scenario = scenario();
    for (name, work) in works {
        let stage_log = Arc::new(StageLog::default());
        work(&scenario, &Progress::from(stage_log.clone()));
        let stages = stage_log.stages.lock().unwrap();
        let done: u64 = stages.iter().map(|(.., records)| records).sum();
        let plans = stage_log.plans.lock().unwrap();
        assert_eq!(plans.first(), Some(&done), "{name}: {stages:?}");
    }
}
