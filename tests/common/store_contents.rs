//! The content of a store as the next program to open it sees it, in whatever state it was left.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{ExportItem, ExportOptions, export};
use rusqlite::Connection;
use rusqlite::types::Value;
use test_support::kv_file::Content;

use super::Scenario;

/// The files of a folder with their bytes.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A file and those next to it whose names begin with its own.
pub(crate) fn files_of(files: &Files, name: &str) -> Files {
    let files = files.iter().filter(|(file, _)| file.starts_with(name));
    files.map(|(file, bytes)| (file.clone(), bytes.clone())).collect()
}

/// A copy of a store after an ordinary open; `None` without a store.
fn opened_copy(scenario: &Scenario, name: &str) -> Option<Scenario> {
    if !scenario.path(name).exists() {
        return None;
    }
    let copy = Scenario::new();
    for (file, bytes) in files_of(&scenario.files(), name) {
        fs::write(copy.path(&file), bytes).unwrap();
    }
    let path = copy.path(name);
    if is_database(&path) {
        // Applies the log or hot journal, as the next tool to open it would.
        let db = Connection::open(&path).unwrap();
        let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    } else {
        let database = redb::Database::open(&path).unwrap();
        database.close().unwrap();
        let _ = Content::read(&path);
    }
    Some(copy)
}

fn is_database(path: &Path) -> bool {
    fs::read(path).unwrap().starts_with(b"SQLite")
}

/// Everything that a store has, carried tables too, as [`records`] returns the records: of a
/// database the schema, the settings and the rows with their rowids, of a KV file the entries and
/// the documents without the manifest, which has the time.
pub(crate) fn everything(scenario: &Scenario, name: &str) -> Option<String> {
    let copy = opened_copy(scenario, name)?;
    let path = copy.path(name);
    if !is_database(&path) {
        let Content { records, documents, .. } = Content::read(&path).without_manifest();
        let entries = records.iter().map(|(key, value)| (key.escape_ascii(), value));
        let documents =
            documents.iter().map(|(name, document)| (name.as_bytes().escape_ascii(), document));
        let lines = entries.chain(documents);
        return Some(
            lines.map(|(key, value)| format!("{key} {}\n", value.escape_ascii())).collect(),
        );
    }
    let db = Connection::open(&path).unwrap();
    let mut lines = Vec::new();
    for setting in
        ["user_version", "application_id", "page_size", "auto_vacuum", "encoding", "journal_mode"]
    {
        let value: Value = db.pragma_query_value(None, setting, |row| row.get(0)).unwrap();
        lines.push(format!("{setting} {value:?}"));
    }
    lines.extend(rows(&db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"));
    let tables = "SELECT name, wr FROM pragma_table_list
                  WHERE schema = 'main' AND type IN ('table', 'shadow') AND name <> 'sqlite_schema'
                  ORDER BY name";
    let mut tables = db.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for (table, without_rowid) in tables.map(Result::<(String, bool), _>::unwrap) {
        let sql = match without_rowid {
            _ if table == "sqlite_sequence" => format!("SELECT * FROM {table} ORDER BY name"),
            true => format!("SELECT * FROM {table}"),
            false => format!("SELECT rowid, * FROM {table} ORDER BY rowid"),
        };
        lines.extend(rows(&db, &sql).into_iter().map(|row| format!("{table} {row}")));
    }
    Some(lines.join("\n"))
}

fn rows(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row =
        |row: &rusqlite::Row<'_>| (0..columns).map(|index| row.get::<_, Value>(index)).collect();
    let rows = statement.query_map([], row).unwrap();
    rows.map(|row: rusqlite::Result<Vec<_>>| format!("{:?}", row.unwrap())).collect()
}

/// The records of a store as its next ordinary open returns them; `None` without a store. The store
/// itself is not changed.
pub(crate) fn records(scenario: &Scenario, name: &str) -> Option<String> {
    let copy = opened_copy(scenario, name)?;
    let path = copy.path(name);
    let mut records = String::new();
    let progress = Progress::none();
    let exported = export(&path, &ExportOptions::default(), &progress, &mut |found| {
        match found {
            ExportItem::Record { entry, .. } => {
                for part in [entry.key, b" ", entry.value, b"\n"] {
                    records.push_str(str::from_utf8(part).unwrap());
                }
            }
            ExportItem::Tables(_) | ExportItem::Row { .. } | ExportItem::NotCarried(_) => {}
            ExportItem::IdSequences(_) | ExportItem::End(_) | ExportItem::NotClosed => {}
            ExportItem::Finding(finding) => panic!("{finding:?}"),
        }
        Ok(ControlFlow::Continue(()))
    });
    exported.unwrap();
    Some(records)
}
