use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chunkmigrate::Progress;
use chunkmigrate::internal::KvReader;
use chunkmigrate::migrate::{CopyOptions, CopyOutcome, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::record::RecordKind;
use chunkmigrate::rusqlite::{Connection, OpenFlags};
use chunkmigrate::table::{CarriedTables, TableSelection};
use chunkmigrate::verify::{InspectOptions, VerifyOptions, inspect, verify_pair};
use serde_json::{Value, json};
use test_support::folder;
use test_support::input::Input;
use test_support::kv_file::Content;

/// A run that takes longer counts as hanging.
const HANG: Duration = Duration::from_secs(60);

/// A KV file that carries tables, with a hostile description of them: the input itself if it begins
/// with `{`, otherwise a valid one with some changes.
pub fn carried_tables(data: &[u8]) {
    let begin = Instant::now();
    let mut input = Input::new(data);
    let mut content = valid().clone();
    let mut skip_invalid = true;
    if data.starts_with(b"{") {
        content.set_document("tables", data);
    } else {
        skip_invalid = input.one_in(2);
        change(&mut content, &mut input);
    }
    if !input.one_in(4) {
        content = content.without_manifest();
    }
    check(&content, skip_invalid);
    assert!(begin.elapsed() < HANG, "{:?}", begin.elapsed());
}

fn check(content: &Content, skip_invalid: bool) {
    let folder = folder::private();
    let [path, target] = ["some.kv", "new.db"].map(|name| folder.path().join(name));
    content.write(&path);
    let bytes = fs::read(&path).unwrap();
    let progress = Progress::none();
    let document = &content.documents["tables"];
    let opened = KvReader::open_verified(&path).map(drop);
    let is_document = serde_json::from_slice::<CarriedTables>(document).is_ok();
    assert!(is_document || opened.is_err());
    let inspected = inspect(&path, &InspectOptions::default(), &progress).map(drop);
    assert!(inspected.is_err() || opened.is_ok());
    let compared = verify_pair(&path, &path, &VerifyOptions::default(), &progress).map(drop);
    assert!(compared.is_err() || opened.is_ok());

    let options = CopyOptions::default().skip_invalid(skip_invalid);
    let copied = kv_to_sqlite(&path, &target, &options, &progress);
    let is_created =
        copied.as_ref().is_ok_and(|copy| matches!(copy.outcome, CopyOutcome::Created { .. }));
    assert_eq!(target.exists(), is_created, "{:?}", copied.err());
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let mut names =
        BTreeSet::from(["some.kv", "new.db", "new.db.rejects.jsonl"].map(str::to_owned));
    let files = fs::read_dir(folder.path()).unwrap();
    let others = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let others: Vec<_> = others.filter(|name| !names.remove(name)).collect();
    assert_eq!(others, Vec::<String>::new());
    assert!(!Path::new(ELSEWHERE).exists());
    if is_created {
        check_database(&target, &serde_json::from_slice(document).unwrap());
        if copied.unwrap().is_complete() {
            let report = verify_pair(&path, &target, &VerifyOptions::default(), &progress).unwrap();
            assert!(report.is_identical(), "{:?}", report.findings);
        }
    }
}

/// Fails if a database has anything that its description doesn't claim.
fn check_database(path: &Path, claimed: &CarriedTables) {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let whole = claimed.whole.clone().unwrap_or_default();
    let mut claims = BTreeSet::new();
    for table in &claimed.tables {
        claims.insert((
            "table".to_owned(),
            table.name.clone(),
            table.name.clone(),
            table.sql.clone(),
        ));
    }
    for object in whole.objects {
        let object_type = serde_json::to_value(object.object_type).unwrap();
        let object_type = object_type.as_str().unwrap().replace("virtual-", "");
        claims.insert((object_type, object.name, object.table, object.sql));
    }
    let is_claimed =
        |name: &str| claimed.tables.iter().any(|table| table.name.eq_ignore_ascii_case(name));
    let mut schema = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema").unwrap();
    let mut rows = schema.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let [object_type, name, table]: [String; 3] =
            [0, 1, 2].map(|index| row.get(index).unwrap());
        let Some(sql) = row.get::<_, Option<String>>(3).unwrap() else {
            assert_eq!(object_type, "index");
            assert!(name.starts_with("sqlite_autoindex_"), "{name}");
            continue;
        };
        // The tool's own tables, for records of kinds whose tables are not described.
        let is_own =
            RecordKind::ALL.iter().any(|kind| kind.table() == table) && !is_claimed(&table);
        if is_own || name == "sqlite_sequence" {
            continue;
        }
        let object = (object_type, name, table, sql);
        assert!(claims.contains(&object), "{object:?}");
    }
    if claimed.whole.is_some() {
        let setting = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(setting("user_version"), i64::from(whole.settings.user_version));
        assert_eq!(setting("application_id"), i64::from(whole.settings.application_id));
        assert_eq!(setting("page_size"), i64::from(whole.settings.page_size));
        assert_eq!(setting("auto_vacuum"), i64::from(whole.settings.auto_vacuum));
    }
}

/// A KV file that carries a whole database.
fn valid() -> &'static Content {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let folder = folder::private();
        let [database, kv] = ["code.db", "code.kv"].map(|name| folder.path().join(name));
        let db = Connection::open(&database).unwrap();
        db.execute_batch(
            "PRAGMA synchronous = OFF;
             CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT,
                 file_path TEXT NOT NULL, byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL,
                 content TEXT NOT NULL, content_hash TEXT NOT NULL, symbol_name TEXT,
                 symbol_kind TEXT, created_at INTEGER NOT NULL);
             INSERT INTO code_chunks VALUES (3, 'a', 0, 0, '', 'h', NULL, NULL, -1);
             CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, body);
             CREATE VIRTUAL TABLE notes_text USING fts5(title, content='notes', content_rowid='id');
             INSERT INTO notes VALUES (1, 'one', NULL), (2, 'two', 2.5), (3, '', x'00ff');
             CREATE TABLE tags (name TEXT PRIMARY KEY, note INTEGER, twice AS (note * 2)) WITHOUT ROWID;
             INSERT INTO tags SELECT title, id FROM notes;
             CREATE TABLE anything (value);
             INSERT INTO anything VALUES (NULL), (1), ('text');
             CREATE INDEX tags_of_notes ON tags (note);
             CREATE VIEW titles AS SELECT title FROM notes;
             CREATE TRIGGER notes_added AFTER INSERT ON notes BEGIN DELETE FROM tags; END;
             PRAGMA user_version = 7;",
        )
        .unwrap();
        db.close().unwrap();
        let options = CopyOptions::default().tables(TableSelection::All);
        let copy = sqlite_to_kv(&database, &kv, &options, &Progress::none()).unwrap();
        assert!(copy.is_complete());
        Content::read(&kv)
    })
}

/// A database that no statement may create.
const ELSEWHERE: &str = "elsewhere.db";

/// Statements that do something else than they should, or take long.
const STATEMENTS: [&str; 26] = [
    "",
    ";",
    "-- nothing",
    "ATTACH 'elsewhere.db' AS other",
    "VACUUM INTO 'elsewhere.db'",
    "PRAGMA writable_schema = 1",
    "DROP TABLE notes",
    "DELETE FROM notes",
    "SELECT 1",
    "EXPLAIN CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, body)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, body); DROP TABLE tags",
    "CREATE TABLE notes AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n",
    "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, title TEXT, body)",
    "CREATE TEMP TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body)",
    "CREATE TABLE temp.notes (id INTEGER PRIMARY KEY, title TEXT, body)",
    "CREATE TABLE sqlite_stat1 (tbl, idx, stat)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT CHECK (hex(zeroblob(900000000)) > 1), body)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT DEFAULT (load_extension('x')), body)",
    "CREATE TABLE tags (name TEXT PRIMARY KEY, note INTEGER, twice AS (printf('%*d', 999999999, note))) WITHOUT ROWID",
    "CREATE INDEX tags_of_notes ON tags (printf('%*d', 999999999, note))",
    "CREATE INDEX tags_of_notes ON tags (note) WHERE randomblob(100000000) > note",
    "CREATE INDEX tags_of_notes ON tags ((SELECT max(id) FROM notes))",
    "CREATE VIEW titles AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n",
    "CREATE TRIGGER notes_added AFTER INSERT ON notes BEGIN SELECT load_extension('x'); END",
    "CREATE VIRTUAL TABLE notes_text USING fts5(title)",
    "CREATE VIRTUAL TABLE notes_text USING unknown('elsewhere.db')",
];

fn change(content: &mut Content, input: &mut Input<'_>) {
    let document = content.documents.get_mut("tables").unwrap();
    if input.one_in(4) {
        for _ in 0..=input.below(3) {
            input.mutate(document);
        }
        return;
    }
    let mut tables: Value = serde_json::from_slice(document).unwrap();
    for _ in 0..=input.below(2) {
        change_one(&mut tables, input);
    }
    *document = serde_json::to_vec(&tables).unwrap();
}

/// Changes one table, object or setting.
fn change_one(tables: &mut Value, input: &mut Input<'_>) {
    let place =
        input.pick(&["/tables", "/tables", "/whole/objects", "/sequences", "/whole/settings"]);
    let Some(part) = tables.pointer_mut(place) else {
        return;
    };
    let Some(list) = part.as_array_mut().filter(|list| !list.is_empty()) else {
        return change_member(part, input);
    };
    let (one, other) =
        (input.any::<u8>() as usize % list.len(), input.any::<u8>() as usize % list.len());
    match input.below(8) {
        0 => drop(list.remove(one)),
        1 => list.push(list[one].clone()),
        2 => list.swap(one, other),
        // The statement of another object, of the same type or not.
        3 => {
            let sql = list[other]["sql"].clone();
            if let Some(object) = list[one].as_object_mut() {
                object.insert("sql".to_owned(), sql);
            }
        }
        _ => change_member(&mut list[one], input),
    }
}

/// Changes one member of an object, or one element of an array.
fn change_member(value: &mut Value, input: &mut Input<'_>) {
    let place = input.any::<u8>() as usize;
    let member = match value {
        Value::Object(object) if !object.is_empty() => {
            let place = place % object.len();
            object.values_mut().nth(place).unwrap()
        }
        Value::Array(list) if !list.is_empty() => {
            let place = place % list.len();
            &mut list[place]
        }
        _ => return *value = other_value(input),
    };
    if input.one_in(8) {
        *member = other_value(input);
        return;
    }
    match member {
        Value::Null => *member = other_value(input),
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(_) => *member = number(input),
        Value::Array(_) | Value::Object(_) => change_member(member, input),
        Value::String(text) => match input.below(4) {
            0 => *text = input.pick(&NAMES).to_owned(),
            1 => text.push_str(input.pick(&[
                ";",
                "; DROP TABLE tags",
                " -- x",
                "\0",
                " STRICT",
                ")",
            ])),
            2 => {
                let mut bytes = text.as_bytes().to_vec();
                input.mutate(&mut bytes);
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
            _ => *text = input.pick(&STATEMENTS).to_owned(),
        },
    }
}

/// Names that exist already, or that only SQLite or the tool may use.
const NAMES: [&str; 6] =
    ["sqlite_sequence", "sqlite_schema", "NOTES", "notes_text_data", "code_chunks", "rowid"];

fn number(input: &mut Input<'_>) -> Value {
    match input.one_in(2) {
        true => json!(input.pick(&[0, 1, 2, 512, 4096, 65_536])),
        false => json!(input.integer()),
    }
}

fn other_value(input: &mut Input<'_>) -> Value {
    match input.below(6) {
        0 => Value::Null,
        1 => json!(input.one_in(2)),
        2 => json!(input.text()),
        3 => json!([0]),
        4 => json!(["id", "title", "body"]),
        _ => number(input),
    }
}
