//! The dependency order of the modules is kept: none imports a module to its right.

use std::fs;
use std::path::{Path, PathBuf};

const LINE: [&[&str]; 9] = [
    &["record"],
    &["codec"],
    &["fsio"],
    &["kv", "sqlite"],
    &["store"],
    &["compare"],
    &["migrate"],
    &["verify"],
    &["cli"],
];

fn rank(module: &str) -> Option<usize> {
    LINE.iter().position(|modules| modules.contains(&module))
}

/// The modules of this crate that a source file uses.
fn named_modules(source: &str) -> impl Iterator<Item = &str> {
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.split(|char: char| !char.is_ascii_lowercase() && char != '_')
                .next()
                .unwrap()
        })
}

/// The sources of a module, with those of its submodules.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn no_module_imports_one_to_its_right() {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut seen = 0;
    for (own_rank, modules) in LINE.iter().enumerate() {
        for module in *modules {
            for path in sources(&src.join(module)) {
                for named in named_modules(&fs::read_to_string(&path).unwrap()) {
                    let Some(other) = rank(named).filter(|_| named != *module) else {
                        continue;
                    };
                    seen += 1;
                    assert!(other < own_rank, "{} uses {named}", path.display());
                }
            }
        }
    }
    assert!(
        seen > 20,
        "only {seen} imports were found: does this test still see them?"
    );
}
