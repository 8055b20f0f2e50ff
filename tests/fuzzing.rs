//! The fuzz targets on a stable toolchain: over their seeds, and over inputs generated from these.
//! The fuzzer itself runs with `just fuzz TARGET`.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[allow(unreachable_pub, reason = "it is the library of another package too")]
#[path = "../fuzz/src/lib.rs"]
pub(crate) mod bodies;

type Body = fn(&[u8]);

const TARGETS: [(&str, Body); 9] = [
    ("carried_tables", bodies::carried_tables),
    ("compare", bodies::compare),
    ("import", bodies::import),
    ("key_parser", bodies::key_parser),
    ("kv_file", bodies::kv_file),
    ("record_decoder", bodies::record_decoder),
    ("round_trip", bodies::round_trip),
    ("table_key", bodies::table_key),
    ("table_value", bodies::table_value),
];

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Runs a target over its seeds and this many other inputs.
fn run(target: &str, generated: usize) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let mut seeds = Vec::new();
    for path in entries(&fuzz_folder().join("seeds").join(target)) {
        let seed = fs::read(&path).unwrap();
        let outcome = catch_unwind(|| body(&seed));
        assert!(outcome.is_ok(), "{target} fails on {}", path.display());
        seeds.push(seed);
    }
    assert!(!seeds.is_empty(), "{target} has no seeds");
    let mut numbers = fastrand::Rng::with_seed(7);
    for _ in 0..generated {
        let input = input(&mut numbers, &seeds);
        let outcome = catch_unwind(|| body(&input));
        assert!(outcome.is_ok(), "{target} fails on b\"{}\"", input.escape_ascii());
    }
}

/// Random bytes, or a mutated seed.
fn input(numbers: &mut fastrand::Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    if numbers.u8(..) < 64 {
        let len = numbers.usize(..400);
        return (0..len).map(|_| numbers.u8(..)).collect();
    }
    let mut input = numbers.choice(seeds).unwrap().clone();
    for _ in 0..numbers.usize(1..6) {
        let at = numbers.usize(..=input.len());
        let end = input.len().min(at + numbers.usize(..8));
        match numbers.u8(..5) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, numbers.u8(..)),
            2 => drop(input.splice(at..at, input[at..end].to_vec())),
            3 => {
                let other = numbers.choice(seeds).unwrap();
                let from = numbers.usize(..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input[at..end].iter_mut().for_each(|byte| *byte = numbers.u8(..)),
        }
    }
    input
}

#[test]
fn parsed_keys_are_written_to_the_same_bytes() {
    run("key_parser", 1000);
}

#[test]
fn decoded_values_are_encoded_to_the_same_bytes() {
    run("record_decoder", 500);
}

#[test]
fn a_corrupt_or_hostile_kv_file_never_passes_as_another() {
    run("kv_file", 25);
}

#[test]
fn two_stores_compare_like_two_maps() {
    run("compare", 200);
}

#[test]
fn every_line_is_imported_or_reported() {
    run("import", 20);
}

#[test]
fn rows_survive_the_round_trip_or_are_reported() {
    run("round_trip", 10);
}

#[test]
fn a_key_of_a_row_is_accepted_only_if_it_would_be_written_so() {
    run("table_key", 1000);
}

#[test]
fn a_row_is_canonical_only_if_it_would_be_written_so() {
    run("table_value", 500);
}

#[test]
fn a_hostile_description_of_tables_creates_what_it_claims_or_nothing() {
    run("carried_tables", 25);
}

/// The same with more inputs.
#[test]
#[ignore = "deep: 17,350 inputs"]
fn every_fuzz_target_passes_with_many_inputs() {
    for (target, generated) in [
        ("key_parser", 8_000),
        ("record_decoder", 5_000),
        ("kv_file", 150),
        ("compare", 1_500),
        ("import", 120),
        ("round_trip", 60),
        ("table_key", 2_000),
        ("table_value", 500),
        ("carried_tables", 20),
    ] {
        run(target, generated);
    }
}

/// A target missing in one place would not be built, or not be run.
#[test]
fn every_fuzz_target_is_declared_built_tested_and_seeded() {
    let names = |names: &mut dyn Iterator<Item = String>| names.collect::<BTreeSet<_>>();
    let tested = names(&mut TARGETS.iter().map(|(name, _)| (*name).to_owned()));
    let folder = fuzz_folder();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let binaries = manifest.split("[[bin]]").skip(1).map(|binary| {
        let name = binary.split('"').nth(1).unwrap();
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(binary.contains(&path), "{name} has no {path}");
        name.to_owned()
    });
    assert_eq!(names(&mut { binaries }), tested, "fuzz/Cargo.toml");
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    for part in ["fuzz_targets", "seeds"] {
        let found = entries(&folder.join(part)).into_iter().map(stem);
        assert_eq!(names(&mut { found }), tested, "fuzz/{part}");
    }
    for name in tested {
        let path = folder.join(format!("fuzz_targets/{name}.rs"));
        let calls = format!("chunkmigrate_fuzz::{name}(data)");
        let source = fs::read_to_string(&path).unwrap();
        assert!(source.contains(&calls), "{name} lacks {calls}");
    }
}
