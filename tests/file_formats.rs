//! A file that is neither a store nor an export is identified before anything is created.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::common::{PROGRAM, Run, Scenario};

/// How files begin, and what they are.
const FORMATS: [(&[u8], &str); 16] = [
    (b"\x1f\x8b\x08\0", "compressed with gzip"),
    (b"\x28\xb5\x2f\xfd\x04", "compressed with zstd"),
    (b"\xfd7zXZ\0\0", "compressed with xz"),
    (b"BZh91AY&SY", "compressed with bzip2"),
    (b"\x04\x22\x4d\x18\x64", "compressed with lz4"),
    (b"PK\x03\x04\x14", "a ZIP archive"),
    (b"\xff\xfe{\0\"\0k\0", "text in UTF-16, not UTF-8"),
    (b"\xfe\xff\0{\0\"\0k", "text in UTF-16, not UTF-8"),
    (b"{\0\"\0k\0", "text in UTF-16, not UTF-8"),
    (b"\0{\0\"\0k", "text in UTF-16, not UTF-8"),
    (b"\xff\xfe\0\0{\0\0\0", "text in UTF-32, not UTF-8"),
    (b"\0\0\0{\0\0\0\"", "text in UTF-32, not UTF-8"),
    (b"SQLTGF\0\0\0\0\0\x02", "a Magellan native-v2 graph"),
    (b"SQLTGF\0\x03\0\0\0\x03", "a Magellan native-v3 graph"),
    (b"V2WAL\0\0\0\x01", "the write-ahead log of a Magellan native-v2 graph"),
    (b"GEODB\0\0\x01", "a Magellan geometry database (GEODB)"),
];

/// Every command that reads a file, or merges into one.
const COMMANDS: [&[&str]; 10] = [
    &["sqlite-to-kv", "odd", "new.kv"],
    &["kv-to-sqlite", "odd", "new.db"],
    &["verify", "odd"],
    &["verify", "odd", "code.db"],
    &["verify", "code.kv", "odd"],
    &["inspect", "odd"],
    &["export", "odd"],
    &["import", "odd", "new.kv", "--to", "kv"],
    &["import", "odd", "new.db", "--to", "sqlite", "--on-invalid", "skip"],
    &["sqlite-to-kv", "code.db", "odd", "--merge"],
];

#[test]
fn every_command_identifies_them_and_creates_nothing() {
    let scenario = Scenario::with_small_pair();
    for (start, name) in FORMATS {
        fs::write(scenario.path("odd"), [start, &b"rest\n".repeat(9)].concat()).unwrap();
        let before = scenario.files();
        for args in COMMANDS {
            let run = scenario.run(args).expect_status(2);
            assert!(run.stderr.contains(&format!("error: odd is {name}\n")), "{run}");
            assert!(run.stderr.contains("\nhint: "), "{run}");
        }
        let mut stdin = scenario.command(&["import", "-", "new.kv", "--to", "kv"]);
        stdin.stdin(fs::File::open(scenario.path("odd")).unwrap());
        let run = Run::of(stdin.stderr(Stdio::piped()).output().unwrap()).expect_status(2);
        assert!(run.stderr.contains(&format!("error: stdin is {name}\n")), "{run}");
        assert_eq!(scenario.files(), before);
    }
}

#[test]
fn the_command_in_the_hint_imports_their_content() {
    for (start, program) in [(&b"\x1f\x8b"[..], "gzip"), (b"\xff\xfe{\0", "iconv")] {
        let scenario = Scenario::with_small_export();
        fs::write(scenario.path("it's odd"), start).unwrap();
        let args = ["import", "it's odd", "new.kv", "--to", "kv", "--require-end"];
        let run = scenario.run(&args).expect_status(2);
        let (_, command) = run.stderr.split_once('`').unwrap();
        let (command, _) = command.rsplit_once('`').unwrap();
        assert!(command.starts_with(&format!("{program} -")), "{command}");
        // In place of the program, which may not be installed.
        let script =
            "#!/bin/sh\nfor last; do :; done\n[ \"$last\" = \"it's odd\" ] && cat code.ndjson\n";
        fs::write(scenario.path(program), script).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(scenario.path(program), mode).unwrap();
        let mut shell = Command::new("sh");
        let script =
            format!("chunkmigrate() {{ '{PROGRAM}' \"$@\"; }}; PATH=\"$PWD:$PATH\"; {command}");
        shell.current_dir(scenario.folder()).args(["-c", &script]);
        let _ = Run::of(shell.output().unwrap()).expect_status(0);
        let _ = scenario.run(&["verify", "code.db", "new.kv"]).expect_status(0);
    }
}
