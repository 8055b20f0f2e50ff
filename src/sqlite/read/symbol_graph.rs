//! Checks that metrics are stored under the id of their own symbol in Magellan's graph, whose
//! entity ids differ between runs of the indexer.

use rusqlite::{Connection, Row};

use crate::error::{Error, Result};
use crate::record::RecordKind;
use crate::sqlite::read::other_tables::{columns_of_table, shown_name};

const GRAPH: &str = "graph_entities";

/// A row of metrics whose id belongs to a different symbol in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongSymbol {
    /// The row id.
    pub(crate) rowid: i64,
    /// The id in the row.
    pub(crate) symbol_id: i64,
    /// One sentence without a full stop.
    pub(crate) message: String,
}

/// Whether a database has a graph in which symbols can be looked up.
pub(crate) fn has_graph(connection: &Connection) -> rusqlite::Result<bool> {
    let columns = columns_of_table(connection, GRAPH)?.unwrap_or_default();
    let has = |name: &str| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
    Ok(["id", "name", "file_path"].into_iter().all(has))
}

/// Calls `visit` for every row of metrics whose symbol is a different one in the graph: one with
/// another name; or one in another file, if no other entity has the name and file of the metrics
/// (Magellan itself confuses symbols with the same name). `among` selects the row ids to check, all
/// by default.
///
/// The database must have a graph, and the columns `symbol_id`, `symbol_name` and `file_path`.
pub(crate) fn visit_wrong_symbols(
    connection: &Connection,
    among: Option<&str>,
    failed: &dyn Fn(rusqlite::Error) -> Error,
    visit: &mut dyn FnMut(WrongSymbol) -> Result<()>,
) -> Result<()> {
    let table = RecordKind::SymbolMetrics.table();
    let among = match among {
        Some(select) => format!("AND m.rowid IN ({select})"),
        None => String::new(),
    };
    let pairs = format!(
        "FROM main.{table} AS m JOIN main.{GRAPH} AS e ON e.id = m.symbol_id
         WHERE typeof(m.symbol_id) = 'integer' {among}"
    );
    // In two steps: only few rows, if any, need the other entities. These are found by a temporary
    // index that SQLite builds for the query if the graph has none.
    let collect = format!(
        "DROP TABLE IF EXISTS temp.chunkmigrate_suspects;
         CREATE TEMP TABLE chunkmigrate_suspects AS
         SELECT m.rowid AS row_id, m.symbol_id, m.symbol_name, m.file_path,
                e.name AS entity_name, e.file_path AS entity_path,
                e.name IS NOT m.symbol_name COLLATE BINARY AS differs_in_name
         {pairs} AND (e.name IS NOT m.symbol_name COLLATE BINARY
                      OR e.file_path IS NOT m.file_path COLLATE BINARY);"
    );
    connection.execute_batch(&collect).map_err(failed)?;
    let sql = format!(
        "SELECT s.row_id, s.symbol_id, s.symbol_name, s.file_path, s.entity_name, s.entity_path
         FROM temp.chunkmigrate_suspects AS s LEFT JOIN main.{GRAPH} AS other
             ON other.name = s.symbol_name COLLATE BINARY
             AND other.file_path = s.file_path COLLATE BINARY AND NOT s.differs_in_name
         WHERE other.id IS NULL ORDER BY s.row_id"
    );
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        visit(wrong_symbol(row).map_err(failed)?)?;
    }
    Ok(())
}

fn wrong_symbol(row: &Row<'_>) -> rusqlite::Result<WrongSymbol> {
    let text = |column| row.get_ref(column).map(shown_name);
    let symbol_id = row.get(1)?;
    let (own, there) = ([text(2)?, text(3)?], [text(4)?, text(5)?]);
    Ok(WrongSymbol {
        rowid: row.get(0)?,
        symbol_id,
        message: other_symbol("the graph", symbol_id, there, own),
    })
}

/// The message that an id belongs to one symbol and its metrics to another; each is a name and a
/// file.
pub(crate) fn other_symbol(
    place: &str,
    symbol_id: i64,
    [there, there_path]: [String; 2],
    [own, own_path]: [String; 2],
) -> String {
    format!(
        "in {place} the symbol {symbol_id} is {there} in {there_path}, the metrics are of {own} in {own_path}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(graph: &str, metrics: &str) -> Vec<i64> {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&format!(
            "CREATE TABLE graph_entities (id INTEGER PRIMARY KEY, kind, name, file_path);
             CREATE TABLE symbol_metrics (symbol_id INTEGER PRIMARY KEY, symbol_name, file_path);
             INSERT INTO graph_entities VALUES {graph};
             INSERT INTO symbol_metrics VALUES {metrics};"
        ))
        .unwrap();
        let mut found = Vec::new();
        let failed = |error| panic!("{error}");
        visit_wrong_symbols(&db, None, &failed, &mut |wrong| {
            found.push(wrong.symbol_id);
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn a_symbol_differs_by_name_or_by_file_if_no_entity_has_both() {
        let graph = "(1, '', 'one', 'a.rs'), (2, '', 'two', 'a.rs'), (3, '', 'one', 'b.rs'),
            (4, '', NULL, NULL), (5, '', 'One', 'a.rs')";
        for (metrics, expected) in [
            ("(1, 'one', 'a.rs'), (2, 'two', 'a.rs')", [].as_slice()),
            ("(1, 'two', 'a.rs')", &[1]),
            // The graph has another entity with the name in that file.
            ("(1, 'one', 'b.rs')", &[]),
            ("(1, 'one', 'c.rs')", &[1]),
            ("(2, 'two', 'b.rs')", &[2]),
            ("(4, 'one', 'a.rs')", &[4]),
            ("(5, 'one', 'a.rs')", &[5]),
            ("(9, 'one', 'a.rs')", &[]),
        ] {
            assert_eq!(wrong(graph, metrics), expected, "{metrics}");
        }
    }
}
