//! redb files that are not KV files, or were forged to look like one.

use std::fs;
use std::path::Path;

use redb::{Durability, WriteTransaction};
use test_support::kv_file::{Content, FORMAT, RECORDS, TableType, Tables};

use crate::common::Scenario;
use crate::common::hostile_file::Outcome::{Copied, Fails, Reported};
use crate::common::hostile_file::{HostileFile, Outcome};

const CHUNK: &str = "{\"id\":1,\"file_path\":\"a\",\"byte_start\":0,\"byte_end\":1,\
    \"content\":\"x\",\"content_hash\":\"h\",\"symbol_name\":null,\"symbol_kind\":null,\
    \"created_at\":7}";

/// A file with one record.
fn one_chunk() -> Content {
    let mut content = Content::of_records([]);
    content.set_document("sequences", "{\"code_chunks\":1,\"execution_log\":0}");
    content.records.insert(b"chunk:a:0:1".into(), CHUNK.into());
    content
}

/// Other tables with the names of ours, and tables with hostile names.
#[test]
fn other_table_types_identify_another_tools_file() {
    use TableType::{Missing, Multimap, Numbers, Own, Text};

    for (what, records, meta) in [
        ("nothing", Missing, Missing),
        ("no records", Missing, Own),
        ("no documents", Own, Missing),
        ("numbers", Numbers, Own),
        ("text", Text, Own),
        ("many values a key", Multimap, Own),
        ("documents as numbers", Own, Numbers),
        ("documents as text", Own, Text),
        ("many documents a name", Own, Multimap),
    ] {
        let mut content = one_chunk();
        content.tables = Tables { records, meta, others: false };
        let hostile = HostileFile::by_kv(|path| content.write(path));
        hostile.assert_read_as(what, Fails("odd.kv is "));
        hostile.assert_target_as(what, Fails("odd.kv is "));
    }
    let mut content = one_chunk();
    content.set_document("\u{1b}[2J\u{202e}", b"\xff");
    content.tables.others = true;
    let hostile = HostileFile::by_kv(|path| content.write(path));
    hostile.assert_read_as("hostile names", Copied);
}

#[test]
fn foreign_or_malformed_metadata_is_reported() {
    let name = |version: &str| format!("{{\"name\":\"chunkmigrate-kv\",\"version\":{version}}}");
    let deep = "[".repeat(100_000);
    let spaces = " ".repeat(300_000) + FORMAT;
    let version = Fails("has KV format version");
    let unread = Fails("cannot decode its format document");
    let cases: Vec<(String, Outcome)> = vec![
        (name("2"), Fails("its tables document is missing")),
        (name("3"), version),
        (name("0"), version),
        (name("18446744073709551615"), version),
        (name("-1"), unread),
        (name("99999999999999999999999"), unread),
        (name("1.0"), unread),
        (name("1,\"version\":2"), unread),
        ("version 1".to_owned(), unread),
        (String::new(), unread),
        ("null".to_owned(), unread),
        (deep, unread),
        (
            FORMAT.replace("chunkmigrate-kv", "evil\u{202e}\u{9b}"),
            Fails("but not a chunkmigrate KV file"),
        ),
        (spaces, Copied),
    ];
    let with = |name: &str, document: &str| {
        let mut content = one_chunk();
        content.set_document(name, document);
        HostileFile::by_kv(|path| content.write(path)).within_mib(1024)
    };
    for (document, outcome) in cases {
        let what: String = document.chars().take(60).collect();
        with("format", &document).assert_read_as(&what, outcome);
    }
    for id_sequences in [
        "x",
        "null",
        "{\"code_chunks\":1}",
        "[\"a\",1]",
        "{\"code_chunks\":1.5,\"execution_log\":0}",
        "{\"code_chunks\":9223372036854775808,\"execution_log\":0}",
        "{\"code_chunks\":1,\"execution_log\":0,\"\u{1b}[2J\":0}",
    ] {
        with("sequences", id_sequences)
            .assert_read_as(id_sequences, Fails("cannot decode its sequences document"));
    }
    let totals = "{\"records\":0,\"key_bytes\":0,\"value_bytes\":0,\"sha256\":\"\"}"
        .replace("\"\"", &format!("\"{}\"", "0".repeat(64)));
    let manifest = format!(
        "{{\"tool\":\"\u{202e}\u{9b}\\u001b[2J\",\"created_at\":\"\\n\\u0007\",\"source\":{{\"file_name\":\
         \"\\u001b]0;x\",\"store\":\"\u{feff}\",\"schema_version\":null}},\"kinds\":{{\"chunk\":{totals},\
         \"execution-log\":{totals},\"file-metrics\":{totals},\"symbol-metrics\":{totals}}},\"sha256\":\"{}\"}}",
        "0".repeat(64)
    );
    with("manifest", &manifest).assert_read_as_but_exported(
        "a hostile manifest",
        Reported("chunk: manifest: the manifest says 0 records, the contents have 1"),
    );
    with("manifest", "\u{1b}[2J")
        .assert_read_as_but_exported("no manifest", Fails("cannot decode its manifest document"));
}

#[test]
fn invalid_values_and_keys_are_reported() {
    let long = |count: usize, what: &str| what.repeat(count).into_bytes();
    let wide: Vec<String> = (0..100_000).map(|i| format!("\"c{i}\":1")).collect();
    let (head, tail) = CHUNK.split_once("\"x\"").unwrap();
    let within = |text: &[u8]| [head.as_bytes(), text, tail.as_bytes()].concat();
    let chunk = b"chunk:a:0:1".to_vec();
    let cases: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("deep objects", chunk.clone(), long(100_000, "{\"a\":")),
        ("deep inside a field", chunk.clone(), within(&long(100_000, "["))),
        ("very many fields", chunk.clone(), format!("{{{}}}", wide.join(",")).into_bytes()),
        ("spaces before", chunk.clone(), [&long(300_000, " "), CHUNK.as_bytes()].concat()),
        ("trailing spaces", chunk.clone(), [CHUNK.as_bytes(), &long(300_000, "\n")].concat()),
        ("overlong UTF-8", chunk.clone(), within(b"\"\xc0\xaf\"")),
        ("a lone surrogate", chunk.clone(), within(b"\"\\ud800\"")),
        ("a raw control", chunk.clone(), within(b"\"\x1b[2J\"")),
        ("a surrogate pair", chunk.clone(), within(b"\"\\ud83d\\ude00\"")),
        (
            "an unknown field",
            chunk.clone(),
            CHUNK.replace('}', ",\"\u{1b}[2J\u{202e}\u{9b}\":1}").into_bytes(),
        ),
        ("UTF-16", chunk.clone(), CHUNK.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("no key", Vec::new(), CHUNK.into()),
        ("a prefix", b"chunk:".to_vec(), CHUNK.into()),
        ("part of a prefix", b"metrics:".to_vec(), CHUNK.into()),
        ("no id", b"execlog:".to_vec(), CHUNK.into()),
        ("no number", b"metrics:symbol:-".to_vec(), CHUNK.into()),
        (
            "a large key",
            [b"chunk:".to_vec(), long(60_000, "p"), b":0:1".to_vec()].concat(),
            CHUNK.into(),
        ),
        ("a NUL in a key", b"chunk:a\0:0:1".to_vec(), CHUNK.into()),
        ("a key that is no UTF-8", b"chunk:\xff:0:1".to_vec(), CHUNK.into()),
        ("a hostile key", "\u{1b}[2J\u{202e}\u{9b}\n\u{7f}".into(), CHUNK.into()),
        ("a hostile path", "chunk:\u{1b}[2J\u{202e}\u{9b}\n\u{7f}:0:1".into(), CHUNK.into()),
    ];
    for (what, key, value) in cases {
        let hostile = HostileFile::by_kv(|path| {
            let mut content = Content::of_records([]);
            content.records.insert(key, value);
            content.write(path);
        })
        .within_mib(1024);
        let run = hostile.run(what, &["kv-to-sqlite", "odd.kv", "target.db"], Some("target.db"));
        assert_eq!(run.status, 1, "{what}: {run}");
        let args =
            ["kv-to-sqlite", "odd.kv", "target.db", "--on-invalid", "skip", "--format", "json"];
        assert_eq!(hostile.run(what, &args, Some("target.db")).status, 1, "{what}");
        for args in [
            &["verify", "odd.kv", "code.db"][..],
            &["verify", "code.kv", "odd.kv", "--format", "json"],
            &["verify", "odd.kv"],
            &["export", "odd.kv"],
        ] {
            assert_eq!(hostile.run(what, args, None).status, 1, "{what} {args:?}");
        }
        let _ = hostile.run(what, &["inspect", "odd.kv"], None);
    }
}

#[test]
fn changed_header_bytes_change_no_record() {
    change_header_bytes(|at| match at % 3 {
        0 => vec![[0u8, 0xff][at % 2]],
        _ => Vec::new(),
    });
}

#[test]
#[ignore = "deep: 430 headers"]
fn many_changed_header_bytes_change_no_record() {
    change_header_bytes(|_| vec![0, 0xff, 1, 0x80]);
}

/// Gives each byte of redb's header other values.
fn change_header_bytes(values: impl Fn(usize) -> Vec<u8>) {
    let scenario = Scenario::with_small_pair();
    let bytes = fs::read(scenario.path("code.kv")).unwrap();
    let intact = Content::read(&scenario.path("code.kv")).records;
    let hostile = HostileFile::by_kv(|path| fs::write(path, &bytes).unwrap()).within_mib(1024);
    let read = |what: &str| {
        let run = hostile.run(what, &["verify", "odd.kv", "code.db"], None);
        assert!(run.status == 0 || run.status == 2, "{what}: {run}");
    };
    assert!(!intact.is_empty());
    for at in (0..64).chain(64..104).chain(192..232) {
        for value in values(at) {
            if value == bytes[at] {
                continue;
            }
            let mut corrupted = bytes.clone();
            corrupted[at] = value;
            fs::write(hostile.scenario.path("odd.kv"), corrupted).unwrap();
            read(&format!("{value} at {at}"));
        }
    }
    for god in 0..8 {
        let mut corrupted = bytes.clone();
        corrupted[9] = god;
        fs::write(hostile.scenario.path("odd.kv"), corrupted).unwrap();
        read(&format!("god byte {god}"));
    }
    let with_slots = |byte: u8| {
        let mut corrupted = bytes.clone();
        corrupted[64..320].fill(byte);
        corrupted
    };
    for (what, corrupted) in [
        ("no commit slots", with_slots(0)),
        ("both commit slots overwritten", with_slots(0xff)),
        ("the magic number", bytes[..9].to_vec()),
        ("the header", bytes[..320].to_vec()),
        ("the first page", bytes[..4096].to_vec()),
        ("a byte less", bytes[..bytes.len() - 1].to_vec()),
    ] {
        fs::write(hostile.scenario.path("odd.kv"), corrupted).unwrap();
        hostile.assert_read_as(what, Fails("odd.kv is corrupt"));
    }
    let file = fs::OpenOptions::new().write(true).open(hostile.scenario.path("odd.kv"));
    fs::write(hostile.scenario.path("odd.kv"), &bytes[..9]).unwrap();
    file.unwrap().set_len(10 << 30).unwrap();
    hostile.assert_read_as("sparse", Fails("odd.kv is corrupt"));
}

fn record(transaction: &WriteTransaction, key: &[u8], value: &[u8]) {
    let mut table = transaction.open_table(RECORDS).unwrap();
    table.insert(key, value).unwrap();
}

/// A file as a killed writer leaves it, before and after its last commit was synced to disk.
fn killed(path: &Path, durability: Durability) {
    let alive = path.with_extension("alive");
    let database = one_chunk().create(&alive);
    let mut transaction = database.begin_write().unwrap();
    transaction.set_durability(durability).unwrap();
    let second = CHUNK.replace("\"byte_end\":1", "\"byte_end\":2");
    let second = second.replace("\"id\":1", "\"id\":2");
    record(&transaction, b"chunk:a:0:2", second.as_bytes());
    transaction.commit().unwrap();
    let transaction = database.begin_write().unwrap();
    record(&transaction, b"chunk:lost:0:1", b"never committed");
    fs::copy(&alive, path).unwrap();
    transaction.abort().unwrap();
    drop(database);
    fs::remove_file(alive).unwrap();
}

#[test]
fn reading_an_unclosed_file_reports_that_it_is_the_last_complete_state() {
    let scenario = Scenario::new();
    killed(&scenario.path("killed.kv"), Durability::Immediate);
    let _ = scenario.run(&["kv-to-sqlite", "killed.kv", "code.db"]).expect_status(0);
    let _ = scenario.run(&["sqlite-to-kv", "code.db", "closed.kv"]).expect_status(0);
    let message = "not closed cleanly: its last complete state";
    for (args, of) in [
        (&["inspect", "killed.kv"][..], "/closed_cleanly"),
        (&["verify", "killed.kv", "code.db"], "/left/closed_cleanly"),
        (&["verify", "code.db", "killed.kv"], "/right/closed_cleanly"),
        (&["verify", "killed.kv"], "/left/closed_cleanly"),
        (&["kv-to-sqlite", "killed.kv", "new.db", "--dry-run"], "/source/closed_cleanly"),
        (&["kv-to-sqlite", "killed.kv", "code.db", "--merge"], "/source/closed_cleanly"),
        (
            &["sqlite-to-kv", "code.db", "killed.kv", "--merge", "--dry-run"],
            "/target/closed_cleanly",
        ),
    ] {
        let run = scenario.run(args);
        assert!(run.stdout.contains(message), "{run}");
        let run = scenario.run(&[args, &["--format", "json"]].concat());
        let document = run.json();
        assert_eq!(document.pointer(of), Some(&false.into()), "{of}: {document}");
        // If it was closed, nothing is reported.
        let closed = args.join(" ").replace("killed", "closed");
        let closed: Vec<&str> = closed.split(' ').collect();
        let run = scenario.run(&closed);
        assert!(!run.stdout.contains("closed cleanly"), "{run}");
        let run = scenario.run(&[&closed[..], &["--format", "json"]].concat());
        assert_eq!(run.json().pointer(of), None, "{run}");
    }
    let html = ["verify", "killed.kv", "code.db", "--html", "page.html"];
    let _ = scenario.run(&html);
    let page = fs::read_to_string(scenario.path("page.html")).unwrap();
    assert!(page.contains(message), "{page}");
    let run = scenario.run(&["export", "killed.kv"]).expect_status(0);
    let warning = "warning: killed.kv was not closed cleanly: this is its last complete state\n";
    assert_eq!(run.stderr, warning);
    let run = scenario.run(&["export", "closed.kv"]).expect_status(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_file_whose_writer_was_killed_has_the_last_commit() {
    for durability in [Durability::Immediate, Durability::None] {
        let hostile = HostileFile::by_kv(|path| killed(path, durability));
        let exported = hostile.run("killed", &["export", "odd.kv"], None).expect_status(0);
        assert!(exported.stdout.contains("chunk:a:0:1"), "{exported}");
        assert!(!exported.stdout.contains("lost"), "{exported}");
        let second = exported.stdout.contains("chunk:a:0:2");
        let durable = matches!(durability, Durability::Immediate);
        assert_eq!(second, durable, "{exported}");
    }
}
