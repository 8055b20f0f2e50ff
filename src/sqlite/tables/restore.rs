//! Brings a schema and its settings back in a new database, step by step.
//!
//! The order is: [`prepare`]; in one transaction [`create_tables`], the rows, [`set_sequences`] and
//! [`apply_settings`]; then [`create_virtual_tables`], [`create_indexes`] and
//! [`create_views_and_triggers`]; after the database is closed [`set_wal`]. The schema must have passed the [trial](super::trial).

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, OpenFlags, Result, ffi};

use super::claim::{ClaimType, objects, tables};
use super::trial::{add_virtual_table_entries, limit_length};
use crate::sqlite::open::hardening::defend;
use crate::table::{CarriedTables, Settings};

/// Configures a new database that has no tables, outside a transaction. `largest_value` is the length
/// of the longest value that is carried.
pub(crate) fn prepare(
    connection: &Connection,
    carried: &CarriedTables,
    largest_value: u64,
) -> Result<()> {
    defend(connection)?;
    // Shadow tables have triggers and indexes too.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    limit_length(connection, largest_value)?;
    if let Some(Settings { page_size, auto_vacuum, .. }) =
        carried.whole.as_ref().map(|whole| whole.settings)
    {
        connection.pragma_update(None, "page_size", page_size)?;
        connection.pragma_update(None, "auto_vacuum", auto_vacuum)?;
    }
    connection.pragma_update(None, "encoding", &carried.encoding)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "ignore_check_constraints", true)
}

/// Creates the ordinary tables, without their indexes.
pub(crate) fn create_tables(connection: &mut Connection, carried: &CarriedTables) -> Result<()> {
    tables(carried).try_for_each(|claim| claim.create(connection))
}

/// Sets the AUTOINCREMENT sequences of all tables whose rows are not records of a kind.
pub(crate) fn set_sequences(connection: &Connection, carried: &CarriedTables) -> Result<()> {
    let exists = connection.table_exists(Some("main"), "sqlite_sequence")?;
    if !exists && carried.sequences.is_empty() {
        return Ok(());
    }
    if !exists {
        let name = unused_name(connection)?;
        connection.execute_batch(&format!(
            "CREATE TABLE main.{name} (id INTEGER PRIMARY KEY AUTOINCREMENT);
             DROP TABLE main.{name}"
        ))?;
    }
    let mut delete = connection.prepare("DELETE FROM main.sqlite_sequence WHERE rowid = ?1")?;
    let mut select = connection.prepare("SELECT rowid, name FROM main.sqlite_sequence")?;
    let rows: Vec<(i64, String)> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_>>()?;
    let is_of_kind =
        |name: &str| carried.tables.iter().any(|table| table.kind.is_some() && table.name == name);
    for (rowid, _) in rows.iter().filter(|(_, name)| !is_of_kind(name)) {
        delete.execute([rowid])?;
    }
    let mut insert =
        connection.prepare("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?1, ?2)")?;
    carried.sequences.iter().try_for_each(|sequence| insert.execute(sequence.clone()).map(drop))
}

fn unused_name(connection: &Connection) -> Result<String> {
    let mut name = String::from("t");
    while connection.table_exists(Some("main"), name.as_str())? {
        name.push('t');
    }
    Ok(name)
}

/// Adds the virtual tables to the schema. Their shadow tables are ordinary tables that exist already,
/// and the module need not exist.
pub(crate) fn create_virtual_tables(
    connection: &Connection,
    carried: &CarriedTables,
) -> Result<()> {
    let mut claims = objects(carried, ClaimType::VirtualTable).peekable();
    match claims.peek() {
        Some(_) => add_virtual_table_entries(connection, claims),
        None => Ok(()),
    }
}

/// Creates the indexes.
pub(crate) fn create_indexes(connection: &mut Connection, carried: &CarriedTables) -> Result<()> {
    objects(carried, ClaimType::Index).try_for_each(|claim| claim.create(connection))
}

/// Creates the views, then the triggers.
pub(crate) fn create_views_and_triggers(
    connection: &mut Connection,
    carried: &CarriedTables,
) -> Result<()> {
    for claim_type in [ClaimType::View, ClaimType::Trigger] {
        objects(carried, claim_type).try_for_each(|claim| claim.create(connection))?;
    }
    Ok(())
}

/// Sets what other programs recognize a database by.
pub(crate) fn apply_settings(connection: &Connection, settings: &Settings) -> Result<()> {
    connection.pragma_update(None, "user_version", settings.user_version)?;
    connection.pragma_update(None, "application_id", settings.application_id)
}

/// Puts a closed database that nobody else can see into WAL mode. Leaves no sidecar files, and does
/// not sync the file.
pub(crate) fn set_wal(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mut mode = String::new();
    // The statement writes after it has returned the mode.
    while let Some(row) = rows.next()? {
        mode = row.get(0)?;
    }
    drop(rows);
    statement.finalize()?;
    if mode != "wal" {
        let message = format!("the journal mode stays {mode}");
        return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(message)));
    }
    connection.close().map_err(|(_, error)| error)
}
