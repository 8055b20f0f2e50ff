//! Restrictions for connections to untrusted databases.
//!
//! A schema contains code that SQLite runs for whoever reads or writes the tables. Every connection
//! to an existing database is configured with [`defend`].

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Result};

/// Threads that SQLite may use for sorting.
pub(crate) const SORTING_THREADS: u32 = 1;

/// Limits that no database of records reaches. The limits for value length, expressions and
/// compound queries stay at SQLite's defaults, because a schema may legitimately use them up.
const LIMITS: [(Limit, i32); 5] = [
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
    (Limit::SQLITE_LIMIT_VDBE_OP, 5_000_000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, SORTING_THREADS.cast_signed()),
];

/// Disables every feature of a schema that the record tables don't need: functions that are not
/// known to be harmless, views, triggers, double-quoted strings, writes to SQLite's own tables,
/// other databases, and anything above [`LIMITS`]. Loading extensions through SQL is disabled by
/// default.
pub(crate) fn defend(connection: &Connection) -> Result<()> {
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(config, on)?;
    }
    for (limit, value) in LIMITS {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defended(schema: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(schema).unwrap();
        defend(&connection).unwrap();
        connection
    }

    fn refused(connection: &Connection, sql: &str) -> String {
        connection.execute_batch(sql).unwrap_err().to_string()
    }

    #[test]
    fn no_extension_can_be_loaded() {
        let connection = defended("");
        let error = refused(&connection, "SELECT load_extension('libc.so.6')");
        assert!(error.contains("not authorized"), "{error}");
    }

    #[test]
    fn no_other_database_can_be_attached() {
        let connection = defended("");
        for sql in ["ATTACH ':memory:' AS other", "VACUUM INTO '/nowhere/out'"] {
            let error = refused(&connection, sql);
            assert!(error.contains("too many attached databases"), "{error}");
        }
    }

    #[test]
    fn no_view_is_evaluated_and_no_trigger_runs() {
        let connection = defended(
            "CREATE TABLE t (a);
             CREATE VIEW v AS SELECT 1;
             CREATE TRIGGER r BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'it ran'); END;",
        );
        let error = refused(&connection, "SELECT * FROM v");
        assert!(error.contains("access to view"), "{error}");
        connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    }

    #[test]
    fn the_schema_cannot_be_edited_directly() {
        let connection = defended("CREATE TABLE t (a)");
        connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
        let error = refused(&connection, "UPDATE sqlite_schema SET sql = ''");
        assert!(error.contains("may not be modified"), "{error}");
    }

    #[test]
    fn a_column_name_is_never_read_as_a_string() {
        let connection = defended("CREATE TABLE t (a)");
        let error = refused(&connection, "SELECT \"nothing\" FROM t");
        assert!(error.contains("no such column"), "{error}");
    }

    #[test]
    fn statements_and_patterns_have_limits() {
        let connection = defended("");
        let long = format!("SELECT 1 -- {}", "x".repeat(1 << 20));
        assert!(connection.execute_batch(&long).is_err());
        let pattern = format!("SELECT 'a' LIKE '{}'", "%a".repeat(1000));
        let error = refused(&connection, &pattern);
        assert!(error.contains("pattern too complex"), "{error}");
    }

    #[test]
    fn a_value_may_be_as_large_as_sqlite_allows() {
        let fresh = Connection::open_in_memory().unwrap();
        let length = |c: &Connection| c.limit(Limit::SQLITE_LIMIT_LENGTH).unwrap();
        assert_eq!(length(&defended("")), length(&fresh));
    }

    #[test]
    fn every_limit_is_in_force() {
        let connection = defended("");
        for (limit, value) in LIMITS {
            assert_eq!(connection.limit(limit).unwrap(), value, "{limit:?}");
        }
    }
}
