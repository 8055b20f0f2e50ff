//! Access to the carried tables of a KV file.

use std::path::Path;

use super::KvReader;
use crate::error::{Error, Result};
use crate::stream::{Source as _, Visited};
use crate::table::{CarriedTables, Row, TableSchema};

/// A KV file, open for reading the tables that it carries.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::Progress;
/// use chunkmigrate::kv::KvTables;
/// use chunkmigrate::migrate::{CopyOptions, sqlite_to_kv};
/// use chunkmigrate::table::{Cell, TableSelection};
///
/// # let folder = tempfile::tempdir()?;
/// # let (database, kv) = (folder.path().join("index.db"), folder.path().join("index.kv"));
/// let connection = chunkmigrate::rusqlite::Connection::open(&database)?;
/// connection.execute_batch(
///     "CREATE TABLE chunks (id TEXT PRIMARY KEY, line INTEGER, embedding BLOB);
///      INSERT INTO chunks VALUES ('a.rs#1', 7, x'0000803f')",
/// )?;
/// let options = CopyOptions::default().tables(TableSelection::All);
/// assert!(sqlite_to_kv(&database, &kv, &options, &Progress::none())?.is_complete());
///
/// let file = KvTables::open(&kv)?;
/// let mut embeddings = Vec::new();
/// file.visit_rows("chunks", &mut |row| {
///     if let [Cell::Text(id), _, Cell::Blob(bytes)] = row.cells.as_slice() {
///         embeddings.push((id.to_string(), bytes.len() / 4));
///     }
///     Ok(())
/// })?;
/// assert_eq!(embeddings, [("a.rs#1".to_owned(), 1)]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct KvTables(KvReader);

impl KvTables {
    /// Opens a file after verifying every page; the file is not changed.
    ///
    /// # Errors
    /// The file is corrupt, open for writing elsewhere, or of another tool or version.
    pub fn open(path: &Path) -> Result<Self> {
        KvReader::open_verified(path).map(KvTables)
    }

    /// What the file says about its tables; `None` if it carries only the four kinds of records.
    pub fn carried(&self) -> Option<&CarriedTables> {
        self.0.carried()
    }

    /// The table with this name, whose case doesn't matter.
    ///
    /// # Errors
    /// [`Error::NoSuchTable`].
    pub fn table(&self, name: &str) -> Result<&TableSchema> {
        let tables = self.0.carried().map_or(&[][..], |carried| &carried.tables);
        let carried = || tables.iter().filter(|table| table.kind.is_none());
        let found = carried().find(|table| table.name.eq_ignore_ascii_case(name));
        found.map(AsRef::as_ref).ok_or_else(|| Error::NoSuchTable {
            path: self.0.path().to_owned(),
            table: name.to_owned(),
            tables: carried().map(|table| table.name.clone()).collect(),
        })
    }

    /// Calls `visit` for every row of a table, in the order of the keys' bytes.
    ///
    /// # Errors
    /// There is no such table, the file can't be read to its end, a row is invalid
    /// ([`Error::InvalidRecord`]), or the error of `visit`.
    pub fn visit_rows(
        &self,
        table: &str,
        visit: &mut dyn FnMut(Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let table = self.table(table)?;
        self.0.visit_table(table, &mut |visited| match &visited {
            Visited::Entry { key, value } => {
                visit(table.decode(crate::codec::Entry { key, value })?)
            }
            _ => Err(Error::Internal("a KV file has a row of a database".to_owned())),
        })
    }
}
