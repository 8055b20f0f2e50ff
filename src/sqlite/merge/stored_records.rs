//! Checks the stored form of records in a table whose declared types may convert values.

use rusqlite::{Connection, OptionalExtension as _};

use crate::record::{FieldValues, RecordKind};
use crate::sqlite::affinity::Affinity;
use crate::sqlite::read::row::read_values;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::write::rejection::Rejection;
use crate::stream::InvalidReason;

/// Checks the stored form of records in a table whose declared types may convert values.
#[derive(Debug)]
pub(crate) struct StoredRecords {
    kind: RecordKind,
    encoding: TextEncoding,
    select: String,
    /// The columns that may convert a value, with their declared types.
    converting: Vec<(&'static str, String)>,
}

impl StoredRecords {
    /// `None` for a table that stores every record unchanged.
    pub(crate) fn of(
        connection: &Connection,
        layout: &TableColumns,
        kind: RecordKind,
        encoding: TextEncoding,
    ) -> rusqlite::Result<Option<Self>> {
        let mut converting = Vec::new();
        let sql = "SELECT c.type, t.strict
            FROM pragma_table_list(?1) AS t, pragma_table_xinfo(?1, 'main') AS c
            WHERE t.schema = 'main' AND c.name = ?2 COLLATE NOCASE";
        for column in layout.schema.fields {
            let declared = connection
                .query_row(sql, (layout.schema.table, column.name), |row| {
                    Ok((row.get::<_, String>(0)?, row.get(1)?))
                })
                .optional()?;
            if let Some((declared, is_strict)) = declared
                && !Affinity::of(&declared, is_strict).keeps(column.class)
            {
                converting.push((column.name, declared));
            }
        }
        let select = format!(
            "SELECT {} FROM {} WHERE t.{} = ?1",
            layout.select_list(),
            layout.table_clause(),
            layout.rowid
        );
        Ok((!converting.is_empty()).then_some(StoredRecords { kind, encoding, select, converting }))
    }

    /// Returns the reason if the stored row differs from the record that was written.
    pub(crate) fn check(
        &self,
        connection: &Connection,
        record: &FieldValues<'_>,
        rowid: i64,
    ) -> rusqlite::Result<Option<Rejection>> {
        let mut statement = connection.prepare_cached(&self.select)?;
        statement.query_row([rowid], |row| {
            let stored = read_values(self.kind.schema(), row, self.encoding)?;
            let is_same = |stored: &FieldValues<'_>| stored.values() == record.values();
            if stored.as_ref().is_ok_and(is_same) {
                return Ok(None);
            }
            let (column, declared) = match &stored {
                Err(fault) => self.converting.iter().find(|(name, _)| *name == fault.column),
                Ok(_) => None,
            }
            .or(self.converting.first())
            .map_or(("", ""), |(column, declared)| (*column, declared.as_str()));
            let class = row.get_ref(column)?.data_type().to_string().to_uppercase();
            let message = format!(
                "the target's column {column} is declared {declared} and would store the value as {class}"
            );
            Ok(Some(Rejection::new(column, InvalidReason::StorageClass, message)))
        })
    }
}
