//! The stores in SQLite databases that other programs created, and next to what other programs do
//! with them.

use chunkmigrate::Error;
use chunkmigrate::record::{CodeChunk, FileMetrics, RecordKind, SymbolMetrics};
use chunkmigrate::rusqlite::Connection;
use chunkmigrate::store::SharedConnection;
use chunkmigrate::store::{ChunkStore, ExecutionLog, HotspotQuery, MetricsOps};
use test_support::folder;
use test_support::records::{file_metrics, symbol_metrics};

fn database(sql: &str) -> SharedConnection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection.into()
}

/// The only text that a query returns.
fn text(connection: &SharedConnection, sql: &str) -> String {
    let connection = connection.lock();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Magellan's table without its constraints, so that it accepts anything.
const LOOSE_CHUNKS: &str = "CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path, byte_start, byte_end, content, content_hash, symbol_name, symbol_kind, created_at)";

fn chunk(file_path: &str) -> CodeChunk {
    CodeChunk::new(file_path, 0, 5, "let x").with_symbol("x", "Variable")
}

fn sqlite_error(result: Result<impl std::fmt::Debug, Error>) -> Error {
    result.unwrap_err()
}

/// The text of an error that is about a row.
fn undecodable(result: Result<impl std::fmt::Debug, Error>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::InvalidRecord { .. }));
    error.to_string()
}

fn symbol() -> SymbolMetrics {
    SymbolMetrics { loc: Some(1), ..symbol_metrics(7, "a") }
}

#[test]
fn missing_tables_are_empty_and_created_by_the_first_write() {
    let connection = database("");
    let tables = || -> Vec<String> {
        let connection = connection.lock();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    let chunks = ChunkStore::with_connection(connection.clone());
    let metrics = MetricsOps::with_connection(connection.clone());
    assert_eq!(chunks.count_chunks().unwrap(), 0);
    assert_eq!(chunks.get_chunk_by_span("a", 0, 5).unwrap(), None);
    assert_eq!(metrics.get_hotspots(&HotspotQuery::default()).unwrap(), []);
    assert!(tables().is_empty());
    chunks.store_chunk(&chunk("a")).unwrap();
    assert_eq!(tables(), [RecordKind::Chunk.table()]);
    metrics.upsert_symbol_metrics(&symbol()).unwrap();
    assert_eq!(tables().len(), 2);
}

#[test]
fn an_invalid_row_is_an_error_that_identifies_it() {
    let connection = database(LOOSE_CHUNKS);
    connection
        .lock()
        .execute_batch(
            "INSERT INTO code_chunks VALUES (4, 'a', 0, 5, x'00', 'h', 'x', 'Variable', 0)",
        )
        .unwrap();
    let store = ChunkStore::with_connection(connection);
    for error in [
        undecodable(store.get_chunk_by_span("a", 0, 5)),
        undecodable(store.get_chunks_for_file("a")),
        undecodable(store.get_chunks_for_symbol("a", "x")),
        undecodable(store.get_chunks_by_kind("Variable")),
    ] {
        let message = "invalid record \"row 4 of code_chunks\": content is a BLOB, must be TEXT \
            (file_path \"a\", byte_start 0, byte_end 5, in :memory:)";
        assert_eq!(error, message);
    }
    // It can be replaced.
    assert_eq!(store.store_chunk(&chunk("a")).unwrap(), 5);
    assert_eq!(store.get_chunks_for_file("a").unwrap().len(), 1);
}

#[test]
fn two_rows_with_the_same_key_are_an_error() {
    let connection = database(LOOSE_CHUNKS);
    let row = "('a', 0, 5, 'x', 'h', NULL, NULL, 0)";
    let columns = "file_path, byte_start, byte_end, content, content_hash, symbol_name, \
                   symbol_kind, created_at";
    let insert = format!("INSERT INTO code_chunks ({columns}) VALUES {row}, {row}");
    connection.lock().execute_batch(&insert).unwrap();
    let store = ChunkStore::with_connection(connection);
    let error = undecodable(store.get_chunk_by_span("a", 0, 5));
    let text = "invalid record \"row 2 of code_chunks\": row 1 has the same key (file_path \"a\", \
        byte_start 0, byte_end 5, in :memory:)";
    assert_eq!(error, text);
}

#[test]
fn keys_are_compared_byte_by_byte_in_any_collation_and_encoding() {
    let nocase = LOOSE_CHUNKS.replace("file_path,", "file_path TEXT COLLATE NOCASE,");
    let utf16 = format!("PRAGMA encoding = 'UTF-16be'; {LOOSE_CHUNKS}");
    for sql in [nocase, utf16] {
        let store = ChunkStore::with_connection(database(&sql));
        for path in ["a", "A", "a ", "\u{10ffff}", "\u{ffff}", "a\0b"] {
            store.store_chunk(&chunk(path)).unwrap();
        }
        assert_eq!(store.count_chunks().unwrap(), 6);
        assert_eq!(store.count_chunks_for_file("a").unwrap(), 1);
        assert_eq!(store.get_chunk_by_span("A", 0, 5).unwrap().unwrap().id, 2);
        assert_eq!(store.get_chunk_by_span("a\0", 0, 5).unwrap(), None);
        let found = store.get_chunks_by_kind("Variable").unwrap();
        let paths: Vec<&str> = found.iter().map(|chunk| chunk.file_path.as_str()).collect();
        assert_eq!(paths, ["A", "a", "a\0b", "a ", "\u{ffff}", "\u{10ffff}"]);
    }
}

#[test]
fn writes_during_a_callers_transaction_belong_to_it() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    connection.lock().execute_batch("BEGIN").unwrap();
    store.store_chunk(&chunk("a")).unwrap();
    // One that fails rolls back only its own writes.
    let unfit = CodeChunk { byte_end: u64::MAX, ..chunk("c") };
    assert!(store.store_chunks(&[chunk("b"), unfit]).is_err());
    assert_eq!(store.count_chunks().unwrap(), 1);
    connection.lock().execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.count_chunks().unwrap(), 0);
    assert_eq!(store.store_chunk(&chunk("a")).unwrap(), 1);
}

#[test]
fn a_changed_table_is_seen_in_its_current_form() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.store_chunk(&chunk("a")).unwrap();
    let change = format!("DROP TABLE code_chunks; {}", LOOSE_CHUNKS.replace("symbol_name, ", ""));
    connection.lock().execute_batch(&change).unwrap();
    assert_eq!(store.count_chunks().unwrap(), 0);
    let error = sqlite_error(store.store_chunk(&chunk("a")));
    assert!(error.to_string().contains("has no column symbol_name"), "{error}");
    let nameless = CodeChunk { symbol_name: None, ..chunk("a") };
    assert_eq!(store.store_chunk(&nameless).unwrap(), 1);
}

#[test]
fn without_the_kind_column_no_chunk_has_a_kind() {
    let connection = database(&LOOSE_CHUNKS.replace("symbol_kind, ", ""));
    let store = ChunkStore::with_connection(connection);
    let unkind = CodeChunk { symbol_kind: None, ..chunk("a") };
    store.store_chunk(&unkind).unwrap();
    assert_eq!(store.get_chunks_by_kind("Variable").unwrap(), []);
    assert_eq!(store.get_chunks_for_symbol("a", "x").unwrap().len(), 1);
    assert_eq!(store.get_chunks_for_file("a").unwrap().len(), 1);
}

/// `None` where Magellan 2.2.1 requires a number.
#[test]
fn a_missing_required_number_is_reported_by_column() {
    let connection = database(
        "CREATE TABLE file_metrics (file_path TEXT PRIMARY KEY, symbol_count INTEGER NOT NULL,
            loc INTEGER NOT NULL, estimated_loc REAL NOT NULL, fan_in INTEGER NOT NULL DEFAULT 0,
            fan_out INTEGER NOT NULL DEFAULT 0, complexity_score REAL NOT NULL DEFAULT 0.0,
            last_updated INTEGER NOT NULL)",
    );
    let metrics = MetricsOps::with_connection(connection);
    let none = FileMetrics {
        symbol_count: Some(1),
        loc: Some(2),
        estimated_loc: Some(2.5),
        fan_in: Some(0),
        ..file_metrics("src/a.rs")
    };
    let error = sqlite_error(metrics.upsert_file_metrics(&none));
    let message = "table file_metrics in :memory: requires a value for fan_out, which \
        \"metrics:file:src/a.rs\" lacks";
    assert_eq!(error.to_string(), message);
    assert_eq!(metrics.get_file_metrics("src/a.rs").unwrap(), None);
}

#[test]
fn stores_report_whether_an_id_can_be_assigned_again() {
    for (sql, keeps) in [
        ("".to_owned(), true),
        (LOOSE_CHUNKS.to_owned(), true),
        (LOOSE_CHUNKS.replace(" AUTOINCREMENT", ""), false),
        (LOOSE_CHUNKS.replace("code_chunks", "CODE_chunks"), true),
    ] {
        let store = ChunkStore::with_connection(database(&sql));
        assert_eq!(store.keeps_ids().unwrap(), keeps, "{sql}");
        assert_eq!(store.store_chunk(&chunk("a")).unwrap(), 1);
        assert_eq!(store.delete_chunks_for_file("a").unwrap(), 1);
        let next = if keeps { 2 } else { 1 };
        assert_eq!(store.store_chunk(&chunk("a")).unwrap(), next, "{sql}");
        assert_eq!(store.keeps_ids().unwrap(), keeps, "{sql}");
    }
    let log =
        "CREATE TABLE execution_log (id INTEGER PRIMARY KEY, execution_id, tool_version, args,
        root, db_path, started_at, finished_at, duration_ms, outcome, error_message, files_indexed,
        symbols_indexed, references_indexed)";
    assert!(!ExecutionLog::with_connection(database(log)).keeps_ids().unwrap());
    assert!(ExecutionLog::in_memory(None).unwrap().keeps_ids().unwrap());
    assert!(ExecutionLog::disabled().keeps_ids().unwrap());
}

#[test]
fn triggers_of_the_database_run() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.ensure_schema().unwrap();
    let sql = "CREATE TABLE seen (what, id INTEGER PRIMARY KEY);
        CREATE TRIGGER i AFTER INSERT ON code_chunks BEGIN
            INSERT INTO seen VALUES ('+' || new.id, new.id + 500); END;
        CREATE TRIGGER d AFTER DELETE ON code_chunks BEGIN
            INSERT INTO seen VALUES ('-' || old.id, old.id + 900); END;";
    connection.lock().execute_batch(sql).unwrap();
    // The returned id is the chunk's, not that of a row a trigger inserted.
    assert_eq!(store.store_chunk(&chunk("a")).unwrap(), 1);
    assert_eq!(store.store_chunk(&chunk("a")).unwrap(), 2);
    let sql = "SELECT group_concat(what, ' ' ORDER BY what, id) FROM seen";
    assert_eq!(text(&connection, sql), "+1 +2 -1");
}

#[test]
fn ids_are_those_of_the_chunks_whatever_triggers_insert() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.ensure_schema().unwrap();
    // A full-text index, and a trigger that is visible to this connection only.
    let sql =
        "CREATE VIRTUAL TABLE words USING fts5(content, content=code_chunks, content_rowid=id);
        CREATE TRIGGER i AFTER INSERT ON code_chunks BEGIN
            INSERT INTO words (rowid, content) VALUES (new.id, new.content); END;
        CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, path);
        INSERT INTO log VALUES (700, '');
        CREATE TEMP TRIGGER b BEFORE INSERT ON main.code_chunks BEGIN
            INSERT INTO log (path) VALUES (new.file_path); END;";
    connection.lock().execute_batch(sql).unwrap();
    let chunks = ["a", "b", "a", "c"].map(chunk);
    assert_eq!(store.store_chunks(&chunks).unwrap(), [1, 2, 3, 4]);
    let sql = "SELECT (SELECT group_concat(rowid) FROM words('let')) || ' ' || max(id) FROM log";
    assert_eq!(text(&connection, sql), "1,2,3,4 704");
}

#[test]
fn a_chunk_that_a_trigger_ignores_is_an_error() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.store_chunk(&chunk("a")).unwrap();
    let sql = "CREATE TRIGGER i BEFORE INSERT ON code_chunks WHEN new.content <> 'wanted' BEGIN
            SELECT RAISE(IGNORE); END";
    connection.lock().execute_batch(sql).unwrap();
    let wanted = CodeChunk::new("b", 0, 6, "wanted");
    let error = sqlite_error(store.store_chunks(&[wanted, chunk("a")]));
    assert!(matches!(error, Error::Sqlite { .. }), "{error:?}");
    assert_eq!(store.get_chunks_for_file("a").unwrap()[0].id, 1);
    assert_eq!(store.count_chunks().unwrap(), 1);
}

#[test]
fn violated_constraints_of_an_older_schema_are_errors_with_the_column_or_sqlites_message() {
    let connection = database(
        "CREATE TABLE graph_entities (id INTEGER PRIMARY KEY);
         INSERT INTO graph_entities VALUES (8);
         CREATE TABLE symbol_metrics (symbol_id INTEGER PRIMARY KEY, symbol_name TEXT NOT NULL,
            kind TEXT NOT NULL, file_path TEXT NOT NULL, loc INTEGER NOT NULL, estimated_loc REAL,
            fan_in INTEGER, fan_out INTEGER, cyclomatic_complexity INTEGER,
            last_updated INTEGER NOT NULL,
            FOREIGN KEY (symbol_id) REFERENCES graph_entities(id) ON DELETE CASCADE)",
    );
    let metrics = MetricsOps::with_connection(connection);
    let words = |symbol: &SymbolMetrics| {
        let error = metrics.upsert_symbol_metrics(symbol).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    assert!(words(&symbol()).contains("FOREIGN KEY constraint failed"));
    let nameless = SymbolMetrics { symbol_id: 8, loc: None, ..symbol() };
    let error = sqlite_error(metrics.upsert_symbol_metrics(&nameless));
    let lacks = "table symbol_metrics in :memory: requires a value for loc, which \"metrics:symbol:8\" \
         lacks";
    assert_eq!(error.to_string(), lacks);
    assert!(matches!(error, Error::NotNull { column: "loc", .. }));
    let fitting = SymbolMetrics { symbol_id: 8, ..symbol() };
    metrics.upsert_symbol_metrics(&fitting).unwrap();
    assert_eq!(metrics.get_symbol_metrics(8).unwrap(), Some(fitting));
}

#[test]
fn an_update_keeps_unknown_columns() {
    let connection = database("");
    let metrics = MetricsOps::with_connection(connection.clone());
    metrics.upsert_symbol_metrics(&symbol()).unwrap();
    let sql = "ALTER TABLE symbol_metrics ADD COLUMN note; UPDATE symbol_metrics SET note = 'kept'";
    connection.lock().execute_batch(sql).unwrap();
    let changed = SymbolMetrics { loc: Some(2), ..symbol() };
    metrics.upsert_symbol_metrics(&changed).unwrap();
    let sql = "SELECT loc || note FROM symbol_metrics";
    assert_eq!(text(&connection, sql), "2kept");
}

#[test]
fn the_last_id_is_assigned_once() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.store_chunk(&chunk("a")).unwrap();
    let sql = format!("UPDATE sqlite_sequence SET seq = {}", i64::MAX - 1);
    connection.lock().execute_batch(&sql).unwrap();
    assert_eq!(store.store_chunk(&chunk("b")).unwrap(), i64::MAX);
    let error = store.store_chunk(&chunk("c")).unwrap_err();
    let kind = RecordKind::Chunk;
    assert!(matches!(error, Error::NoIdLeft { kind: k } if k == kind.name()));
}

#[test]
fn without_an_id_left_nothing_is_written_and_a_callers_transaction_goes_on() {
    let last = i64::MAX;
    for sql in [
        format!("UPDATE sqlite_sequence SET seq = {last} - 1"),
        format!("UPDATE sqlite_sequence SET seq = '{last}'"),
        format!("UPDATE code_chunks SET id = {last}"),
    ] {
        for (begin, end) in [("", ""), ("BEGIN", "COMMIT")] {
            let connection = database("CREATE TABLE own (id)");
            let store = ChunkStore::with_connection(connection.clone());
            store.store_chunk(&chunk("a")).unwrap();
            let before = format!("{sql}; {begin}; INSERT INTO own VALUES (1)");
            connection.lock().execute_batch(&before).unwrap();
            let error = store.store_chunks(&[chunk("b"), chunk("c")]).unwrap_err();
            let is_expected = matches!(error, Error::NoIdLeft { .. });
            assert!(is_expected, "{sql}, {begin}: {error:?}");
            connection.lock().execute_batch(end).unwrap();
            assert_eq!(text(&connection, "SELECT count(*) || '' FROM own"), "1");
            assert_eq!(store.count_chunks().unwrap(), 1, "{sql}, {begin}");
        }
    }
}

#[test]
fn on_a_full_disk_a_callers_transaction_goes_on() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.ensure_schema().unwrap();
    let begin = "BEGIN; CREATE TABLE own (id); INSERT INTO own VALUES (1)";
    connection.lock().execute_batch(begin).unwrap();
    store.store_chunk(&chunk("a")).unwrap();
    let limit = "PRAGMA max_page_count = 1";
    connection.lock().query_row(limit, [], |_| Ok(())).unwrap();
    let chunks: Vec<_> = (0..500).map(|n| chunk(&format!("{n}"))).collect();
    let error = sqlite_error(store.store_chunks(&chunks));
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    connection.lock().execute_batch("COMMIT").unwrap();
    assert_eq!(text(&connection, "SELECT count(*) || '' FROM own"), "1");
    assert_eq!(store.count_chunks().unwrap(), 1);
}

/// SQLite then looks for any free id.
#[test]
fn without_autoincrement_the_last_id_is_no_end() {
    let connection = database(&LOOSE_CHUNKS.replace(" AUTOINCREMENT", ""));
    let store = ChunkStore::with_connection(connection.clone());
    store.store_chunk(&chunk("a")).unwrap();
    let sql = format!("UPDATE code_chunks SET id = {}", i64::MAX);
    connection.lock().execute_batch(&sql).unwrap();
    let id = store.store_chunk(&chunk("b")).unwrap();
    assert_eq!(store.get_chunks_for_file("b").unwrap()[0].id, id);
    assert_ne!(id, i64::MAX);
}

#[test]
fn a_full_database_is_an_error_and_nothing_is_written() {
    let connection = database("");
    let store = ChunkStore::with_connection(connection.clone());
    store.store_chunk(&chunk("a")).unwrap();
    let set_most_pages = |pages: i64| {
        let connection = connection.lock();
        connection.pragma_update(None, "max_page_count", pages).unwrap();
    };
    set_most_pages(1);
    let chunks: Vec<_> = (0..500).map(|n| chunk(&format!("{n}"))).collect();
    let error = sqlite_error(store.store_chunks(&chunks));
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert_eq!(store.count_chunks().unwrap(), 1);
    set_most_pages(1000);
    assert_eq!(store.store_chunks(&chunks).unwrap()[0], 2);
}

#[test]
fn unusable_tables_are_errors_with_their_names() {
    for (sql, what) in [
        ("CREATE VIEW code_chunks AS SELECT 1 AS id", "a view"),
        (
            "CREATE TABLE code_chunks (id INTEGER, file_path TEXT PRIMARY KEY, byte_start, byte_end,
                content, content_hash, symbol_name, symbol_kind, created_at)",
            "a table whose id is not its rowid",
        ),
    ] {
        let store = ChunkStore::with_connection(database(sql));
        let error = sqlite_error(store.store_chunk(&chunk("a")));
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_file_that_is_not_a_database_is_an_error_on_open() {
    let folder = folder::private();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, but long enough to look at ".repeat(50)).unwrap();
    for error in [
        sqlite_error(ChunkStore::new(&path)),
        sqlite_error(MetricsOps::new(&path)),
        sqlite_error(ExecutionLog::new(&path)),
    ] {
        assert!(
            error.to_string().contains("notes.txt is not a readable SQLite database"),
            "{error}"
        );
    }
}

#[test]
fn a_name_is_a_path_and_never_a_uri() {
    let folder = folder::private();
    let path = folder.path().join("a?mode=memory#b%41.db");
    ChunkStore::new(&path).unwrap().store_chunk(&chunk("a")).unwrap();
    assert_eq!(ChunkStore::new(&path).unwrap().count_chunks().unwrap(), 1);
    assert!(path.exists());
}
