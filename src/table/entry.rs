//! Rows as entries of a KV file.

use super::{Row, TableSchema, read_row, write_row, write_row_key};
use crate::codec::Entry;
use crate::error::{Error, Result};

impl TableSchema {
    /// The key and the value under which a KV file has a row.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`]: the row has another number of values than the table has columns, or
    /// it lacks the rowid that identifies it.
    pub fn encode(&self, row: &Row<'_>) -> Result<(Vec<u8>, Vec<u8>)> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let has_key = write_row_key(self, row, &mut key);
        if row.cells.len() != self.columns.len() || row.rowid.is_some() != self.rowid || !has_key {
            let detail = format!("it is not a row of table {:?}", self.name);
            return Err(Error::InvalidRecord { key: lossy(&key), detail });
        }
        write_row(row, &mut value);
        Ok((key, value))
    }

    /// The row that an entry of a KV file holds, in any notation.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`]: the value is not a row of the table, or it is the row of another
    /// key.
    pub fn decode<'v>(&self, entry: Entry<'v>) -> Result<Row<'v>> {
        let invalid = |detail: String| Error::InvalidRecord { key: lossy(entry.key), detail };
        let row = read_row(self, entry.value).map_err(|error| invalid(error.to_string()))?;
        let mut own_key = Vec::with_capacity(entry.key.len());
        match write_row_key(self, &row, &mut own_key) && own_key == entry.key {
            true => Ok(row),
            false => Err(invalid(format!("it belongs to {:?}", lossy(&own_key)))),
        }
    }
}

fn lossy(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}
