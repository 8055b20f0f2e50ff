//! The public API changes only on purpose.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::with_snapshots;

#[test]
#[ignore = "deep: builds the documentation"]
fn the_public_items_are_those_that_were_agreed_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target");
    let doc = Command::new(env!("CARGO"))
        .args(["doc", "--lib", "--no-deps", "--locked", "--target-dir"])
        .arg(&target)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(doc.status.success(), "{}", String::from_utf8_lossy(&doc.stderr));
    let page = fs::read_to_string(target.join("doc/chunkmigrate/all.html")).unwrap();
    let items = page.split("href=\"").skip(1);
    let mut items: Vec<&str> = items
        .filter_map(|rest| rest.split_once(".html\"").map(|(item, _)| item))
        .filter(|item| item.contains('.') && !item.contains(".."))
        .collect();
    items.sort_unstable();
    assert!(!items.is_empty());
    with_snapshots(|| insta::assert_snapshot!("public_items", items.join("\n")));
}
