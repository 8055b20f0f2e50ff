//! The end line of an export: an import reads all of it or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chunkmigrate::Progress;
use chunkmigrate::internal::Line;
use chunkmigrate::migrate::{CopyOptions, EndLine, ImportSource, import_to_kv};
use proptest::prelude::*;

use crate::common::{PROGRAM, Run, Scenario, records};

const END: &str = "{\"kind\":\"end\",\"key\":\"end\",\"value\":{";

/// Every way to import lines, and the target.
const WAYS: [(&[&str], &str); 6] = [
    (&["--to", "kv"], "new.kv"),
    (&["--to", "sqlite"], "new.db"),
    (&["--to", "kv", "--on-invalid", "skip"], "new.kv"),
    (&["--to", "sqlite", "--dry-run"], "new.db"),
    (&["--to", "kv", "--merge"], "code.kv"),
    (&["--to", "sqlite", "--merge", "--on-invalid", "skip"], "code.db"),
];

fn import(scenario: &Scenario, source: &str, target: &str, more: &[&str]) -> Run {
    scenario.run(&[&["import", source, target], more].concat())
}

fn shell(scenario: &Scenario, script: &str) -> Run {
    let mut shell = std::process::Command::new("sh");
    let script = format!("chunkmigrate() {{ '{PROGRAM}' \"$@\"; }}; {script}");
    shell.current_dir(scenario.folder()).args(["-c", &script]);
    Run::of(shell.output().unwrap())
}

#[test]
fn a_failed_export_cannot_be_imported() {
    let scenario = Scenario::with_small_export();
    let before = scenario.files();
    let script = "chunkmigrate export nope.db | chunkmigrate import - e.kv --to kv";
    let run = shell(&scenario, script).expect_status(2);
    assert!(run.stderr.contains("error: stdin has no lines"), "{run}");
    assert!(run.stderr.contains("check why it failed"), "{run}");
    for text in ["", "\n \n"] {
        fs::write(scenario.path("nothing"), text).unwrap();
        for (way, target) in WAYS {
            let _ = import(&scenario, "nothing", target, way).expect_status(2);
        }
    }
    fs::remove_file(scenario.path("nothing")).unwrap();
    assert_eq!(scenario.files(), before);
    // It can be imported on request.
    let run = import(&scenario, "/dev/null", "e.kv", &["--to", "kv", "--allow-empty"]);
    let run = run.expect_status(0);
    assert!(run.stdout.contains("The source has no records"), "{run}");
    assert!(run.stderr.contains("warning: no end line: completeness unknown"), "{run}");
}

#[test]
fn the_export_of_an_empty_store_can_be_imported() {
    let scenario = Scenario::new();
    scenario.database("code.db", |_| {});
    let exported = scenario.run(&["export", "code.db"]).expect_status(0);
    assert!(exported.stdout.starts_with(END), "{exported}");
    fs::write(scenario.path("code.ndjson"), &exported.stdout).unwrap();
    let run = import(&scenario, "code.ndjson", "new.kv", &["--to", "kv", "--require-end"]);
    let _ = run.expect_status(0);
}

#[test]
fn nothing_is_imported_from_an_export_with_a_missing_line() {
    let scenario = Scenario::with_small_export();
    let lines = scenario.lines("code.ndjson");
    let before = scenario.files();
    for missing in 0..lines.len() - 1 {
        let mut text = lines.clone();
        text.remove(missing);
        fs::write(scenario.path("part"), text.join("\n")).unwrap();
        for (way, target) in WAYS {
            let run = import(&scenario, "part", target, way).expect_status(2);
            let message = "error: part is incomplete: it has 8 of 9 lines";
            assert!(run.stderr.contains(message), "{run}");
        }
    }
    fs::remove_file(scenario.path("part")).unwrap();
    assert_eq!(scenario.files(), before);
}

#[test]
fn nothing_is_imported_from_an_export_with_a_changed_or_extra_line() {
    let scenario = Scenario::with_small_export();
    let text = scenario.lines("code.ndjson").join("\n");
    let first = scenario.lines("code.ndjson").remove(0);
    let (id, content) = ("\"id\":1,", "\"content\":\"fn main() {}\"");
    let more = first.replace(":0:12", ":0:13").replace("_end\":12", "_end\":13");
    let longer = format!("{}\n{text}", more.replace(id, "\"id\":70,"));
    let before = scenario.files();
    for (changed, message) in [
        (text.replace(id, "\"id\":7,"), "some differ from what was exported"),
        (
            text.replace(content, "\"content\":\"fn main(){ }\""),
            "some differ from what was exported",
        ),
        (
            text.replace("\"code_chunks\":9", "\"code_chunks\":8"),
            "some differ from what was exported",
        ),
        (longer, "has 10 lines, but its end line counts 9"),
    ] {
        assert_ne!(changed, text);
        fs::write(scenario.path("changed"), changed).unwrap();
        for (way, target) in WAYS {
            let run = import(&scenario, "changed", target, way).expect_status(2);
            assert!(run.stderr.contains(message), "{run}");
        }
    }
    fs::remove_file(scenario.path("changed")).unwrap();
    assert_eq!(scenario.files(), before);
}

#[test]
fn the_command_in_the_hint_imports_an_edited_export() {
    let scenario = Scenario::with_small_export();
    let text = scenario.lines("code.ndjson").join("\n");
    fs::write(scenario.path("my code.ndjson"), text.replace("\"loc\":10", "\"loc\":11")).unwrap();
    let args =
        ["--quiet", "import", "my code.ndjson", "new.kv", "--to", "kv", "--on-invalid", "skip"];
    let run = scenario.run(&args).expect_status(2);
    let hint = run.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap();
    let (_, command) = hint.split_once('`').unwrap();
    let (command, _) = command.rsplit_once('`').unwrap();
    assert_eq!(
        command,
        "jq -c 'select(.kind != \"end\")' 'my code.ndjson' | \
         chunkmigrate --quiet import - new.kv --to kv --on-invalid skip"
    );
    // The equivalent of the jq command, since jq may not be installed.
    let jq = scenario.path("jq");
    fs::write(&jq, "#!/bin/sh\nexec grep -v '^{\"kind\":\"end\"' \"$3\"\n").unwrap();
    fs::set_permissions(&jq, fs::Permissions::from_mode(0o755)).unwrap();
    let run = shell(&scenario, &format!("PATH=\"$PWD:$PATH\"; {command}")).expect_status(0);
    assert!(run.stderr.contains("no end line: completeness unknown"), "{run}");
    let run = scenario.run(&["verify", "code.db", "new.kv"]).expect_status(1);
    assert!(run.stdout.contains("metrics:file:src/lib.rs"), "{run}");
}

#[test]
fn an_end_line_can_be_required() {
    let scenario = Scenario::with_small_export();
    let lines = scenario.lines_without_end("code.ndjson");
    fs::write(scenario.path("old.ndjson"), lines.join("\n")).unwrap();
    for (way, target) in WAYS {
        let way = [way, &["--require-end"]].concat();
        let run = import(&scenario, "old.ndjson", target, &way).expect_status(2);
        let message = "error: old.ndjson has no end line: completeness unknown";
        assert!(run.stderr.contains(message), "{run}");
    }
    let json = ["--to", "kv", "--format", "json"];
    let run = import(&scenario, "old.ndjson", "old.kv", &json).expect_status(0);
    assert_eq!(run.json()["source"]["end_line"], "missing");
    assert!(run.stderr.contains("warning: no end line: completeness unknown"), "{run}");
    let json = [&json[..], &["--require-end"]].concat();
    let run = import(&scenario, "code.ndjson", "new.kv", &json).expect_status(0);
    assert_eq!(run.json()["source"]["end_line"], "matched");
    assert_eq!(run.stderr, "");
}

#[test]
fn invalid_lines_are_reported_before_the_end_line_is_checked() {
    let scenario = Scenario::with_small_export();
    let text = scenario.lines("code.ndjson").join("\n");
    fs::write(scenario.path("bad"), text.replace("\"loc\":10", "\"loc\":[]")).unwrap();
    let json = ["--to", "kv", "--format", "json"];
    let run = import(&scenario, "bad", "new.kv", &json).expect_status(1);
    assert_eq!(run.json()["source"]["end_line"], "mismatched");
    assert_eq!(run.json()["findings_total"], 1);
    // A record is missing, so the rest is not all of the export.
    let _ = import(&scenario, "bad", "new.kv", &["--to", "kv", "--on-invalid", "skip"])
        .expect_status(2);
    assert!(!scenario.path("new.kv").exists());
}

#[test]
fn an_import_of_some_kinds_needs_all_lines_of_the_export() {
    let scenario = Scenario::with_small_export();
    let only = ["--to", "kv", "--only", "chunk"];
    let _ = import(&scenario, "code.ndjson", "new.kv", &only).expect_status(0);
    fs::remove_file(scenario.path("new.kv")).unwrap();
    let mut lines = scenario.lines("code.ndjson");
    lines.retain(|line| !line.contains("\"metrics:symbol:2\""));
    fs::write(scenario.path("part"), lines.join("\n")).unwrap();
    let run = import(&scenario, "part", "new.kv", &only).expect_status(2);
    assert!(run.stderr.contains("8 of 9 lines"), "{run}");
}

#[test]
fn a_filtered_export_has_the_end_line_of_its_own_records() {
    let scenario = Scenario::with_small_export();
    for part in [
        &["--only", "chunk,file-metrics"][..],
        &["--prefix", "metrics:"],
        &["--prefix", "chunk:nothing"],
    ] {
        let exported = scenario.run(&[&["export", "code.kv"], part].concat()).expect_status(0);
        fs::write(scenario.path("part"), &exported.stdout).unwrap();
        let way = ["--to", "kv", "--require-end", "--replace"];
        let _ = import(&scenario, "part", "part.kv", &way).expect_status(0);
    }
}

#[test]
fn a_failed_or_interrupted_export_has_no_end_line() {
    let scenario = Scenario::with_small_pair();
    let bytes = fs::read(scenario.path("code.kv")).unwrap();
    let mut corrupted = bytes.clone();
    let at = bytes.windows(5).position(|window| window == b"fn ma").unwrap();
    corrupted[at] ^= 1;
    fs::write(scenario.path("corrupt.kv"), corrupted).unwrap();
    let run = scenario.run(&["export", "corrupt.kv"]).expect_status(2);
    assert!(!run.stdout.contains(END), "{run}");
    let run = shell(&scenario, "chunkmigrate export code.kv | head -n 3");
    assert_eq!(run.stdout.lines().count(), 3);
    assert!(!run.stdout.contains(END), "{run}");
    // Invalid items are omitted on purpose, and the rest is complete.
    scenario.change("code.db", "UPDATE file_metrics SET loc = 1.5");
    let run = scenario.run(&["export", "code.db"]).expect_status(1);
    assert!(run.stdout.contains(END), "{run}");
    assert!(run.stdout.contains("\"file-metrics\":0"), "{run}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn concatenated_exports_are_imported_completely_in_any_order(
        made in prop::collection::vec(records::record(), 2..30),
        parts in 1..4_usize,
        shuffle in any::<u64>(),
        lost in any::<prop::sample::Index>(),
    ) {
        let scenario = Scenario::new();
        let all = records::distinct(made);
        let mut lines = Vec::new();
        let mut ends = 0;
        for part in all.chunks(all.len().div_ceil(parts)) {
            let source = scenario.path("part.db");
            records::write_database(&source, part, records::id_sequences_above(part, 0));
            let exported = scenario.run(&["export", "part.db"]).expect_status(0);
            lines.extend(exported.stdout.lines().map(str::to_owned));
            ends += 1;
            fs::remove_file(source).unwrap();
        }
        fastrand::Rng::with_seed(shuffle).shuffle(&mut lines);
        let import = |lines: &[String], name: &str| {
            let text = lines.join("\n").into_bytes();
            let progress = Progress::none();
            let source = ImportSource::Reader {
                name: std::path::Path::new("text"),
                reader: Box::new(std::io::Cursor::new(text)),
            };
            import_to_kv(source, &scenario.path(name), &CopyOptions::default(), &progress)
        };
        let summary = import(&lines, "whole.kv").unwrap();
        prop_assert_eq!(summary.end_line, Some(EndLine::Matched));
        prop_assert_eq!(summary.records(), all.len() as u64);
        // Only the last end line may be missing without an error.
        let lost = lines.remove(lost.index(lines.len()));
        let is_end = matches!(Line::parse(lost.as_bytes()), Ok(Line::End(_)));
        let imported = import(&lines, "part.kv");
        if is_end && ends == 1 {
            prop_assert_eq!(imported.unwrap().end_line, Some(EndLine::Missing));
        } else if !is_end || !lost.contains(NO_LINES) {
            prop_assert!(imported.is_err());
            prop_assert!(!scenario.path("part.kv").exists());
        }
    }
}

/// How the end line of an export without lines goes on; among other end lines it may be missing.
const NO_LINES: &str =
    "\"chunk\":0,\"execution-log\":0,\"file-metrics\":0,\"symbol-metrics\":0,\"sequences\":0";
