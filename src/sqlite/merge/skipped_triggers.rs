//! Finds the triggers that statements would run if triggers were enabled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::sqlite::read::other_tables::shown_name;

/// For each trigger, the tables that it writes.
type Triggers = BTreeMap<String, BTreeSet<String>>;

/// The triggers that the statements, each paired with the table it writes, would run. Excludes
/// triggers that only write the tables in `kept_up`, which are updated by other means.
///
/// To find them, each statement is prepared, but not run, with triggers enabled.
pub(crate) fn skipped_triggers(
    connection: &mut Connection,
    statements: &[(&str, &str)],
    kept_up: &[String],
) -> rusqlite::Result<Vec<String>> {
    let mut triggers = prepared(connection, statements)?;
    let known = trigger_names(connection, None)?;
    triggers.retain(|name, written| {
        let is_kept_up =
            |table: &String| kept_up.iter().any(|kept| kept.eq_ignore_ascii_case(table));
        let is_needless = !written.is_empty() && written.iter().all(is_kept_up);
        known.contains(name) && !is_needless
    });
    Ok(triggers.into_keys().collect())
}

fn prepared(
    connection: &mut Connection,
    statements: &[(&str, &str)],
) -> rusqlite::Result<Triggers> {
    let found = Arc::new(Mutex::new(Triggers::new()));
    let seen = Arc::clone(&found);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if let Some(trigger) = context.accessor {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let written = seen.entry(trigger.to_owned()).or_default();
            if let AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } = context.action
            {
                written.insert(table_name.to_owned());
            }
        }
        Authorization::Allow
    }))?;
    let mut unknown = Vec::new();
    for (table, sql) in statements {
        // A trigger uses a missing function or table: report all triggers of the table.
        if connection.prepare(sql).is_err() {
            unknown.push(*table);
        }
    }
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    for table in unknown {
        let names = trigger_names(connection, Some(table))?;
        found.extend(names.into_iter().map(|name| (name, BTreeSet::new())));
    }
    Ok(found)
}

fn trigger_names(
    connection: &Connection,
    table: Option<&str>,
) -> rusqlite::Result<BTreeSet<String>> {
    connection
        .prepare(
            "SELECT name FROM main.sqlite_schema
             WHERE type = 'trigger' AND (?1 IS NULL OR tbl_name = ?1 COLLATE NOCASE)",
        )?
        .query_map([table], |row| row.get_ref(0).map(shown_name))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::open::hardening::defend;

    #[test]
    fn skipped_triggers_are_those_the_statements_would_run() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t (a, b); CREATE TABLE log (a); CREATE TABLE kept (a); CREATE TABLE far (a);
             CREATE TRIGGER on_insert AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;
             CREATE TRIGGER on_update_of_b BEFORE UPDATE OF b ON t BEGIN SELECT RAISE(ABORT, 'no'); END;
             CREATE TRIGGER on_delete AFTER DELETE ON t BEGIN DELETE FROM log; END;
             CREATE TRIGGER keeps AFTER INSERT ON t BEGIN INSERT INTO KEPT VALUES (new.a); END;
             CREATE TRIGGER both AFTER INSERT ON t
                 BEGIN INSERT INTO kept VALUES (new.a); UPDATE far SET a = 1; END;
             CREATE TRIGGER on_log AFTER INSERT ON log BEGIN DELETE FROM far; END;",
        )
        .unwrap();
        defend(&db).unwrap();
        let kept = ["kept".to_owned()];
        let mut skipped = |sql: &str| skipped_triggers(&mut db, &[("t", sql)], &kept).unwrap();
        assert_eq!(skipped("INSERT INTO t VALUES (?1, ?2)"), ["both", "on_insert", "on_log"]);
        assert_eq!(skipped("UPDATE t SET b = ?1"), ["on_update_of_b"]);
        assert!(skipped("UPDATE t SET a = ?1").is_empty());
        // No trigger ran, and none will.
        db.execute_batch("INSERT INTO t VALUES (1, 2)").unwrap();
        let logged: i64 = db.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap();
        assert_eq!(logged, 0);
    }

    #[test]
    fn all_triggers_that_cannot_be_prepared_are_reported() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t (a); CREATE TABLE u (a);
             CREATE TRIGGER odd AFTER INSERT ON T BEGIN SELECT not_here(new.a); END;
             CREATE TRIGGER even AFTER DELETE ON t BEGIN SELECT 1; END;
             CREATE TRIGGER other AFTER INSERT ON u BEGIN SELECT 1; END;",
        )
        .unwrap();
        let skipped = skipped_triggers(&mut db, &[("t", "INSERT INTO t VALUES (1)")], &[]).unwrap();
        assert_eq!(skipped, ["even", "odd"]);
    }
}
