//! Writes a record over the row with its key, or as a new row.

use rusqlite::Connection;
use rusqlite::types::ToSql;

use crate::record::Record;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::schema::TableSpec;
use crate::sqlite::write::key_lookup::KeyLookup;
use crate::sqlite::write::writer::with_values;

/// The row to which a record was written.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "native-v2"),
    expect(dead_code, reason = "only merges look at it")
)]
pub(in crate::sqlite) struct WrittenRow {
    pub(in crate::sqlite) rowid: i64,
    pub(in crate::sqlite) is_new: bool,
}

/// The statements that write records of a kind into an existing table.
#[derive(Debug)]
pub(in crate::sqlite) struct Upsert {
    spec: &'static TableSpec,
    id_is_rowid: bool,
    /// For each column of the spec: whether the table has it.
    present: Vec<bool>,
    lookup: KeyLookup,
    update: String,
    insert: String,
}

impl Upsert {
    pub(in crate::sqlite) fn new(layout: &TableColumns, lookup: KeyLookup) -> Self {
        let spec = layout.spec;
        let (table, rowid) = (spec.name, layout.rowid);
        let names: Vec<&str> = layout.present_columns().collect();
        let sets: Vec<String> = (1..)
            .zip(&names)
            .map(|(index, name)| format!("{name} = ?{index}"))
            .collect();
        let values: Vec<String> = (1..=names.len()).map(|index| format!("?{index}")).collect();
        Upsert {
            spec,
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
    pub(in crate::sqlite) fn lookup(&self) -> &KeyLookup {
        &self.lookup
    }

    /// The first column that the table lacks although the record has a value for it.
    pub(in crate::sqlite) fn missing_column_for(&self, record: &Record) -> Option<&'static str> {
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

    /// The SQL that inserts a record, and the SQL that overwrites a row.
    pub(in crate::sqlite) fn statements(&self) -> [&str; 2] {
        [&self.insert, &self.update]
    }

    /// Overwrites the row of the record's key, or inserts a new row.
    pub(in crate::sqlite) fn write(
        &self,
        connection: &Connection,
        record: &Record,
    ) -> rusqlite::Result<WrittenRow> {
        let found = self.lookup.find(connection, &record.key())?;
        with_values(record, |values| {
            let columns = values.iter().zip(&self.present);
            let mut written: Vec<&dyn ToSql> = columns
                .filter(|(_, present)| **present)
                .map(|(value, _)| *value)
                .collect();
            let sql = match &found {
                Some(rowid) => {
                    written.push(rowid);
                    &self.update
                }
                None => &self.insert,
            };
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute(written.as_slice())?;
            let id = record.id().filter(|_| self.id_is_rowid);
            Ok(WrittenRow {
                rowid: id
                    .or(found)
                    .unwrap_or_else(|| connection.last_insert_rowid()),
                is_new: found.is_none(),
            })
        })
    }
}
