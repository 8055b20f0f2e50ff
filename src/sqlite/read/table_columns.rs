//! The columns of a table in a particular database, and SQL to read them.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{Error, Result};
use crate::record::{Field, FieldClass, KindSchema, RecordKind};
use crate::sqlite::schema::{key_function, quoted};
use crate::sqlite::write::key_index;

/// A record table in a particular database.
#[derive(Debug)]
pub(crate) struct TableColumns {
    pub(crate) schema: &'static KindSchema,
    /// For each field of the schema: whether the table has its column.
    present: Vec<bool>,
    /// Columns that belong to no field, spelled as in the table.
    pub(crate) unknown: Vec<String>,
    /// A name for the row id that no column hides.
    pub(crate) rowid: &'static str,
    /// Whether the id column is the row id itself.
    pub(crate) id_is_rowid: bool,
    /// An index that contains all key columns.
    key_index: Option<String>,
    /// Whether text is stored as UTF-16, so that its bytes must be selected separately.
    utf16: bool,
}

impl TableColumns {
    /// Reads the columns of a table; `None` if the table does not exist.
    pub(crate) fn read(
        connection: &Connection,
        path: &Path,
        kind: RecordKind,
        utf16: bool,
    ) -> Result<Option<TableColumns>> {
        let schema = kind.schema();
        let engine = |source| Error::from_engine("read the schema of", path, source);
        let found = connection
            .query_row(
                "SELECT type, wr FROM pragma_table_list(?1) WHERE schema = 'main'",
                [schema.table],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)),
            )
            .optional()
            .map_err(engine)?;
        let found = match found.as_ref().map(|(kind, wr)| (kind.as_str(), *wr)) {
            None => return Ok(None),
            Some(("table", false)) => None,
            Some(("table", true)) => Some("a WITHOUT ROWID table"),
            Some(("view", _)) => Some("a view"),
            Some(("virtual", _)) => Some("a virtual table"),
            Some(_) => Some("part of a virtual table"),
        };
        let not_a_table =
            |found| Error::NotATable { path: path.to_owned(), table: schema.table, found };
        if let Some(found) = found {
            return Err(not_a_table(found));
        }
        let names: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_xinfo(?1, 'main')")
            .and_then(|mut statement| {
                statement.query_map([schema.table], |row| row.get(0))?.collect()
            })
            .map_err(engine)?;
        let id_is_rowid = connection
            .query_row(
                // INTEGER PRIMARY KEY DESC is not a row id: it has an index of its own.
                "SELECT count(*) = 1 AND max(name = ?2 COLLATE NOCASE AND type = 'INTEGER' COLLATE NOCASE)
                    AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk')
                 FROM pragma_table_xinfo(?1, 'main') WHERE pk > 0",
                (schema.table, schema.id()),
                |row| row.get::<_, Option<bool>>(0),
            )
            .map_err(engine)?
            .unwrap_or(false);
        let is = |name: &str| names.iter().any(|found| found.eq_ignore_ascii_case(name));

        let present: Vec<bool> = schema.fields.iter().map(|column| is(column.name)).collect();
        for (column, present) in schema.fields.iter().zip(&present) {
            if !present && !column.nullable {
                return Err(Error::MissingColumn {
                    path: path.to_owned(),
                    table: schema.table,
                    column: column.name,
                });
            }
        }
        let rowid = ["rowid", "_rowid_", "oid"]
            .into_iter()
            .find(|name| !is(name))
            .ok_or_else(|| not_a_table("a table whose columns hide its rowid"))?;
        let unknown = names
            .iter()
            .filter(|name| {
                !schema.fields.iter().any(|column| column.name.eq_ignore_ascii_case(name))
            })
            .cloned()
            .collect();
        Ok(Some(TableColumns {
            schema,
            present,
            unknown,
            rowid,
            id_is_rowid,
            key_index: key_index::find(connection, schema).map_err(engine)?,
            utf16,
        }))
    }

    /// For each field of the schema: whether the table has its column.
    pub(crate) fn presence(&self) -> &[bool] {
        &self.present
    }

    /// The columns of fields that the table has.
    pub(crate) fn present_columns(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.schema.fields.iter().zip(&self.present);
        columns.filter(|(_, present)| **present).map(|(column, _)| column.name)
    }

    /// The table's name in SQL, with the alias `t`.
    pub(crate) fn table_clause(&self) -> String {
        // NOT INDEXED: a corrupt index must neither hide a row nor supply a value.
        format!("main.{} AS t NOT INDEXED", self.schema.table)
    }

    /// The number of rows, counted in the table itself.
    pub(crate) fn count_rows(&self, connection: &Connection) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", self.table_clause());
        connection.query_row(&sql, [], |row| row.get(0))
    }

    /// As [`TableColumns::table_clause`], but using an index with all key columns if there is one.
    pub(crate) fn ordering_clause(&self) -> String {
        match &self.key_index {
            Some(index) => format!("main.{} AS t INDEXED BY {}", self.schema.table, quoted(index)),
            None => self.table_clause(),
        }
    }

    /// SQL for the columns of the fields in order, NULL for missing ones. In a UTF-16 database the
    /// same number of columns follows, with the stored bytes of text columns.
    pub(crate) fn select_list(&self) -> String {
        let columns = || self.schema.fields.iter().zip(&self.present);
        let values = columns().map(|(column, present)| match present {
            true => format!("t.{}", column.name),
            false => "NULL".to_owned(),
        });
        let bytes = columns().filter(|_| self.utf16);
        let bytes = bytes.map(|(Field { name, .. }, present)| match present {
            true => format!("CASE typeof(t.{name}) WHEN 'text' THEN CAST(t.{name} AS BLOB) END"),
            false => "NULL".to_owned(),
        });
        values.chain(bytes).collect::<Vec<_>>().join(", ")
    }

    /// SQL that computes the key of a row, NULL if it has no valid key.
    pub(crate) fn key_expression(&self) -> String {
        let arguments = self.schema.key_names().map(|name| format!("t.{name}"));
        let text_bytes = match self.utf16 && self.has_text_key() {
            true => format!("CAST(t.{} AS BLOB)", self.schema.first_of_key().name),
            false => "NULL".to_owned(),
        };
        format!(
            "{}({text_bytes}, {})",
            key_function(self.schema),
            arguments.collect::<Vec<_>>().join(", ")
        )
    }

    /// SQL for the size of a row in bytes: of all its text, and of the text in its key.
    pub(crate) fn size_expressions(&self) -> (String, String) {
        let length = |name: &str| format!("ifnull(octet_length(t.{name}), 0)");
        let all: Vec<String> = self.text_columns().map(length).collect();
        let key = match self.has_text_key() {
            true => length(self.schema.first_of_key().name),
            false => "0".to_owned(),
        };
        (all.join(" + "), key)
    }

    fn has_text_key(&self) -> bool {
        self.schema.first_of_key().class == FieldClass::Text
    }

    fn text_columns(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.schema.fields.iter().zip(&self.present);
        columns
            .filter(|(column, present)| **present && column.class == FieldClass::Text)
            .map(|(column, _)| column.name)
    }
}

/// SQL that compares columns of the table `t` with the same number of parameters, byte by byte
/// regardless of their collation.
pub(crate) fn all_equal(columns: impl Iterator<Item = &'static str>) -> String {
    let equal = |(index, column)| format!("t.{column} = ?{index} COLLATE BINARY");
    (1..).zip(columns).map(equal).collect::<Vec<_>>().join(" AND ")
}
