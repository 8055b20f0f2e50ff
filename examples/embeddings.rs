//! Embeddings in a KV file: which chunk of an index is most similar to another, without SQLite.
//!
//!     chunkmigrate sqlite-to-kv index.db index.kv --only none --tables chunks
//!     cargo run --example embeddings -- index.kv 'src/main.rs#3'
//!     cargo run --example embeddings -- index.kv 'new#1' 0.1,0.7,0.2
//!
//! The second adds a chunk with this embedding first.
//!
//! The index has a table `chunks (id TEXT PRIMARY KEY, …, embedding BLOB)` with little-endian 32-bit
//! floats, as many code indexers write it.

use std::error::Error as StdError;
use std::path::Path;
use std::process::ExitCode;

use chunkmigrate::kv::{KvBackend, KvTables, RedbBackend};
use chunkmigrate::table::{Cell, Row, TableSchema};

const TABLE: &str = "chunks";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(answer) => println!("{answer}"),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(args: &[String]) -> Result<String, Box<dyn StdError>> {
    let (file, id) = match args {
        [file, id] => (Path::new(file), id),
        [file, id, embedding] => {
            let embedding: Result<Vec<f32>, _> = embedding.split(',').map(str::parse).collect();
            add(Path::new(file), id, &embedding?)?;
            (Path::new(file), id)
        }
        _ => return Err("usage: embeddings KV ID [EMBEDDING]".into()),
    };
    Ok(match most_similar(file, id)? {
        Some((other, similarity)) => format!("{other}  {similarity:.3}"),
        None => format!("nothing to compare {id} with"),
    })
}

/// The id of the chunk whose embedding is most similar to that of `id`, and their cosine.
pub(crate) fn most_similar(
    file: &Path,
    id: &str,
) -> Result<Option<(String, f32)>, Box<dyn StdError>> {
    let file = KvTables::open(file)?;
    let table = file.table(TABLE)?;
    let (ids, embeddings) = (column(table, "id")?, column(table, "embedding")?);
    let mut vectors = Vec::new();
    file.visit_rows(TABLE, &mut |row| {
        if let (Some(Cell::Text(id)), Some(Cell::Blob(bytes))) =
            (row.cells.get(ids), row.cells.get(embeddings))
        {
            vectors.push((id.to_string(), floats(bytes)));
        }
        Ok(())
    })?;
    let own = vectors.iter().find(|(other, _)| other == id);
    let (_, own) = own.ok_or_else(|| format!("no chunk {id} has an embedding"))?;
    let others = vectors.iter().filter(|(other, _)| other != id);
    let similar = others.map(|(other, vector)| (other.clone(), cosine(own, vector)));
    Ok(similar.max_by(|(_, left), (_, right)| left.total_cmp(right)))
}

/// Adds a chunk with an embedding to the file, or replaces the one with its id. All other columns
/// are NULL.
pub(crate) fn add(file: &Path, id: &str, embedding: &[f32]) -> Result<(), Box<dyn StdError>> {
    let tables = KvTables::open(file)?;
    let table = tables.table(TABLE)?.clone();
    let mut rowid = None;
    tables.visit_rows(TABLE, &mut |row| {
        rowid = rowid.max(row.rowid);
        Ok(())
    })?;
    // The file can be open for writing only once nobody reads it.
    drop(tables);
    let mut cells = vec![Cell::Null; table.columns.len()];
    let bytes: Vec<u8> = embedding.iter().flat_map(|float| float.to_le_bytes()).collect();
    for (name, value) in [("id", Cell::Text(id.into())), ("embedding", Cell::Blob(bytes.into()))] {
        let cell = cells.get_mut(column(&table, name)?);
        *cell.ok_or("the table has too few columns")? = value;
    }
    // The rows of this table are identified by their text, but have a rowid of their own too.
    let rowid = table.rowid.then(|| rowid.unwrap_or(0) + 1);
    let (key, value) = table.encode(&Row { rowid, cells })?;
    RedbBackend::open_or_create(file)?.put(&key, &value)?;
    Ok(())
}

/// The place of a column in the rows of a table.
fn column(table: &TableSchema, name: &str) -> Result<usize, String> {
    let found = table.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    found.ok_or_else(|| format!("table {} has no column {name}", table.name))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (floats, _) = bytes.as_chunks();
    floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let dot = |left: &[f32], right: &[f32]| -> f32 {
        left.iter().zip(right).map(|(left, right)| left * right).sum()
    };
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}
