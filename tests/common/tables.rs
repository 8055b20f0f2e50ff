//! SQL that fills databases.

use rusqlite::Connection;

/// Magellan's tables in its schema 7: metrics that can't be NULL, and a foreign key to a table of
/// the graph.
pub(crate) const SCHEMA_7: &str = "
    CREATE TABLE graph_entities (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
    CREATE TABLE magellan_meta (id INTEGER PRIMARY KEY CHECK (id = 1),
        magellan_schema_version INTEGER NOT NULL);
    INSERT INTO magellan_meta VALUES (1, 7);
    CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL,
        byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL, content TEXT NOT NULL,
        content_hash TEXT NOT NULL, symbol_name TEXT, symbol_kind TEXT,
        created_at INTEGER NOT NULL, UNIQUE(file_path, byte_start, byte_end));
    CREATE TABLE execution_log (id INTEGER PRIMARY KEY AUTOINCREMENT,
        execution_id TEXT NOT NULL UNIQUE, tool_version TEXT NOT NULL, args TEXT NOT NULL,
        root TEXT, db_path TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER,
        duration_ms INTEGER, outcome TEXT NOT NULL, error_message TEXT,
        files_indexed INTEGER DEFAULT 0, symbols_indexed INTEGER DEFAULT 0,
        references_indexed INTEGER DEFAULT 0);
    CREATE TABLE file_metrics (file_path TEXT PRIMARY KEY, symbol_count INTEGER NOT NULL,
        loc INTEGER NOT NULL, estimated_loc REAL NOT NULL, fan_in INTEGER NOT NULL DEFAULT 0,
        fan_out INTEGER NOT NULL DEFAULT 0, complexity_score REAL NOT NULL DEFAULT 0.0,
        last_updated INTEGER NOT NULL);
    CREATE TABLE symbol_metrics (symbol_id INTEGER PRIMARY KEY, symbol_name TEXT NOT NULL,
        kind TEXT NOT NULL, file_path TEXT NOT NULL, loc INTEGER NOT NULL,
        estimated_loc REAL NOT NULL, fan_in INTEGER NOT NULL DEFAULT 0,
        fan_out INTEGER NOT NULL DEFAULT 0, cyclomatic_complexity INTEGER NOT NULL DEFAULT 1,
        last_updated INTEGER NOT NULL,
        FOREIGN KEY (symbol_id) REFERENCES graph_entities(id) ON DELETE CASCADE);";

/// A table of chunks that accepts anything: no types, no constraints, no indexes.
pub(crate) const LOOSE_CHUNKS: &str = "
    CREATE TABLE code_chunks (id, file_path, byte_start, byte_end, content, content_hash,
        symbol_name, symbol_kind, created_at);";

/// A small database with everything that can be carried, and the table of one kind.
pub(crate) const WHOLE_DATABASE: &str = "
    CREATE TABLE code_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL,
        byte_start INTEGER NOT NULL, byte_end INTEGER NOT NULL, content TEXT NOT NULL,
        content_hash TEXT NOT NULL, symbol_name TEXT, symbol_kind TEXT,
        created_at INTEGER NOT NULL);
    INSERT INTO code_chunks VALUES
        (3, 'src/a:b.rs', 0, 0, '',
         'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', NULL, NULL, -1);
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, body TEXT);
    CREATE VIRTUAL TABLE notes_text USING fts5(title, body, content='notes', content_rowid='id');
    CREATE TRIGGER notes_added AFTER INSERT ON notes BEGIN
        INSERT INTO notes_text (rowid, title, body) VALUES (new.id, new.title, new.body);
    END;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
    INSERT INTO notes SELECT i, 'note ' || i, 'text ' || hex(zeroblob(i * 20)) FROM n;
    CREATE TABLE tags (name TEXT, note INTEGER, PRIMARY KEY (name, note)) WITHOUT ROWID;
    INSERT INTO tags SELECT 'tag' || (id % 3), id FROM notes;
    CREATE INDEX tags_of_notes ON tags (note);
    CREATE TABLE anything (value);
    INSERT INTO anything VALUES (NULL), (1), (1.5), ('text'), (x'00ff'), (-0.0), (9e999);
    DELETE FROM anything WHERE rowid = 2;
    CREATE UNIQUE INDEX anything_long ON anything (value) WHERE length(value) > 1;
    CREATE VIEW titles AS SELECT title FROM notes;
    PRAGMA user_version = 7;
    PRAGMA application_id = 123;";

/// Inserts a chunk with short values; its path and span are SQL literals.
pub(crate) fn insert_chunk(connection: &Connection, id: i64, path: &str, start: &str, end: &str) {
    connection
        .execute_batch(&format!(
            "INSERT INTO code_chunks VALUES
             ({id}, {path}, {start}, {end}, 'text {id}', 'hash', NULL, NULL, 7)"
        ))
        .unwrap();
}

/// Inserts chunks with ids from 1, the records that most tests need.
pub(crate) fn insert_chunks(connection: &Connection, count: i64) {
    connection
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO code_chunks
             SELECT i, 'src/file_' || (i % 50) || '.rs', i * 10, i * 10 + 5,
                    'fn f' || i || '() {}' || hex(zeroblob(i % 300)), 'hash', 'f' || i, NULL, 7
             FROM n",
            [count],
        )
        .unwrap();
}

/// A few records of every kind, with correct hashes.
pub(crate) const SMALL: &str = "
    INSERT INTO code_chunks VALUES
        (1, 'src/lib.rs', 0, 12, 'fn main() {}',
         'ef32637cb9c3ec2e3968c9cbdf26a5e9c172be94f88af533e14bd43f892d5297', 'main', 'fn', 7),
        (2, 'src/lib.rs', 13, 16, 'caf' || char(233), 
         '850f7dc43910ff890f8879c0ed26fe697c93a067ad93a7d50f466a7028a9bf4e', NULL, NULL, 7),
        (3, 'src/a:b.rs', 0, 0, '', 
         'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', NULL, NULL, -1);
    INSERT INTO execution_log VALUES
        (1, 'run-1', '4.17.0', '[\"watch\"]', NULL, 'code.db', 5, NULL, NULL, 'running', NULL, 0, 0, 0);
    INSERT INTO file_metrics VALUES
        ('src/lib.rs', 1, 10, 0.1, NULL, 0, 1.5, 7),
        ('src/a:b.rs', NULL, NULL, NULL, NULL, NULL, NULL, 7);
    INSERT INTO symbol_metrics VALUES
        (1, 'main', 'fn', 'src/lib.rs', 1, 2.5, 0, 0, 1, 7),
        (2, 'Main', 'fn', 'src/lib.rs', NULL, NULL, NULL, NULL, NULL, 7);
    UPDATE sqlite_sequence SET seq = 9 WHERE name = 'code_chunks';";
