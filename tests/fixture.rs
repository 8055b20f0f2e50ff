//! KV files of each format version, as version 0.1.0 wrote them: later versions read them exactly.

use std::fs;
use std::path::Path;

use chunkmigrate::record::RecordKind;
use test_support::kv_file::Content;

use crate::common::Scenario;
use crate::common::kv::document;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn scenario() -> Scenario {
    let scenario = Scenario::new();
    for name in ["v1.kv", "v1.ndjson", "v2.kv", "v2.ndjson"] {
        fs::copy(Path::new(FOLDER).join(name), scenario.path(name)).unwrap();
    }
    scenario
}

#[test]
fn a_version_1_file_is_exported_byte_for_byte() {
    let scenario = scenario();
    let run = scenario.run(&["export", "v1.kv"]).expect_status(0);
    let expected = fs::read_to_string(scenario.path("v1.ndjson")).unwrap();
    let rest = run.stdout.strip_prefix(&expected);
    let rest = rest.expect("the export of v1.kv has changed");
    // Version 1 lost the id sequences on the way through text, and had no end line.
    let (rest, end) = rest.split_once("{\"kind\":\"end\"").unwrap();
    assert_eq!(end.lines().count(), 1, "{end}");
    let id_sequences = document(&scenario.path("v1.kv"), "sequences");
    let line =
        format!("{{\"kind\":\"sequences\",\"key\":\"sequences\",\"value\":{id_sequences}}}\n");
    assert_eq!(rest, line);
    for kind in RecordKind::ALL {
        let key = format!("\"key\":\"{}", kind.key_prefix());
        assert!(expected.contains(&key), "the fixture has no {kind}");
    }
}

#[test]
fn version_1_text_is_imported() {
    let scenario = scenario();
    let run = scenario.run(&["import", "v1.ndjson", "new.kv", "--to", "kv"]).expect_status(0);
    assert!(run.stderr.contains("no end line: completeness unknown"), "{run}");
    let (old, new) = (scenario.path("v1.kv"), scenario.path("new.kv"));
    assert_eq!(Content::read(&old).records, Content::read(&new).records);
}

#[test]
fn a_version_1_file_is_verified_and_its_manifest_matches() {
    let scenario = scenario();
    let before = scenario.files();
    let _ = scenario.run(&["verify", "v1.kv"]).expect_status(0);
    let run = scenario.run(&["inspect", "v1.kv", "--format", "json"]).expect_status(0);
    assert_eq!(run.json()["manifest_matches"], true);
    assert_eq!(run.json()["format_version"], 1);
    assert_eq!(run.json()["manifest"], document(&scenario.path("v1.kv"), "manifest"));
    assert_eq!(
        run.json()["sha256"],
        "1d2e884cd3d564fbd889a1c0e600dbf79f987af2df994841adcd40962181f8c3"
    );
    assert_eq!(scenario.files(), before);
}

/// This version writes the same records in the same way, entry by entry.
#[test]
fn this_version_writes_what_version_1_wrote() {
    let scenario = scenario();
    let _ = scenario.run(&["kv-to-sqlite", "v1.kv", "v1.db"]).expect_status(0);
    let _ = scenario.run(&["sqlite-to-kv", "v1.db", "now.kv"]).expect_status(0);
    let old = Content::read(&scenario.path("v1.kv")).without_manifest();
    let new = Content::read(&scenario.path("now.kv")).without_manifest();
    assert_eq!(old.records, new.records);
    assert_eq!(old.documents, new.documents);
}

#[test]
fn a_version_2_file_is_exported_byte_for_byte() {
    let scenario = scenario();
    let run = scenario.run(&["export", "v2.kv"]).expect_status(0);
    assert_eq!(run.stdout, fs::read_to_string(scenario.path("v2.ndjson")).unwrap());
}

#[test]
fn this_version_writes_what_version_2_wrote() {
    let scenario = scenario();
    let _ = scenario.run(&["verify", "v2.kv"]).expect_status(0);
    let _ = scenario.run(&["kv-to-sqlite", "v2.kv", "v2.db"]).expect_status(0);
    let _ = scenario.run(&["sqlite-to-kv", "v2.db", "now.kv", "--tables", "all"]).expect_status(0);
    let _ = scenario.run(&["import", "v2.ndjson", "text.kv", "--to", "kv"]).expect_status(0);
    let old = Content::read(&scenario.path("v2.kv")).without_manifest();
    for name in ["now.kv", "text.kv"] {
        let new = Content::read(&scenario.path(name)).without_manifest();
        assert_eq!(old.records, new.records, "{name}");
    }
    let documents = Content::read(&scenario.path("text.kv")).without_manifest().documents;
    assert_eq!(old.documents, documents);
}
