//! Rows that are moved out of the way, so that two records may swap their ids.

use rusqlite::Connection;

use crate::sqlite::read::table_columns::TableColumns;

/// Rows are parked at ids from here down.
pub(in crate::sqlite) const HIGHEST_ID: i64 = i64::MIN / 2;

/// Moves rows of a table whose ids change to ids that no record has.
#[derive(Debug)]
pub(in crate::sqlite) struct IdSwap {
    has_id: String,
    move_row: String,
    /// Whether a row gets its id as its row id, too.
    pub(in crate::sqlite) id_is_rowid: bool,
}

impl IdSwap {
    /// `None` if the table has no ids beside its keys.
    pub(in crate::sqlite) fn new(layout: &TableColumns) -> Option<Self> {
        let (table, rowid) = (layout.spec.name, layout.rowid);
        let id = layout.spec.id?;
        Some(IdSwap {
            has_id: format!("SELECT 1 FROM main.{table} AS t WHERE t.{id} BETWEEN ?1 AND ?2"),
            move_row: format!("UPDATE OR ABORT main.{table} SET {id} = ?2 WHERE {rowid} = ?1"),
            id_is_rowid: layout.id_is_rowid,
        })
    }

    /// Whether the table has an id of a range.
    pub(in crate::sqlite) fn has_id(
        &self,
        connection: &Connection,
        first: i64,
        last: i64,
    ) -> rusqlite::Result<bool> {
        connection.prepare(&self.has_id)?.exists([first, last])
    }

    /// Gives a row another id.
    pub(in crate::sqlite) fn move_row(
        &self,
        connection: &Connection,
        rowid: i64,
        id: i64,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(&self.move_row)?;
        statement.execute([rowid, id]).map(|_| ())
    }
}
