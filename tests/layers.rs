//! Modules depend only on modules to their left, so there are no cycles.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules in one place don't know each other.
const LINE: [&[&str]; 14] = [
    &["file_format", "setters"],
    &["error"],
    &["record"],
    &["codec"],
    &["table"],
    &["progress"],
    &["fsio"],
    &["stream"],
    &["kv", "sqlite"],
    &["open"],
    &["store", "compare"],
    &["migrate"],
    &["verify"],
    &["memory", "cli"],
];

/// The roots of the library and the program, which declare the modules.
const ROOTS: [&str; 2] = ["lib", "main"];

fn rank(module: &str) -> Option<usize> {
    LINE.iter().position(|modules| modules.contains(&module))
}

/// The modules that a source names with `crate::` or, in the program, with `chunkmigrate::`.
fn named_modules(source: &str) -> impl Iterator<Item = &str> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| ["crate::", "chunkmigrate::"].map(|root| (line, root)))
        .flat_map(|(line, root)| line.split(root).skip(1))
        .map(|rest| {
            rest.split(|char: char| !char.is_ascii_lowercase() && char != '_').next().unwrap()
        })
}

/// Every source below a directory.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn modules_depend_only_on_modules_to_their_left() {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let (mut seen, mut modules) = (0, BTreeSet::new());
    for path in sources(src) {
        let inside = path.strip_prefix(src).unwrap();
        let first = inside.components().next().unwrap().as_os_str();
        let module = Path::new(first).file_stem().unwrap().to_str().unwrap();
        if ROOTS.contains(&module) {
            continue;
        }
        let own = rank(module);
        let own = own.unwrap_or_else(|| panic!("{module} has no place in the line"));
        modules.insert(module.to_owned());
        for named in named_modules(&fs::read_to_string(&path).unwrap()) {
            let Some(other) = rank(named).filter(|_| named != module) else {
                continue;
            };
            seen += 1;
            assert!(other < own, "{} names {named}", path.display());
        }
    }
    let in_line: BTreeSet<String> = LINE.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(modules, in_line);
    assert!(seen > 300, "only {seen} imports were found");
}

#[test]
fn no_directory_has_more_than_16_sources() {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let folders: Vec<PathBuf> =
        sources(src).iter().map(|path| path.parent().unwrap().to_owned()).collect();
    for folder in BTreeSet::from_iter(&folders) {
        let files = folders.iter().filter(|other| *other == folder).count();
        assert!(files <= 16, "{} has {files} sources", folder.display());
    }
}
