//! Every encoding, pinned: a change in a library breaks the build and not the format.

use std::fmt::Write as _;

use chunkmigrate::internal::sample_records;
use chunkmigrate::internal::{MAX_ENTRY_BYTES, MAX_VALUE_BYTES, record_key};
use chunkmigrate::record::{FileMetrics, Record, RecordKey, RecordKind};
use test_support::kv_file::RECORDS;
use test_support::records::file_metrics;

use crate::common::{Scenario, kv, tables, with_snapshots};

/// Text with everything except plain ASCII as `\u{…}`, for a snapshot that no editor can spoil.
fn in_ascii(text: &str) -> String {
    let chars = text.chars().map(|char| match char {
        ' '..='~' => char.to_string(),
        _ => char.escape_unicode().to_string(),
    });
    chars.collect()
}

fn written(float: f64) -> String {
    let record =
        Record::FileMetrics(FileMetrics { estimated_loc: Some(float), ..file_metrics("") });
    let json: String = String::from_utf8(record.to_json().unwrap()).unwrap();
    let value = json.split("\"estimated_loc\":").nth(1).unwrap();
    value.split(',').next().unwrap().to_owned()
}

#[test]
fn floats_are_written_as_the_format_says() {
    let mut table = String::new();
    let exponents = [
        -324, -323, -308, -100, -10, -8, -7, -6, -5, -4, -1, 0, 1, 2, 10, 14, 15, 16, 17, 20, 21,
        22, 23, 100, 308,
    ];
    for exponent in exponents {
        for digits in ["1", "-1", "1.5", "9.999999999999999", "1.7976931348623157", "5"] {
            let float: f64 = format!("{digits}e{exponent}").parse().unwrap();
            if float.is_finite() {
                writeln!(table, "{:016x} {}", float.to_bits(), written(float)).unwrap();
            }
        }
    }
    for float in [
        0.0,
        -0.0,
        0.1 + 0.2,
        1.0 / 3.0,
        123456789.125,
        9007199254740993.0,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
    ] {
        writeln!(table, "{:016x} {}", float.to_bits(), written(float)).unwrap();
    }
    with_snapshots(|| insta::assert_snapshot!("encoding_floats", table));
}

#[test]
fn keys_are_written_as_the_format_says() {
    let chunks = [
        ("src/lib.rs", 0, 120),
        ("", 0, 0),
        ("a:", 0, 5),
        (":", 1, 2),
        ("C:\\dir\\na:\u{ef}ve file.rs", 10, 3),
        ("nul\0 quote\" newline\n", 1, 5),
        ("cafe\u{301} \u{1f600} \u{2028}", 0, i64::MAX as u64),
    ];
    let chunks = chunks.map(|(path, start, end)| {
        RecordKey::Chunk { file_path: String::from(path), byte_start: start, byte_end: end }
            .encode()
    });
    let executions = ["01HX-7", "", "with:colon", "chunk:a:0:5"]
        .map(|id| RecordKey::ExecutionLog { execution_id: id.to_owned() }.encode());
    let files = ["src/lib.rs", "", "na:\u{ef}ve.rs", "::"]
        .map(|path| RecordKey::FileMetrics { file_path: path.to_owned() }.encode());
    let symbols = [0, 7, -7, i64::MAX, i64::MIN]
        .map(|symbol_id| RecordKey::SymbolMetrics { symbol_id }.encode());
    let all = [&chunks[..], &executions, &files, &symbols].concat();
    let lines = all.iter().map(|key| format!("{}\n", in_ascii(&String::from_utf8_lossy(key))));
    with_snapshots(|| insta::assert_snapshot!("encoding_keys", lines.collect::<String>()));
}

#[test]
fn every_record_of_the_sample_is_written_as_the_format_says() {
    for kind in RecordKind::ALL {
        let mut lines: Vec<String> = sample_records()
            .iter()
            .filter(|record| record.kind() == kind)
            .map(|record| {
                let value = String::from_utf8(record.to_json().unwrap()).unwrap();
                let key = String::from_utf8(record_key(record)).unwrap();
                format!("{}\n  {}\n", in_ascii(&key), in_ascii(&value))
            })
            .collect();
        lines.sort();
        let name = format!("encoding_{}", kind.name().replace('-', "_"));
        with_snapshots(|| insta::assert_snapshot!(name, lines.concat()));
    }
}

#[test]
fn metadata_of_a_kv_file_is_written_as_the_format_says() {
    let scenario = Scenario::new();
    scenario.bare_database("code.db", |connection| {
        connection.execute_batch(tables::SCHEMA_7).unwrap();
        tables::insert_chunk(connection, 41, "'src/lib.rs'", "0", "10");
        tables::insert_chunk(connection, 43, "'src/lib.rs'", "10", "20");
        connection.execute_batch("DELETE FROM code_chunks WHERE id = 43").unwrap();
    });
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "out.kv"]).expect_status(0);
    let out = scenario.path("out.kv");
    let documents = ["format", "sequences", "manifest"].map(|name| {
        let text = kv::document_text(&out, name);
        format!("{name}\n  {text}\n")
    });
    with_snapshots(|| insta::assert_snapshot!("encoding_documents", documents.concat()));
}

/// redb is given only lengths: no value is that large.
#[test]
fn record_size_limits_match_redb() {
    let backend = redb::backends::InMemoryBackend::new();
    let database = redb::Database::builder().create_with_backend(backend).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(RECORDS).unwrap();
    let mut refused = |key: &[u8], length: usize| match table.insert_reserve(key, length) {
        Ok(_) => panic!("{length} bytes are accepted"),
        Err(error) => error.to_string(),
    };
    let message = refused(b"", MAX_VALUE_BYTES + 1);
    let limit = format!("exceeds the maximum of {}GiB", MAX_VALUE_BYTES >> 30);
    assert!(message.contains(&limit), "{message}");
    let key = vec![0; MAX_ENTRY_BYTES - MAX_VALUE_BYTES + 1];
    let message = refused(&key, MAX_VALUE_BYTES);
    let entry = format!("length={}", MAX_ENTRY_BYTES + 1);
    assert!(message.contains(&entry), "{message}");
}
