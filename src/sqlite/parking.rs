//! Rows that are moved out of the way, so that two records may swap their ids.

use rusqlite::Connection;

use super::layout::TableLayout;

/// Rows are parked at ids counted down from here.
const FIRST_ID: i64 = i64::MIN / 2;

/// The places where rows of a table are parked whose ids other records are to have.
#[derive(Debug)]
pub(super) struct Parking {
    next_id: i64,
    has_row: String,
    move_row: String,
}

impl Parking {
    /// `None` if the id of the table is not its row id: then two rows may have one id for a while.
    pub(super) fn new(layout: &TableLayout) -> Option<Self> {
        let (table, rowid) = (layout.spec.name, layout.rowid);
        let id = layout.spec.id.filter(|_| layout.id_is_rowid)?;
        Some(Parking {
            next_id: FIRST_ID,
            has_row: format!("SELECT t.{rowid} FROM main.{table} AS t WHERE t.{rowid} = ?1"),
            move_row: format!("UPDATE OR ABORT main.{table} SET {id} = ?2 WHERE {rowid} = ?1"),
        })
    }

    /// The next place that no row of the table has.
    pub(super) fn next_free_id(&mut self, connection: &Connection) -> rusqlite::Result<i64> {
        let mut has_row = connection.prepare_cached(&self.has_row)?;
        loop {
            self.next_id = self.next_id.wrapping_sub(1);
            if !has_row.exists([self.next_id])? {
                return Ok(self.next_id);
            }
        }
    }

    /// Gives a row another id.
    pub(super) fn move_row(
        &self,
        connection: &Connection,
        from: i64,
        to: i64,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(&self.move_row)?;
        statement.execute([from, to]).map(|_| ())
    }
}
