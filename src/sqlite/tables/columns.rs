//! Columns and keys of tables that exist.

use std::collections::HashMap;

use rusqlite::{Connection, Result};

#[cfg(feature = "native-v2")]
use crate::sqlite::affinity::Affinity;
use crate::sqlite::read::other_tables::shown_name;
use crate::table::{TableSchema, free_rowid_name};

/// The name by which a table's rowid can be addressed; `None` if columns hide all of them.
pub(super) fn rowid_name(connection: &Connection, table: &str) -> Result<Option<&'static str>> {
    let sql = "SELECT name FROM pragma_table_xinfo(?1, 'main')";
    let mut statement = connection.prepare_cached(sql)?;
    let columns: Vec<String> = statement
        .query_map([table], |row| row.get_ref(0).map(shown_name))?
        .collect::<Result<_>>()?;
    Ok(free_rowid_name(&columns))
}

/// The affinities of a table's columns in order, without generated ones.
#[cfg(feature = "native-v2")]
pub(super) fn affinities(connection: &Connection, table: &str) -> Result<Vec<Affinity>> {
    let sql = "SELECT type FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0 ORDER BY cid";
    let mut statement = connection.prepare_cached(sql)?;
    let declared: Vec<String> = statement
        .query_map([table], |row| row.get_ref(0).map(shown_name))?
        .collect::<Result<_>>()?;
    let is_strict = match declared.iter().any(|declared| declared.eq_ignore_ascii_case("ANY")) {
        false => false,
        true => connection.query_row(
            "SELECT strict FROM pragma_table_list(?1) WHERE schema = 'main'",
            [table],
            |row| row.get(0),
        )?,
    };
    Ok(declared.iter().map(|declared| Affinity::of(declared, is_strict)).collect())
}

/// What SQLite says about all tables. It takes as long for one as for all.
pub(super) struct TableList(HashMap<String, Listed>);

/// A table in the list.
struct Listed {
    /// `table`, `virtual` or `shadow`.
    table_type: String,
    without_rowid: bool,
}

impl TableList {
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let sql = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'";
        let mut statement = connection.prepare(sql)?;
        let tables = statement.query_map([], |row| {
            let listed = Listed { table_type: row.get(1)?, without_rowid: row.get(2)? };
            Ok((row.get_ref(0).map(shown_name)?, listed))
        })?;
        tables.collect::<Result<_>>().map(TableList)
    }

    pub(super) fn is_virtual(&self, table: &str) -> bool {
        self.0.get(table).is_some_and(|listed| listed.table_type == "virtual")
    }

    /// Whether it is neither virtual nor part of a virtual table.
    pub(super) fn is_ordinary(&self, table: &str) -> bool {
        self.0.get(table).is_some_and(|listed| listed.table_type == "table")
    }

    pub(super) fn is_without_rowid(&self, table: &str) -> bool {
        self.0.get(table).is_some_and(|listed| listed.without_rowid)
    }
}

/// The columns and the key of a table as its statement defines them.
pub(super) struct Shape {
    /// The columns in order, without generated ones.
    pub(super) columns: Vec<String>,
    /// The places of the primary key, in the order of the key.
    pub(super) key: Vec<usize>,
    /// Whether the rowid is no column.
    pub(super) rowid: bool,
}

impl Shape {
    pub(super) fn read(connection: &Connection, table: &str, list: &TableList) -> Result<Self> {
        let sql =
            "SELECT name, pk FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0 ORDER BY cid";
        let mut statement = connection.prepare_cached(sql)?;
        let columns: Vec<(String, i64)> = statement
            .query_map([table], |row| Ok((row.get_ref(0).map(shown_name)?, row.get(1)?)))?
            .collect::<Result<_>>()?;
        let mut key: Vec<(i64, usize)> = columns
            .iter()
            .enumerate()
            .filter_map(|(place, (_, pk))| (*pk > 0).then_some((*pk, place)))
            .collect();
        key.sort_unstable();
        // A primary key that is not the rowid has an index of its own.
        let sql = "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk')";
        let has_key_index: bool =
            connection.prepare_cached(sql)?.query_row([table], |row| row.get(0))?;
        let is_alias = !key.is_empty() && !has_key_index && !list.is_without_rowid(table);
        Ok(Shape {
            columns: columns.into_iter().map(|(name, _)| name).collect(),
            key: key.into_iter().map(|(_, place)| place).collect(),
            rowid: !is_alias && !list.is_without_rowid(table),
        })
    }

    /// Whether a description has the same columns and key.
    pub(super) fn is_claimed(&self, table: &TableSchema) -> bool {
        (&self.columns, &self.key, self.rowid) == (&table.columns, &table.key, table.rowid)
    }
}
