//! Databases that no careful tool would write: every row is copied exactly or reported.

use chunkmigrate::Progress;
use chunkmigrate::internal::{SourceOptions, SqliteSnapshot};
use chunkmigrate::record::RecordKind;
use rusqlite::Connection;

use crate::common::tables::{LOOSE_CHUNKS, insert_chunk};
use crate::common::{Scenario, kv};

/// Creates a database of chunks, copies the valid ones, and returns the copied keys and the
/// rejected rows, as `rowid column reason`.
fn copy(fill: impl FnOnce(&Connection)) -> (Vec<String>, Vec<String>) {
    let scenario = Scenario::new();
    scenario.bare_database("odd.db", fill);
    copy_odd_database(&scenario)
}

fn copy_odd_database(scenario: &Scenario) -> (Vec<String>, Vec<String>) {
    let args = ["sqlite-to-kv", "odd.db", "out.kv", "--on-invalid", "skip", "--format", "json"];
    let run = scenario.run(&args);
    let rejected: Vec<String> = run.json()["findings"]
        .as_array()
        .unwrap_or_else(|| panic!("{run}"))
        .iter()
        .map(|finding| {
            let row = &finding["row"];
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            format!("{} {} {}", row["rowid"], text("column"), text("reason"))
        })
        .collect();
    assert_eq!(run.status, i32::from(!rejected.is_empty()), "{run}");
    (kv::keys(&scenario.path("out.kv")), rejected)
}

#[test]
fn null_blob_and_number_paths_are_reported() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'good.rs'", "0", "5");
        insert_chunk(db, 2, "NULL", "0", "5");
        insert_chunk(db, 3, "x'612e7273'", "0", "5");
        insert_chunk(db, 4, "17", "0", "5");
        insert_chunk(db, 5, "1.5", "0", "5");
    });
    assert_eq!(keys, ["chunk:good.rs:0:5"]);
    assert_eq!(
        rejected,
        [
            "2 file_path null",
            "3 file_path storage-class",
            "4 file_path storage-class",
            "5 file_path storage-class"
        ]
    );
}

#[test]
fn invalid_utf8_is_reported() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "CAST(x'61ff62' AS TEXT)", "0", "5");
        insert_chunk(db, 2, "'a' || char(0) || 'b'", "0", "5");
        insert_chunk(db, 3, "'c'", "0", "5");
        db.execute_batch("UPDATE code_chunks SET content = CAST(x'c3' AS TEXT) WHERE id = 3")
            .unwrap();
    });
    assert_eq!(keys, ["chunk:a\0b:0:5"]);
    assert_eq!(rejected, ["1 file_path not-utf8", "3 content not-utf8"]);
}

#[test]
fn values_of_a_wrong_storage_class_or_out_of_range_are_reported() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        db.execute_batch(
            "CREATE TABLE file_metrics (file_path, symbol_count, loc, estimated_loc, fan_in,
                 fan_out, complexity_score, last_updated);
             INSERT INTO file_metrics VALUES ('inf', 1, 1, 9e999, 1, 1, 1.5, 7);
             INSERT INTO file_metrics VALUES ('int', 1, 1, 1, 1, 1, 1.5, 7);
             INSERT INTO file_metrics VALUES ('ok', NULL, NULL, NULL, NULL, NULL, -0.0, 7);
             INSERT INTO file_metrics VALUES ('real', 1, 1.0, NULL, 1, 1, 1.5, 7);
             INSERT INTO file_metrics VALUES ('text', 1, '1', NULL, 1, 1, 1.5, 7);
             INSERT INTO file_metrics VALUES ('time', 1, 1, NULL, 1, 1, 1.5, NULL);",
        )
        .unwrap();
        insert_chunk(db, 1, "'a'", "-1", "5");
        insert_chunk(db, 2, "'a'", "0", "9223372036854775807");
        insert_chunk(db, 3, "'a'", "0.0", "5");
    });
    assert_eq!(keys, ["chunk:a:0:9223372036854775807", "metrics:file:ok"]);
    assert_eq!(
        rejected,
        [
            "1 byte_start range",
            "3 byte_start storage-class",
            "1 estimated_loc not-finite",
            "2 estimated_loc storage-class",
            "4 loc storage-class",
            "5 loc storage-class",
            "6 last_updated null"
        ]
    );
}

#[test]
fn rows_with_the_same_key_or_id_are_all_reported() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        insert_chunk(db, 1, "'a'", "0", "5");
        insert_chunk(db, 2, "'b'", "0", "5");
        insert_chunk(db, 3, "'b'", "0", "5");
        insert_chunk(db, 4, "'b'", "0", "5");
        insert_chunk(db, 5, "'c'", "0", "5");
        insert_chunk(db, 5, "'d'", "0", "5");
        insert_chunk(db, 6, "'e'", "0", "5");
    });
    assert_eq!(keys, ["chunk:a:0:5", "chunk:e:0:5"]);
    assert_eq!(
        rejected,
        [
            "2 file_path duplicate-key",
            "3 file_path duplicate-key",
            "4 file_path duplicate-key",
            "5 id duplicate-id",
            "6 id duplicate-id"
        ]
    );
}

#[test]
fn lone_surrogates_in_utf16_databases_are_reported_and_the_rest_is_exact() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let blob = |units: &[u16]| {
            let bytes = units.iter().flat_map(|unit| match encoding {
                "UTF-16le" => unit.to_le_bytes(),
                _ => unit.to_be_bytes(),
            });
            let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
            format!("CAST(x'{hex}' AS TEXT)")
        };
        let (keys, rejected) = copy(|db| {
            db.pragma_update(None, "encoding", encoding).unwrap();
            db.execute_batch(LOOSE_CHUNKS).unwrap();
            insert_chunk(db, 1, &blob(&[0x61, 0xd800, 0x62]), "0", "5");
            insert_chunk(db, 2, &blob(&[0x61, 0xdc00]), "0", "5");
            insert_chunk(db, 3, "'caf\u{e9} \u{1f600}'", "0", "5");
            insert_chunk(db, 4, "'a' || char(0x10062)", "0", "5");
            insert_chunk(db, 5, "''", "0", "5");
            insert_chunk(db, 6, "'z'", "0", "5");
            let update = format!("UPDATE code_chunks SET symbol_name = {}", blob(&[0xd83d]));
            db.execute_batch(&format!("{update} WHERE id = 6")).unwrap();
        });
        assert_eq!(
            keys,
            ["chunk::0:5", "chunk:a\u{10062}:0:5", "chunk:caf\u{e9} \u{1f600}:0:5"],
            "{encoding}"
        );
        assert_eq!(
            rejected,
            ["1 file_path not-utf8", "2 file_path not-utf8", "6 symbol_name not-utf8"],
            "{encoding}"
        );
    }
}

#[test]
fn nocase_collation_neither_groups_nor_reorders() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(
            "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY, file_path TEXT COLLATE NOCASE,
                 byte_start INTEGER, byte_end INTEGER, content TEXT, content_hash TEXT,
                 symbol_name TEXT, symbol_kind TEXT, created_at INTEGER);
             CREATE INDEX by_path ON code_chunks(file_path);",
        )
        .unwrap();
        for (id, path) in ["'b.rs'", "'A.rs'", "'a.rs'", "'B.rs'"].iter().enumerate() {
            insert_chunk(db, id as i64, path, "0", "5");
        }
    });
    assert_eq!(keys, ["chunk:A.rs:0:5", "chunk:B.rs:0:5", "chunk:a.rs:0:5", "chunk:b.rs:0:5"]);
    assert_eq!(rejected, Vec::<String>::new());
}

/// A table of chunks whose index on the paths is wrong: SQLite builds it over another expression,
/// and then the schema is edited directly.
fn with_wrong_index(scenario: &Scenario, index: &str) {
    with_wrong_index_on(scenario, index, "(file_path)");
}

fn with_wrong_index_on(scenario: &Scenario, index: &str, told_columns: &str) {
    scenario.bare_database("odd.db", |db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        for id in 1..=4 {
            insert_chunk(
                db,
                id,
                &format!("'{}'", "abcd".get(id as usize - 1..).unwrap()),
                "0",
                "5",
            );
        }
        db.execute_batch(&format!(
            "{index};
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE INDEX by_path ON code_chunks{told_columns}'
                 WHERE name = 'by_path';",
        ))
        .unwrap();
    });
}

#[test]
fn an_index_with_a_missing_entry_is_reported_as_corruption() {
    let scenario = Scenario::new();
    with_wrong_index(&scenario, "CREATE INDEX by_path ON code_chunks(file_path) WHERE id <> 2");
    let run = scenario.run(&["sqlite-to-kv", "odd.db", "out.kv"]).expect_status(2);
    assert!(run.stderr.contains("code_chunks has 4 rows, but one of its indexes has 3"), "{run}");
    assert!(!scenario.path("out.kv").exists());
}

#[test]
fn an_index_with_a_wrong_entry_changes_no_record() {
    let scenario = Scenario::new();
    with_wrong_index(&scenario, "CREATE INDEX by_path ON code_chunks(file_path || 'x')");
    let (keys, rejected) = copy_odd_database(&scenario);
    assert_eq!(keys, ["chunk:abcd:0:5", "chunk:bcd:0:5", "chunk:cd:0:5", "chunk:d:0:5"]);
    assert_eq!(rejected, Vec::<String>::new());
    let args = ["sqlite-to-kv", "odd.db", "checked.kv", "--check-source"];
    let run = scenario.run(&args).expect_status(2);
    assert!(run.stderr.contains("fails SQLite's integrity check"), "{run}");
}

#[test]
fn a_key_index_with_a_wrong_entry_is_reported_as_corruption() {
    let wrong = [
        "(file_path || 'x', byte_start, byte_end)",
        "(CASE id WHEN 2 THEN NULL ELSE file_path END, byte_start, byte_end)",
        "(CASE id WHEN 2 THEN 'd' ELSE file_path END, byte_start, byte_end)",
    ];
    // Of a valid row, and of an invalid one.
    let content = ["content", "CASE id WHEN 2 THEN NULL ELSE content END"];
    let cases = wrong.iter().flat_map(|columns| content.map(|content| (columns, content)));
    for (columns, content) in cases {
        let scenario = Scenario::new();
        with_wrong_index_on(
            &scenario,
            &format!(
                "UPDATE code_chunks SET content = {content};
                 CREATE INDEX by_path ON code_chunks{columns}"
            ),
            "(file_path, byte_start, byte_end)",
        );
        let args = ["sqlite-to-kv", "odd.db", "out.kv"];
        let run = scenario.run(&args).expect_status(2);
        assert!(run.stderr.contains("of code_chunks has a different key"), "{run}");
        assert!(!scenario.path("out.kv").exists());
    }
}

/// The key columns of invalid rows are in the index too, and are read with their actual values.
#[test]
fn rows_without_a_key_are_found_through_a_key_index() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(LOOSE_CHUNKS).unwrap();
        db.execute_batch("CREATE INDEX by_key ON code_chunks(byte_end, byte_start, file_path)")
            .unwrap();
        for (id, path) in [(1, "NULL"), (2, "'b'"), (3, "NULL"), (4, "x'00'"), (5, "'a'")] {
            insert_chunk(db, id, path, "0", "5");
        }
    });
    assert_eq!(keys, ["chunk:a:0:5", "chunk:b:0:5"]);
    assert_eq!(rejected.len(), 3, "{rejected:?}");
}

#[test]
fn names_in_another_case_and_columns_in_another_order_are_found() {
    let (keys, rejected) = copy(|db| {
        db.execute_batch(
            "CREATE TABLE \"Code_Chunks\" (CREATED_AT INTEGER, Content TEXT, content_hash TEXT,
                 rowid TEXT, byte_end INTEGER, Byte_Start INTEGER, file_path TEXT, ID INTEGER);
             INSERT INTO code_chunks VALUES (7, 'text', 'hash', NULL, 5, 0, 'a.rs', 1);",
        )
        .unwrap();
    });
    assert_eq!(keys, ["chunk:a.rs:0:5"]);
    assert_eq!(rejected, Vec::<String>::new());
}

#[test]
fn the_order_of_a_large_table_does_not_depend_on_memory() {
    let scenario = Scenario::new();
    scenario.database("big.db", |db| {
        db.execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
             INSERT INTO code_chunks
             SELECT i, hex(zeroblob(400)) || ((i * 7919) % 1000) || ':' || char(97 + i % 26), (i * 31) % 977, i,
                    'text', 'hash', NULL, NULL, 7 FROM n;",
        )
        .unwrap();
    });
    let run =
        scenario.run(&["sqlite-to-kv", "big.db", "out.kv", "--format", "json"]).expect_status(0);
    assert_eq!(run.json()["kinds"][0]["records"], 9000);
    assert_eq!(kv::keys(&scenario.path("out.kv")).len(), 9000);
}

/// The second half of the rows has more text, and there are gaps between the row ids, some of which
/// are negative.
#[test]
fn a_sample_estimates_the_text_size_of_a_large_table() {
    let scenario = Scenario::new();
    scenario.database("large.db", |db| {
        db.execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             INSERT INTO code_chunks
             SELECT i * iif(i % 3, 1000, -1000), 'src/' || (100000 + i), 0, 4,
                    iif(i > 5000, 'texttext', 'text'), 'hash', NULL, NULL, 7 FROM n;",
        )
        .unwrap();
    });
    let progress = Progress::none();
    let options = SourceOptions::default();
    let snapshot = SqliteSnapshot::open(&scenario.path("large.db"), &options, &progress).unwrap();
    let survey = snapshot.survey(RecordKind::Chunk);
    assert_eq!(survey.rows, 10_000);
    assert_eq!(survey.key_bytes, 10_000 * "src/100001".len() as u64);
    let text = 10_000 * "src/100001texttehash".len() as u64;
    assert!(survey.text_bytes.abs_diff(text) < text / 50, "{survey:?}");
}
