//! The content of a store as the next program to open it sees it, in whatever state it was left.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{ExportItem, ExportOptions, export};
use rusqlite::Connection;

use super::{Scenario, kv};

/// The files of a folder with their bytes.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A file and those next to it whose names begin with its own.
pub(crate) fn files_of(files: &Files, name: &str) -> Files {
    let files = files.iter().filter(|(file, _)| file.starts_with(name));
    files.map(|(file, bytes)| (file.clone(), bytes.clone())).collect()
}

/// The records of a store as its next ordinary open returns them; `None` without a store. The store
/// itself is not changed.
pub(crate) fn records(scenario: &Scenario, name: &str) -> Option<String> {
    if !scenario.path(name).exists() {
        return None;
    }
    let copy = Scenario::new();
    for (file, bytes) in files_of(&scenario.files(), name) {
        fs::write(copy.path(&file), bytes).unwrap();
    }
    let path = copy.path(name);
    if fs::read(&path).unwrap().starts_with(b"SQLite") {
        // Applies the log or hot journal, as the next tool to open it would.
        let db = Connection::open(&path).unwrap();
        let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    } else {
        let database = redb::Database::open(&path).unwrap();
        database.close().unwrap();
        let _ = kv::keys(&path);
    }
    let mut records = String::new();
    let progress = Progress::none();
    let exported = export(&path, &ExportOptions::default(), &progress, &mut |found| {
        match found {
            ExportItem::Record { entry, .. } => {
                for part in [entry.key, b" ", entry.value, b"\n"] {
                    records.push_str(str::from_utf8(part).unwrap());
                }
            }
            ExportItem::IdSequences(_) | ExportItem::End(_) | ExportItem::NotClosed => {}
            ExportItem::Finding(finding) => panic!("{finding:?}"),
        }
        Ok(ControlFlow::Continue(()))
    });
    exported.unwrap();
    Some(records)
}
