//! All integration tests as one program: it links once, and the files share `common`.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

mod advice;
mod api;
mod classes;
mod completions;
mod corrupt_kv;
mod docs;
mod encodings;
mod end_line;
#[cfg(target_os = "linux")]
mod environment;
mod errors;
mod examples;
#[cfg(target_os = "linux")]
mod faults;
mod file_formats;
mod fixture;
mod fuzzing;
mod hardening;
mod help;
mod hostile_id_sequences;
mod hostile_kv_files;
mod hostile_names;
mod hostile_pages;
mod hostile_schemas;
mod hostile_values;
mod html_path;
mod html_report;
mod import;
mod import_lines;
mod inspect_export;
mod interrupts;
mod invalid_rows;
#[cfg(target_os = "linux")]
mod jobs;
mod keys;
mod kv_to_sqlite;
mod large_values;
mod layers;
mod live_source;
mod man;
mod merge;
mod merge_derived;
mod merge_dry_run;
mod merge_ids;
mod merge_refused;
mod merge_symbols;
mod merge_tables;
mod next_steps;
mod odd_databases;
mod option_interactions;
mod output;
mod packaging;
mod progress;
mod races;
mod readme;
mod reasons;
mod refused_rows;
mod report_text;
mod round_trips;
mod sample;
mod source_states;
mod sqlite_to_kv;
mod table_damage;
mod table_findings;
mod table_properties;
mod tables;
mod tables_as_text;
mod target_safety;
mod values;
mod verify_files;
mod verify_options;
mod verify_properties;
mod verify_sample;

/// An undeclared test file would never run.
#[test]
fn every_file_in_tests_is_declared() {
    let this = include_str!("runner.rs");
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_module = path.extension().is_some_and(|e| e == "rs") || path.join("mod.rs").exists();
        if is_module && name != "runner" {
            let declaration = format!("mod {name};");
            assert!(this.contains(&declaration), "tests/runner.rs lacks `{declaration}`");
        }
    }
}
