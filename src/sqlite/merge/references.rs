//! Foreign keys: rows that refer to records, and records whose parent rows are missing.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::error::{Error, Result};
use crate::record::FieldValues;
use crate::sqlite::read::other_tables::{columns_of_table, shown_name};
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::schema::quoted;

/// A foreign key that refers to record columns which a merge may change.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The table with the foreign key.
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    /// The referenced columns of the record table.
    referenced: Vec<String>,
}

impl Reference {
    /// The foreign keys that refer to a record table by columns other than its key, which never
    /// changes.
    pub(crate) fn to(
        connection: &Connection,
        layout: &TableColumns,
    ) -> rusqlite::Result<Vec<Self>> {
        let schema = layout.schema;
        // A foreign key without column names refers to the primary key.
        let mut statement = connection.prepare(
            "SELECT m.name, f.id, f.\"from\", coalesce(f.\"to\", (
                 SELECT p.name FROM pragma_table_xinfo(?1, 'main') AS p WHERE p.pk = f.seq + 1))
             FROM main.sqlite_schema AS m, pragma_foreign_key_list(m.name, 'main') AS f
             WHERE m.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE
             ORDER BY m.name, f.id, f.seq",
        )?;
        let mut rows = statement.query([schema.table])?;
        let mut all: Vec<(i64, Reference)> = Vec::new();
        while let Some(row) = rows.next()? {
            let table = shown_name(row.get_ref(0)?);
            let id = row.get(1)?;
            let (column, referenced) = (shown_name(row.get_ref(2)?), shown_name(row.get_ref(3)?));
            match all.last_mut() {
                Some((last, reference)) if *last == id && reference.table == table => {
                    reference.columns.push(column);
                    reference.referenced.push(referenced);
                }
                _ => all.push((
                    id,
                    Reference { table, columns: vec![column], referenced: vec![referenced] },
                )),
            }
        }
        let may_change = |name: &String| {
            layout.present_columns().any(|column| {
                column.eq_ignore_ascii_case(name) && !schema.key_names().any(|key| key == column)
            })
        };
        let exists = |name: &String| {
            let is = |column: &str| column.eq_ignore_ascii_case(name);
            layout.present_columns().any(is) || layout.unknown.iter().any(|column| is(column))
        };
        let references = all.into_iter().map(|(_, reference)| reference);
        // A foreign key to a missing column can never be satisfied.
        let references = references.filter(|r| r.referenced.iter().all(exists));
        Ok(references.filter(|r| r.referenced.iter().any(may_change)).collect())
    }

    fn refers_to(&self, column: &str) -> bool {
        let mut names = self.referenced.iter();
        names.any(|name| name.eq_ignore_ascii_case(column))
    }
}

/// The rows overwritten by a merge whose referenced columns would change.
#[derive(Debug)]
pub(crate) struct ChangingRows {
    references: Vec<Reference>,
    /// For each reference, SQL that adds a row if its referenced columns would change.
    add: Vec<String>,
    /// For each reference, the indexes of the columns that the SQL takes as parameters.
    taken: Vec<Vec<usize>>,
}

impl ChangingRows {
    /// `None` if no foreign key refers to columns of the table that may change.
    pub(crate) fn of(
        connection: &Connection,
        layout: &TableColumns,
    ) -> rusqlite::Result<Option<Self>> {
        let references = Reference::to(connection, layout)?;
        if references.is_empty() {
            return Ok(None);
        }
        connection.execute_batch(
            "DROP TABLE IF EXISTS temp.chunkmigrate_changing;
             CREATE TEMP TABLE chunkmigrate_changing
                 (reference INTEGER, row_id INTEGER, record_key BLOB, PRIMARY KEY (reference, row_id))
                 WITHOUT ROWID;",
        )?;
        let (table, rowid) = (layout.schema.table, layout.rowid);
        let (mut add, mut taken) = (Vec::new(), Vec::new());
        for (index, reference) in references.iter().enumerate() {
            let columns = layout.schema.fields.iter().enumerate();
            let columns: Vec<_> = columns.filter(|(_, c)| reference.refers_to(c.name)).collect();
            let differs = (3..).zip(&columns).map(|(parameter, (_, column))| {
                format!("p.{} IS NOT ?{parameter} COLLATE BINARY", column.name)
            });
            add.push(format!(
                "INSERT OR IGNORE INTO temp.chunkmigrate_changing
                 SELECT {index}, p.{rowid}, ?2 FROM main.{table} AS p
                 WHERE p.{rowid} = ?1 AND ({})",
                differs.collect::<Vec<_>>().join(" OR ")
            ));
            taken.push(columns.into_iter().map(|(place, _)| place).collect());
        }
        Ok(Some(ChangingRows { references, add, taken }))
    }

    /// Adds a row to be overwritten with these values, if a referenced column would change.
    pub(crate) fn note(
        &self,
        connection: &Connection,
        rowid: i64,
        key: &[u8],
        record: &FieldValues<'_>,
    ) -> rusqlite::Result<()> {
        for (sql, taken) in self.add.iter().zip(&self.taken) {
            let mut parameters: Vec<&dyn ToSql> = vec![&rowid, &key];
            parameters.extend(taken.iter().map(|place| record.get(*place) as &dyn ToSql));
            connection.prepare_cached(sql)?.execute(parameters.as_slice())?;
        }
        Ok(())
    }

    /// A row that refers to a row whose referenced columns would change, if there is one.
    pub(crate) fn find_reference(
        &self,
        connection: &Connection,
        layout: &TableColumns,
    ) -> rusqlite::Result<Option<ChangingReference>> {
        for (index, reference) in self.references.iter().enumerate() {
            let pairs = reference.referenced.iter().zip(&reference.columns);
            let pairs = pairs.map(|(to, from)| format!("p.{} = c.{}", quoted(to), quoted(from)));
            let sql = format!(
                "SELECT x.record_key FROM main.{} AS c JOIN main.{} AS p ON {}
                 JOIN temp.chunkmigrate_changing AS x ON x.reference = {index} AND x.row_id = p.{}
                 LIMIT 1",
                quoted(&reference.table),
                layout.schema.table,
                pairs.collect::<Vec<_>>().join(" AND "),
                layout.rowid,
            );
            let key = connection.query_row(&sql, [], |row| row.get(0)).optional()?;
            if let Some(key) = key {
                return Ok(Some(ChangingReference {
                    table: reference.table.clone(),
                    columns: reference.columns.clone(),
                    key,
                }));
            }
        }
        Ok(None)
    }
}

/// A reference to a record whose referenced columns would change.
#[derive(Debug)]
pub(crate) struct ChangingReference {
    /// The table with the foreign key.
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    /// The key of the record.
    pub(crate) key: Vec<u8>,
}

pub(crate) fn has_foreign_keys(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM pragma_foreign_key_list(?1, 'main')")?.exists([table])
}

/// Calls `visit` with the row ids of a table whose parent rows are missing, and why that is wrong, in
/// one sentence without a full stop.
pub(crate) fn visit_missing_parents(
    connection: &Connection,
    layout: &TableColumns,
    failed: &dyn Fn(rusqlite::Error) -> Error,
    visit: &mut dyn FnMut(i64, String) -> Result<()>,
) -> Result<()> {
    let mut check = connection
        .prepare("SELECT rowid, parent, fkid FROM pragma_foreign_key_check(?1, 'main')")
        .map_err(failed)?;
    let mut rows = check.query([layout.schema.table]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (rowid, message) = missing_parent(connection, layout, row).map_err(failed)?;
        visit(rowid, message)?;
    }
    Ok(())
}

fn missing_parent(
    connection: &Connection,
    layout: &TableColumns,
    row: &Row<'_>,
) -> rusqlite::Result<(i64, String)> {
    let (table, rowid) = (layout.schema.table, layout.rowid);
    let (id, key): (i64, i64) = (row.get(0)?, row.get(2)?);
    let parent = shown_name(row.get_ref(1)?);
    let mut columns = connection.prepare_cached(
        "SELECT \"from\" FROM pragma_foreign_key_list(?1, 'main') WHERE id = ?2 ORDER BY seq",
    )?;
    let columns = columns.query_map((table, key), |row| row.get_ref(0).map(shown_name))?;
    let columns: Vec<String> = columns.collect::<Result<_, _>>()?;
    let values = columns.iter().map(|column| {
        let sql = format!(
            "SELECT CAST(c.{} AS TEXT) FROM main.{table} AS c WHERE c.{rowid} = ?1",
            quoted(column)
        );
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_row([id], |row| row.get_ref(0).map(shown_name))
    });
    let values: Vec<String> = values.collect::<Result<_, _>>()?;
    let (columns, values) = (columns.join(", "), values.join(", "));
    let message = match parent.as_str() {
        "graph_entities" => format!("graph entity {values} does not exist: index its file first"),
        _ if columns_of_table(connection, &parent)?.is_none() => {
            format!("{columns} references {values} in {parent}, but that table does not exist")
        }
        _ => format!("{columns} references {values}, which does not exist in {parent}"),
    };
    Ok((id, message))
}
