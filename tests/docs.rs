//! The documentation is true of the project.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::commands::advice;

/// The source of every test, and of the modules that have their own tests.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_named_in_the_guarantees_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut all);
    }
    let text = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let is_test_name = |word: &&str| {
        let mut letters = word.chars();
        word.matches('_').count() > 2
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names: Vec<&str> = text.split('`').filter(is_test_name).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let definition = format!("fn {name}(");
        assert!(all.contains(&definition), "there is no test {name}");
    }
}

/// Every document of the project.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    let folder = fs::read_dir(root.join("docs")).unwrap();
    let mut documents = names.map(|name| root.join(name)).to_vec();
    documents.extend(folder.map(|entry| entry.unwrap().path()));
    documents
}

#[test]
fn every_source_named_in_the_documents_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let paths = text
            .split('`')
            .filter(|word| word.ends_with(".rs") && word.contains('/') && !word.contains(' '));
        for path in paths {
            named += 1;
            let exists = root.join("src").join(path).exists() || root.join(path).exists();
            assert!(exists, "{} names {path}", document.display());
        }
    }
    assert!(named > 10, "only {named} sources were found");
}

/// The names of all tests ignored as deep. The attribute is above the function, or above its line
/// in the list of `tests/external/main.rs`.
fn deep_tests(sources: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut is_deep = false;
    for line in sources.lines().map(str::trim_start) {
        match line.strip_prefix("#[ignore = ") {
            Some(reason) => is_deep = reason.starts_with("\"deep: "),
            None if line.starts_with("#[") || line.starts_with("///") => {}
            None => {
                if is_deep {
                    let start = line.split(['(', ' ']).find(|word| word.contains('_'));
                    let name = start.and_then(|path| path.rsplit("::").next());
                    names.insert(name.unwrap_or_else(|| panic!("no test: {line}")));
                }
                is_deep = false;
            }
        }
    }
    names
}

#[test]
fn tests_marked_as_deep_are_those_ignored_as_deep() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut all);
    }
    let deep = deep_tests(&all);
    assert!(deep.len() > 20, "{deep:?}");
    let text = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let mut marked = 0;
    let parts: Vec<&str> = text.split('`').collect();
    for pair in parts.windows(2) {
        let [name, after] = pair else { unreachable!() };
        let is_marked = after.starts_with(" (deep)");
        assert_eq!(deep.contains(name), is_marked, "{name}");
        marked += usize::from(is_marked);
    }
    assert!(marked > 15, "only {marked} tests are marked");
}

/// Another tool would need a test in `tests/external/recipes.rs`, which counts the recipes of each.
#[test]
fn every_recipe_is_for_a_tool_that_a_test_runs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ndjson.md");
    let text = fs::read_to_string(path).unwrap();
    let tools = text.split("```sh ").skip(1);
    let tools: BTreeSet<&str> = tools.filter_map(|block| block.lines().next()).collect();
    assert_eq!(tools, BTreeSet::from(["duckdb", "jq", "sqlite3"]));
}

/// The links of a document to files of this project.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[test]
fn every_link_between_documents_has_a_target() {
    let mut followed = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}", document.display());
            followed += 1;
        }
    }
    assert!(followed > 10, "only {followed} links were found");
}

/// The table of classes in docs/findings.md says the same as `verify --help`, word for word.
#[test]
fn the_table_of_classes_gives_the_same_advice_as_the_help() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
    let text = fs::read_to_string(path).unwrap();
    for (class, advice) in advice() {
        let start = format!("| `{class}` |");
        let line = text.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("docs/findings.md has no {class}"));
        let advice = format!(" | {} |", advice);
        assert!(line.replace('`', "").ends_with(&advice), "{line}");
    }
}
