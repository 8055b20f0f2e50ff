//! Moves rows out of the way so that two records can swap their ids.

use rusqlite::Connection;

use crate::sqlite::read::table_columns::TableColumns;

/// Rows are moved to ids from here downwards.
pub(crate) const HIGHEST_ID: i64 = i64::MIN / 2;

/// Moves the rows of a table whose ids change to temporary ids that no record has.
#[derive(Debug)]
pub(crate) struct IdSwap {
    has_id: String,
    move_row: String,
    /// Whether moving a row also changes its row id.
    pub(crate) id_is_rowid: bool,
}

impl IdSwap {
    /// `None` if the table has no ids in addition to its keys.
    pub(crate) fn new(layout: &TableColumns) -> Option<Self> {
        let (table, rowid) = (layout.schema.table, layout.rowid);
        let id = layout.schema.id()?;
        Some(IdSwap {
            has_id: format!("SELECT 1 FROM main.{table} AS t WHERE t.{id} BETWEEN ?1 AND ?2"),
            move_row: format!("UPDATE OR ABORT main.{table} SET {id} = ?2 WHERE {rowid} = ?1"),
            id_is_rowid: layout.id_is_rowid,
        })
    }

    /// Whether the table contains an id in a range.
    pub(crate) fn has_id(
        &self,
        connection: &Connection,
        first: i64,
        last: i64,
    ) -> rusqlite::Result<bool> {
        connection.prepare(&self.has_id)?.exists([first, last])
    }

    /// Changes the id of a row.
    pub(crate) fn move_row(
        &self,
        connection: &Connection,
        rowid: i64,
        id: i64,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(&self.move_row)?;
        statement.execute([rowid, id]).map(|_| ())
    }
}
