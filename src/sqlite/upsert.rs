//! Writing a record over the row of its key.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _};

use super::layout::TableLayout;
use super::schema::TableSpec;
use super::writer::with_values;
use crate::record::{Record, RecordKind};

/// Where rows are parked whose id another record is to have; counted down from here.
const FIRST_PARKING_ID: i64 = i64::MIN / 2;

/// The statements that write records of a kind into a table as it is.
#[derive(Debug)]
pub(super) struct Upsert {
    spec: &'static TableSpec,
    /// For each column of the spec: whether the table has it.
    present: Vec<bool>,
    /// Whether the id is the row id, which no two rows share.
    pub(super) id_is_rowid: bool,
    parking_id: i64,
    find: String,
    has_row: String,
    move_row: String,
    update: String,
    insert: String,
}

impl Upsert {
    pub(super) fn new(kind: RecordKind, layout: &TableLayout) -> Self {
        let spec = layout.spec;
        let (table, rowid) = (spec.name, layout.rowid);
        let names: Vec<&str> = layout.present_columns().collect();
        let keys: Vec<String> = (1..)
            .zip(spec.key)
            .map(|(index, column)| format!("t.{column} = ?{index} COLLATE BINARY"))
            .collect();
        let sets: Vec<String> = (1..)
            .zip(&names)
            .map(|(index, name)| format!("{name} = ?{index}"))
            .collect();
        let values: Vec<String> = (1..=names.len()).map(|index| format!("?{index}")).collect();
        let id = spec.id.unwrap_or(rowid);
        Upsert {
            spec,
            present: layout.presence().to_vec(),
            id_is_rowid: layout.id_is_rowid && kind_has_id(kind),
            parking_id: FIRST_PARKING_ID,
            find: format!(
                "SELECT t.{rowid} FROM main.{table} AS t WHERE {}",
                keys.join(" AND ")
            ),
            has_row: format!("SELECT t.{rowid} FROM main.{table} AS t WHERE t.{rowid} = ?1"),
            move_row: format!("UPDATE OR ABORT main.{table} SET {id} = ?2 WHERE {rowid} = ?1"),
            update: format!(
                "UPDATE OR ABORT main.{table} SET {} WHERE {rowid} = ?{}",
                sets.join(", "),
                names.len() + 1
            ),
            insert: format!(
                "INSERT OR ABORT INTO main.{table} ({}) VALUES ({})",
                names.join(", "),
                values.join(", ")
            ),
        }
    }

    pub(super) fn next_parking_id(&mut self) -> i64 {
        self.parking_id = self.parking_id.wrapping_sub(1);
        self.parking_id
    }

    /// The row id of a record's key.
    pub(super) fn find(
        &self,
        connection: &Connection,
        record: &Record,
    ) -> rusqlite::Result<Option<i64>> {
        with_values(record, |values| {
            let columns = self.spec.columns.iter().zip(values);
            let key: Vec<&dyn ToSql> = columns
                .filter(|(column, _)| self.spec.key.contains(&column.name))
                .map(|(_, value)| *value)
                .collect();
            let mut statement = connection.prepare_cached(&self.find)?;
            statement
                .query_row(key.as_slice(), |row| row.get(0))
                .optional()
        })
    }

    pub(super) fn has_row(&self, connection: &Connection, rowid: i64) -> rusqlite::Result<bool> {
        connection.prepare_cached(&self.has_row)?.exists([rowid])
    }

    pub(super) fn move_row(
        &self,
        connection: &Connection,
        from: i64,
        to: i64,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(&self.move_row)?;
        statement.execute([from, to]).map(|_| ())
    }

    /// The first column that the table lacks and for which the record has a value.
    pub(super) fn has_no_place_for(&self, record: &Record) -> Option<&'static str> {
        if self.present.iter().all(|present| *present) {
            return None;
        }
        with_values(record, |values| {
            let columns = self.spec.columns.iter().zip(&self.present).zip(values);
            let mut lacking = columns.filter(|((_, present), _)| !**present);
            Ok(lacking.find_map(|((column, _), value)| {
                let is_null = matches!(
                    value.to_sql(),
                    Ok(rusqlite::types::ToSqlOutput::Owned(
                        rusqlite::types::Value::Null
                    )) | Ok(rusqlite::types::ToSqlOutput::Borrowed(
                        rusqlite::types::ValueRef::Null
                    ))
                );
                (!is_null).then_some(column.name)
            }))
        })
        .unwrap_or_default()
    }

    /// Writes a record over the row of its key, or as a new row.
    pub(super) fn write(&self, connection: &Connection, record: &Record) -> rusqlite::Result<()> {
        let rowid = self.find(connection, record)?;
        with_values(record, |values| {
            let columns = values.iter().zip(&self.present);
            let mut written: Vec<&dyn ToSql> = columns
                .filter(|(_, present)| **present)
                .map(|(value, _)| *value)
                .collect();
            let sql = match &rowid {
                Some(rowid) => {
                    written.push(rowid);
                    &self.update
                }
                None => &self.insert,
            };
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute(written.as_slice()).map(|_| ())
        })
    }
}

const fn kind_has_id(kind: RecordKind) -> bool {
    match kind {
        RecordKind::Chunk | RecordKind::ExecutionLog => true,
        RecordKind::FileMetrics | RecordKind::SymbolMetrics => false,
    }
}
