//! The parts of the work that no implementation can do without, each alone in a process.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write as _};
use std::ops::Bound;
use std::path::Path;

use chunkmigrate::redb::{
    Database, Durability, ReadOnlyDatabase, ReadableDatabase as _, ReadableTable as _,
    TableDefinition,
};
use rusqlite::{Connection, OpenFlags};

use crate::Result;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const CACHE_BYTES: usize = 16 << 20;
/// Bytes of entries in one commit.
const COMMIT_BYTES: usize = 4 << 20;

/// The tables, each with SQL for what its keys are sorted by.
const TABLES: [(&str, &str); 4] = [
    ("code_chunks", "file_path || ':' || byte_start || ':' || byte_end"),
    ("symbol_metrics", "CAST(symbol_id AS TEXT)"),
    ("file_metrics", "file_path"),
    ("execution_log", "execution_id"),
];

/// Sorts the rows of each table by their keys, and reads each in that order.
pub(crate) fn read_sorted(database: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    for (table, key) in TABLES {
        let sorted = format!("SELECT {key} AS sorted_key, rowid FROM {table} ORDER BY sorted_key");
        let mut sorted = connection.prepare(&sorted)?;
        let mut fetch = connection.prepare(&format!("SELECT * FROM {table} WHERE rowid = ?1"))?;
        let columns = fetch.column_count();
        let mut ids = sorted.query([])?;
        while let Some(id) = ids.next()? {
            let mut rows = fetch.query([id.get::<_, i64>(1)?])?;
            let row = rows.next()?.ok_or("a row is missing")?;
            for column in 0..columns {
                std::hint::black_box(row.get_ref(column)?);
            }
        }
    }
    Ok(())
}

/// Inserts all rows in the order of their ids into a new database and creates its indexes.
pub(crate) fn insert_and_index(database: &Path, target: &Path) -> Result<()> {
    let connection = Connection::open(target)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{};",
        CACHE_BYTES / 1024
    ))?;
    let source = database.to_str().ok_or("the path is not UTF-8")?;
    connection.execute("ATTACH ?1 AS source", [source])?;
    let schema = |kind: &str| -> Result<Vec<String>> {
        let sql = "SELECT sql FROM source.sqlite_schema WHERE type = ?1 AND sql IS NOT NULL
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([kind], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    connection.execute_batch("BEGIN")?;
    for sql in schema("table")? {
        connection.execute_batch(&sql)?;
    }
    for (table, _) in TABLES {
        // With an order, SQLite decodes and encodes rows; without, it would copy them as they are.
        let insert = format!("INSERT INTO {table} SELECT * FROM source.{table} ORDER BY rowid");
        connection.execute_batch(&insert)?;
    }
    for sql in schema("index")? {
        connection.execute_batch(&sql)?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(File::open(target)?.sync_all()?)
}

/// Saves the entries of a KV file in their order, each after the lengths of its key and its value.
pub(crate) fn save_entries(kv: &Path, entries: &Path) -> Result<()> {
    let database = ReadOnlyDatabase::open(kv)?;
    let table = database.begin_read()?.open_table(RECORDS)?;
    let mut file = BufWriter::new(File::create(entries)?);
    for entry in table.iter()? {
        let (key, value) = entry?;
        for part in [key.value(), value.value()] {
            file.write_all(&(part.len() as u64).to_le_bytes())?;
        }
        file.write_all(key.value())?;
        file.write_all(value.value())?;
    }
    Ok(file.flush()?)
}

/// Loads saved entries into a new redb file, with one durable commit at the end.
pub(crate) fn load_redb(entries: &Path, kv: &Path) -> Result<()> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(entries)?);
    let database = Database::builder().set_cache_size(CACHE_BYTES).create(kv)?;
    let (mut key, mut value) = (Vec::new(), Vec::new());
    let mut is_complete = false;
    while !is_complete {
        let mut transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(RECORDS)?;
            let mut end = table.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
            let mut bytes = 0;
            while bytes < COMMIT_BYTES {
                if !read_entry(&mut file, &mut key, &mut value)? {
                    is_complete = true;
                    break;
                }
                bytes += key.len() + value.len();
                end.insert_before(key.as_slice(), value.as_slice())?;
            }
            end.close()?;
        }
        if !is_complete {
            transaction.set_durability(Durability::None)?;
        }
        transaction.commit()?;
    }
    Ok(database.close()?)
}

/// Reads the next entry; false after the last.
fn read_entry(file: &mut impl Read, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool> {
    let mut length = [0; 8];
    if let Err(error) = file.read_exact(&mut length) {
        return match error.kind() {
            ErrorKind::UnexpectedEof => Ok(false),
            _ => Err(error.into()),
        };
    }
    key.resize(usize::try_from(u64::from_le_bytes(length))?, 0);
    file.read_exact(&mut length)?;
    value.resize(usize::try_from(u64::from_le_bytes(length))?, 0);
    file.read_exact(key)?;
    file.read_exact(value)?;
    Ok(true)
}
