//! `verify` without files: the built-in sample.

use chunkmigrate::internal::decode_json;
use chunkmigrate::internal::sample_records;

use crate::common::{Scenario, with_snapshots};

#[test]
fn the_sample_survives_and_leaves_no_files() {
    let scenario = Scenario::new();
    let mut command = scenario.command(&["verify"]);
    let run = crate::common::Run::of(command.env("TMPDIR", scenario.folder()).output().unwrap());
    with_snapshots(|| insta::assert_snapshot!("verify_sample", run));
    assert_eq!(scenario.files().len(), 0);
}

#[test]
fn the_json_document_has_the_shape_of_every_verify() {
    let scenario = Scenario::new();
    let run = scenario.run(&["verify", "--format", "json"]).expect_status(0);
    with_snapshots(|| insta::assert_snapshot!("verify_sample_json", run));
}

#[test]
fn every_record_of_the_sample_survives_encoding_and_decoding() {
    for record in sample_records() {
        let bytes = record.to_json().unwrap();
        assert_eq!(decode_json(record.kind(), &bytes).unwrap(), record);
    }
}
