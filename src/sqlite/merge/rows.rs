//! The rows of a merge: moves them out of each other's way, writes and checks them.

use rusqlite::{ErrorCode, OptionalExtension as _};

use crate::error::Result;
use crate::record::{FieldValues, RecordKey, RecordKind};
use crate::sqlite::merge::id_swap::HIGHEST_ID;
use crate::sqlite::merge::references::{ChangingReference, ChangingRows, visit_missing_parents};
use crate::sqlite::merge::stored_records::StoredRecords;
use crate::sqlite::merge::{MergedTable, RowCheck, SqliteMerge};
use crate::sqlite::read::symbol_graph::visit_wrong_symbols;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::tables::row_inserter::is_refusal;
use crate::sqlite::write::rejection::Rejection;
use crate::sqlite::write::upsert::WrittenRow;
use crate::stream::InvalidReason;

/// Calls its argument for each record with its key.
type VisitRecords<'v> =
    dyn FnMut(&mut dyn FnMut(&[u8], &FieldValues<'_>) -> Result<()>) -> Result<()> + 'v;
/// Called with the key of a rejected record and the reason.
type Reject<'r> = dyn FnMut(&[u8], Rejection) -> Result<()> + 'r;

impl SqliteMerge {
    /// A row that refers to a record of `kind` by columns that would change, if there is one.
    /// `visit` must visit every record to be written.
    pub(crate) fn find_reference(
        &self,
        kind: RecordKind,
        visit: &mut VisitRecords<'_>,
    ) -> Result<Option<ChangingReference>> {
        let Some(MergedTable { layout, upsert, .. }) = self.tables.get(kind) else {
            return Ok(None);
        };
        let rows = self.sql(|connection| ChangingRows::of(connection, layout))?;
        let Some(rows) = rows else { return Ok(None) };
        visit(&mut |key, record| {
            self.sql(|connection| {
                let found = upsert.lookup().find(connection, record.key())?;
                let Some(rowid) = found else { return Ok(()) };
                rows.note(connection, rowid, key, record)
            })
        })?;
        self.sql(|connection| rows.find_reference(connection, layout))
    }

    /// The first of `count` consecutive ids that are neither in the table nor rejected by
    /// `is_taken`.
    pub(crate) fn free_ids(
        &self,
        kind: RecordKind,
        count: u64,
        is_taken: &mut dyn FnMut(i64, i64) -> Result<bool>,
    ) -> Result<Option<i64>> {
        let table = self.tables.get(kind).as_ref();
        let Some(parking) = table.and_then(|table| table.parking.as_ref()) else {
            return Ok(None);
        };
        let mut last = HIGHEST_ID;
        while let Some(first) = last.checked_sub_unsigned(count) {
            let has_id = self.sql(|connection| parking.has_id(connection, first, last))?;
            if !has_id && !is_taken(first, last)? {
                return Ok(Some(first));
            }
            last = first;
        }
        Ok(None)
    }

    /// Switches the table's CHECK constraints off or on, so that ids may temporarily violate them.
    pub(crate) fn ignore_checks(&self, ignore: bool) -> Result<()> {
        self.sql(|connection| connection.pragma_update(None, "ignore_check_constraints", ignore))
    }

    /// Moves the row of a key to a temporary id that no record has; returns the reason if a
    /// constraint forbids that.
    pub(crate) fn move_aside(
        &self,
        kind: RecordKind,
        key: &RecordKey,
        free_id: i64,
    ) -> Result<Option<Rejection>> {
        let Some(MergedTable { layout, upsert, parking: Some(parking), .. }) =
            self.tables.get(kind)
        else {
            return Ok(None);
        };
        let lookup = upsert.lookup();
        let key = key.values();
        let Some(rowid) = self.sql(|connection| lookup.find(connection, key.iter()))? else {
            return Ok(None);
        };
        match parking.move_row(&self.connection, rowid, free_id) {
            Ok(()) if parking.id_is_rowid => {
                self.sql(|connection| lookup.follow(connection, &key, free_id))?;
                Ok(None)
            }
            Ok(()) => Ok(None),
            Err(error) => self.rejection(layout, error),
        }
    }

    /// Overwrites the row of the key with a record, or inserts it as a new row; returns the reason
    /// if the table rejects it.
    pub(crate) fn write(
        &self,
        kind: RecordKind,
        key: &[u8],
        record: &FieldValues<'_>,
    ) -> Result<Option<Rejection>> {
        let Some(table) = self.tables.get(kind) else {
            return Ok(None);
        };
        let name = table.layout.schema.table;
        if let Some(column) = table.upsert.missing_column_for(record) {
            let message = format!("the target's table {name} has no column {column}");
            return Ok(Some(Rejection::new(column, InvalidReason::Constraint, message)));
        }
        let written = match &table.stored {
            None => table.upsert.write(&self.connection, record).map(Ok),
            Some(stored) => self.write_and_check(table, stored, record),
        };
        let row = match written {
            Ok(Ok(row)) => row,
            Ok(Err(rejection)) => return Ok(Some(rejection)),
            Err(error) => return self.rejection(&table.layout, error),
        };
        if !table.checks.is_empty() {
            self.sql(|connection| {
                let sql =
                    format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2, ?3)", written_rows(kind));
                let mut statement = connection.prepare_cached(&sql)?;
                statement.execute((row.rowid, key, row.is_new)).map(|_| ())
            })?;
        }
        Ok(None)
    }

    fn write_and_check(
        &self,
        table: &MergedTable,
        stored: &StoredRecords,
        record: &FieldValues<'_>,
    ) -> rusqlite::Result<Result<WrittenRow, Rejection>> {
        let connection = &self.connection;
        connection.prepare_cached("SAVEPOINT record")?.execute([])?;
        let row = table.upsert.write(connection, record);
        let row = match row {
            Ok(row) => {
                stored.check(connection, record, row.rowid).map(|why| why.map_or(Ok(row), Err))
            }
            Err(error) => Err(error),
        };
        if !matches!(row, Ok(Ok(_))) {
            connection.prepare_cached("ROLLBACK TO record")?.execute([])?;
        }
        connection.prepare_cached("RELEASE record")?.execute([])?;
        row
    }

    /// Why a table rejects a row, if the error concerns the row and not the database.
    fn rejection(
        &self,
        layout: &TableColumns,
        error: rusqlite::Error,
    ) -> Result<Option<Rejection>> {
        let is_unknown = error.sqlite_error_code() == Some(ErrorCode::Unknown);
        match is_unknown || is_refusal(&error) {
            true => Ok(Some(Rejection::constraint(layout.schema, &error))),
            false => Err(self.failed()(error)),
        }
    }

    /// Calls `reject` with the key of each written record that has to be rejected: its foreign key
    /// is violated, or its id belongs to a different symbol.
    pub(crate) fn check_rows(&self, kind: RecordKind, reject: &mut Reject<'_>) -> Result<()> {
        let Some(table) = self.tables.get(kind) else {
            return Ok(());
        };
        let mut reject_row = |rowid, column, reason, message| match self.written_key(kind, rowid)? {
            Some(key) => reject(&key, Rejection::new(column, reason, message)),
            None => Ok(()),
        };
        for check in &table.checks {
            match check {
                RowCheck::ForeignKeys => {
                    // SQLite would not accept a record either if a foreign key can't be checked.
                    let failed = |error| self.takes_no_record(kind, error);
                    let connection = &self.connection;
                    visit_missing_parents(connection, &table.layout, &failed, &mut |row, why| {
                        reject_row(row, "", InvalidReason::Constraint, why)
                    })?;
                }
                RowCheck::SymbolGraph => {
                    let new = format!("SELECT row_id FROM {} WHERE is_new", written_rows(kind));
                    let failed = self.failed();
                    visit_wrong_symbols(&self.connection, Some(&new), &failed, &mut |wrong| {
                        let reason = InvalidReason::WrongSymbol;
                        reject_row(wrong.rowid, "symbol_id", reason, wrong.message)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The key of the record that was written to a row; `None` if the row was not written.
    fn written_key(&self, kind: RecordKind, rowid: i64) -> Result<Option<Vec<u8>>> {
        let sql = format!("SELECT record_key FROM {} WHERE row_id = ?1", written_rows(kind));
        self.sql(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([rowid], |row| row.get(0)).optional()
        })
    }
}

/// The temporary table of the written rows of a kind.
pub(crate) fn written_rows(kind: RecordKind) -> String {
    format!("temp.chunkmigrate_written_{}", kind.table())
}
