//! The index that holds the key columns of a table, which is smaller to read than the table.
//!
//! It is not trusted. It only tells which rows to fetch in which order: each row is fetched from the
//! table and has its key computed again, none may come twice, and there must be as many as the table
//! itself has. An index that says anything else than its table is found out.

use rusqlite::{Connection, OptionalExtension as _};

use crate::sqlite::schema::TableSpec;

/// The name of an index over all rows of a table that has all its key columns, if there is one.
pub(in crate::sqlite) fn find(
    connection: &Connection,
    spec: &TableSpec,
) -> rusqlite::Result<Option<String>> {
    let key_columns = serde_json::json!(spec.key).to_string();
    let sql = "SELECT l.name FROM pragma_index_list(?1, 'main') AS l
         WHERE NOT l.partial AND NOT EXISTS (
             SELECT 1 FROM json_each(?2) AS k WHERE k.value COLLATE NOCASE NOT IN (
                 SELECT x.name FROM pragma_index_info(l.name, 'main') AS x WHERE x.cid >= 0))
         ORDER BY l.name LIMIT 1";
    connection
        .query_row(sql, (spec.name, key_columns), |row| row.get(0))
        .optional()
}
