//! Writes a record over the row with its key, or as a new row.

use rusqlite::{Connection, params_from_iter};

use crate::record::{FieldValues, Value};
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::write::key_lookup::KeyLookup;

/// The row to which a record was written.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "native-v2"), expect(dead_code, reason = "only merges look at it"))]
pub(crate) struct WrittenRow {
    pub(crate) rowid: i64,
    pub(crate) is_new: bool,
}

/// The statements that write records of a kind into an existing table.
#[derive(Debug)]
pub(crate) struct Upsert {
    id_is_rowid: bool,
    /// For each field of the schema: whether the table has its column.
    present: Vec<bool>,
    lookup: KeyLookup,
    update: String,
    insert: String,
}

impl Upsert {
    pub(crate) fn new(layout: &TableColumns, lookup: KeyLookup) -> Self {
        let (table, rowid) = (layout.schema.table, layout.rowid);
        let names: Vec<&str> = layout.present_columns().collect();
        let sets: Vec<String> =
            (1..).zip(&names).map(|(index, name)| format!("{name} = ?{index}")).collect();
        let values: Vec<String> = (1..=names.len()).map(|index| format!("?{index}")).collect();
        Upsert {
            id_is_rowid: layout.id_is_rowid,
            present: layout.presence().to_vec(),
            lookup,
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

    /// The lookup that finds rows by key.
    pub(crate) fn lookup(&self) -> &KeyLookup {
        &self.lookup
    }

    /// The first column that the table lacks although the record has a value for it.
    pub(crate) fn missing_column_for(&self, record: &FieldValues<'_>) -> Option<&'static str> {
        let mut columns = record.iter().zip(&self.present);
        columns.find_map(|((field, value), present)| {
            (!present && *value != Value::Null).then_some(field.name)
        })
    }

    /// The SQL that inserts a record, and the SQL that overwrites a row.
    pub(crate) fn statements(&self) -> [&str; 2] {
        [&self.insert, &self.update]
    }

    /// Overwrites the row of the record's key, or inserts a new row.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        record: &FieldValues<'_>,
    ) -> rusqlite::Result<WrittenRow> {
        let found = self.lookup.find(connection, record.key())?;
        let columns = record.values().iter().zip(&self.present);
        let written = columns.filter_map(|(value, present)| present.then_some(value));
        let rowid = found.map(Value::Integer);
        let sql = match found {
            Some(_) => &self.update,
            None => &self.insert,
        };
        let mut statement = connection.prepare_cached(sql)?;
        statement.execute(params_from_iter(written.chain(&rowid)))?;
        let id = record.id().filter(|_| self.id_is_rowid);
        Ok(WrittenRow {
            rowid: id.or(found).unwrap_or_else(|| connection.last_insert_rowid()),
            is_new: found.is_none(),
        })
    }
}
