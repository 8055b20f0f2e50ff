//! Finds the index that contains the key columns of a table, which is smaller to read than the
//! table.
//!
//! It is not trusted. It only determines the order in which rows are read: each row is read from
//! the table and its key is recomputed, no row may occur twice, and the number of rows must equal
//! the table's. So an index that differs from its table is detected.

use rusqlite::{Connection, OptionalExtension as _};

use crate::record::KindSchema;

/// The name of an index over all rows of a table that contains all its key columns, if there is
/// one.
pub(crate) fn find(
    connection: &Connection,
    schema: &KindSchema,
) -> rusqlite::Result<Option<String>> {
    let key_columns = serde_json::json!(schema.key_names().collect::<Vec<_>>()).to_string();
    let sql = "SELECT l.name FROM pragma_index_list(?1, 'main') AS l
         WHERE NOT l.partial AND NOT EXISTS (
             SELECT 1 FROM json_each(?2) AS k WHERE k.value COLLATE NOCASE NOT IN (
                 SELECT x.name FROM pragma_index_info(l.name, 'main') AS x WHERE x.cid >= 0))
         ORDER BY l.name LIMIT 1";
    connection.query_row(sql, (schema.table, key_columns), |row| row.get(0)).optional()
}
