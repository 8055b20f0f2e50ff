//! Metrics are merged under the id of their own symbol or not at all: two runs of an indexer over
//! the same files assign different ids to symbols.

use std::fs;

use rusqlite::Connection;

use crate::common::Scenario;

const GRAPH: &str = "CREATE TABLE graph_entities (id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, name TEXT NOT NULL, file_path TEXT, data TEXT NOT NULL);";

/// `code.kv` with metrics of two symbols, and a target with a graph.
fn scenario(graph: &str, metrics: &str) -> Scenario {
    let scenario = Scenario::with_small_pair();
    let values = |rows: &str| rows.replace(")", ", '{}')").replace('(', "('Symbol', ");
    scenario.database("target.db", |db| {
        db.execute_batch(GRAPH).unwrap();
        if !graph.is_empty() {
            let columns = "kind, name, file_path, id, data";
            let sql = format!("INSERT INTO graph_entities ({columns}) VALUES {}", values(graph));
            db.execute_batch(&sql).unwrap();
        }
        if !metrics.is_empty() {
            let columns = "symbol_name, file_path, symbol_id, kind, last_updated";
            let rows = metrics.replace(")", ", 'fn', 1)");
            db.execute_batch(&format!("INSERT INTO symbol_metrics ({columns}) VALUES {rows}"))
                .unwrap();
        }
    });
    scenario
}

const MERGE: [&str; 6] =
    ["kv-to-sqlite", "code.kv", "target.db", "--merge", "--only", "symbol-metrics"];

#[test]
fn metrics_of_another_symbol_are_rejected_by_name_and_by_file() {
    for (graph, metrics, rejected) in [
        // The symbols of code.kv: 1 is main, 2 is Main, both in src/lib.rs.
        ("('main', 'src/lib.rs', 1), ('Main', 'src/lib.rs', 2)", "", &[][..]),
        ("('Main', 'src/lib.rs', 1), ('main', 'src/lib.rs', 2)", "", &[1, 2]),
        ("('main', 'src/old.rs', 1), ('Main', 'src/lib.rs', 2)", "", &[1]),
        // Another symbol of that name in the file: Magellan itself confuses the two.
        (
            "('main', 'src/old.rs', 1), ('Main', 'src/lib.rs', 2), ('main', 'src/lib.rs', 3)",
            "",
            &[],
        ),
        // No symbol of that id: nothing says that it is another one.
        ("('other', 'src/lib.rs', 7)", "", &[]),
        ("", "", &[]),
        // The existing row counts, whatever the graph says.
        ("('x', 'x', 1)", "('main', 'src/lib.rs', 1)", &[]),
        ("('main', 'src/lib.rs', 1)", "('main', 'src/old.rs', 1)", &[1]),
        ("", "('other', 'src/lib.rs', 2)", &[2]),
    ] {
        let scenario = scenario(graph, metrics);
        let before = scenario.files();
        let run = scenario.run(&MERGE);
        let is_rejected =
            |id| run.stdout.contains(&format!("metrics:symbol:{id}: wrong-symbol: in the "));
        let found: Vec<i64> = [1, 2].into_iter().filter(|id| is_rejected(*id)).collect();
        assert_eq!(
            (run.status, &found[..]),
            (i32::from(!rejected.is_empty()), rejected),
            "{graph} {metrics}: {run}"
        );
        if rejected.is_empty() {
            continue;
        }
        assert!(run.stdout.contains("index"), "{run}");
        assert_eq!(scenario.files(), before);
        let _ = scenario.run(&[&MERGE[..], &["--on-invalid", "skip"]].concat()).expect_status(1);
        let rejects = scenario.lines("target.db.rejects.jsonl");
        assert_eq!(rejects.len(), rejected.len(), "{rejects:?}");
        let db = Connection::open(scenario.path("target.db")).unwrap();
        let own: i64 = db
            .query_row(
                "SELECT count(*) FROM symbol_metrics WHERE loc = 1 OR last_updated = 7",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(own, 2 - rejected.len() as i64);
    }
}

#[test]
fn metrics_in_a_kv_file_are_compared_too() {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        "UPDATE symbol_metrics SET symbol_name = 'other', loc = 2 WHERE symbol_id = 1",
    );
    let args = ["sqlite-to-kv", "code.db", "code.kv", "--merge"];
    let run = scenario.run(&args).expect_status(1);
    assert!(run.stdout.contains("in the target the symbol 1 is main in src/lib.rs"), "{run}");
}

#[test]
fn verify_warns_of_metrics_under_another_symbols_id_and_calls_copies_identical() {
    let scenario = Scenario::with_small_pair();
    scenario.change(
        "code.db",
        &format!(
            "{GRAPH} INSERT INTO graph_entities SELECT symbol_id, 'Symbol', symbol_name, file_path, ''
                 FROM symbol_metrics;
             UPDATE graph_entities SET name = 'other' WHERE id = 2;"
        ),
    );
    fs::copy(scenario.path("code.db"), scenario.path("copy.db")).unwrap();
    for (args, warnings) in
        [(&["code.db", "copy.db"][..], 2), (&["code.kv", "code.db"], 1), (&["code.db"], 1)]
    {
        let args = [&["verify"], args].concat();
        let run = scenario.run(&args).expect_status(0);
        assert_eq!(
            run.stdout.matches("in the graph the symbol 2 is other").count(),
            warnings,
            "{run}"
        );
        let _ = scenario.run(&[&args[..], &["--strict"]].concat()).expect_status(1);
    }
}
