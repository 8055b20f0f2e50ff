//! Describes the tables of a database, so that their rows can be carried.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::columns::{Shape, TableList, rowid_name};
use super::read::MAX_COLUMNS;

use super::{MAX_OBJECTS, is_reserved};
use crate::error::{Error, Result};
use crate::record::{KindSet, RecordKind};
use crate::sqlite::open::connection::reading;
use crate::sqlite::read::other_tables::{self, columns_of_table, shown_name};
use crate::sqlite::schema::quoted;
use crate::stream::UncopiedTable;
use crate::table::{
    CarriedTables, ObjectType, SchemaObject, Settings, TableSchema, TableSelection, WholeDatabase,
};

/// More key columns can't be arguments of one function.
const MAX_KEY_COLUMNS: usize = 60;
/// SQLite's own table of sequences.
const SEQUENCES: &str = "sqlite_sequence";

/// The tables of a database that are carried.
#[derive(Debug, Default)]
pub(crate) struct Described {
    /// Whether any tables were asked for.
    pub(crate) is_selected: bool,
    pub(crate) carried: CarriedTables,
    /// How each table is read, in the order of [`CarriedTables::tables`].
    pub(crate) access: Vec<TableAccess>,
    /// Selected tables and objects that can't be carried, each with the reason.
    pub(crate) left_out: Vec<UncopiedTable>,
}

/// How the rows of a table are addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableAccess {
    /// A name for the rowid in SQL; `None` for a WITHOUT ROWID table.
    pub(crate) rowid: Option<String>,
    /// Whether keys are integers that sort as the rowids do.
    pub(crate) is_keyed_by_rowid: bool,
}

impl Described {
    /// Describes the selected tables. Those of the kinds in `only` whose columns are exactly the
    /// kind's are described as such. `path` is for messages; whether the database is in WAL mode is
    /// known from its file.
    ///
    /// # Errors
    /// There are more than [`MAX_OBJECTS`] objects, or the schema can't be read.
    pub(crate) fn read(
        connection: &Connection,
        path: &Path,
        wal_mode: bool,
        selection: &TableSelection,
        only: KindSet,
    ) -> Result<Self> {
        if selection.is_none() {
            return Ok(Described::default());
        }
        let list = TableList::read(connection).map_err(reading(path))?;
        let schema = Schema { connection, path, list };
        let objects = schema.objects()?;
        let mut described = Described { is_selected: true, ..Described::default() };
        described.carried.encoding = schema.pragma("encoding")?;
        let mut rest = Vec::new();
        for object in objects {
            match schema.sort(object, selection, only)? {
                Sorted::Table(table, access) => {
                    described.carried.tables.push(Arc::new(table));
                    described.access.push(access);
                }
                Sorted::Object(object) => rest.push(object),
                Sorted::LeftOut(table) => described.left_out.push(table),
                Sorted::NotSelected => {}
            }
        }
        let mut left_out_too = Vec::new();
        rest.retain(|object| {
            let is_gone = described.left_out.iter().any(|table| table.name == object.table);
            if is_gone {
                let reason = format!("its table {} cannot be carried", object.table);
                left_out_too.push(UncopiedTable::left_out(object.name.clone(), reason));
            }
            !is_gone
        });
        described.left_out.append(&mut left_out_too);
        let is_whole = *selection == TableSelection::All;
        described.carried.sequences = schema.sequences(&described.carried, is_whole)?;
        if is_whole && schema.has_odd_sequences()? {
            let reason = "rows without a name or an integer".to_owned();
            described.left_out.push(UncopiedTable::left_out(SEQUENCES.to_owned(), reason));
        }
        if is_whole {
            let settings = schema.settings(wal_mode)?;
            described.carried.whole = Some(WholeDatabase { settings, objects: rest });
        }
        Ok(described)
    }
}

impl Described {
    /// How the rows of a carried table are read.
    pub(crate) fn access_to(&self, table: &str) -> Option<&TableAccess> {
        let mut tables = self.carried.tables.iter().zip(&self.access);
        tables.find(|(carried, _)| carried.name == table).map(|(_, access)| access)
    }

    /// Adds the reasons to tables that are not carried, and removes those that are.
    pub(crate) fn without_carried(&self, mut others: Vec<UncopiedTable>) -> Vec<UncopiedTable> {
        others.retain(|other| !self.carried.tables.iter().any(|table| table.name == other.name));
        for other in &mut others {
            let left_out = self.left_out.iter().find(|left_out| left_out.name == other.name);
            if let Some(left_out) = left_out {
                other.reason.clone_from(&left_out.reason);
                other.is_lost = left_out.is_lost;
            }
        }
        others
    }
}

/// Checks that each named table is an ordinary one.
///
/// # Errors
/// [`Error::NoSuchTable`] or [`Error::TableNeedsAll`].
pub(crate) fn check_names(
    connection: &Connection,
    path: &Path,
    selection: &TableSelection,
) -> Result<()> {
    let TableSelection::Named(names) = selection else {
        return Ok(());
    };
    let list = TableList::read(connection).map_err(reading(path))?;
    let tables = other_tables::names(connection).map_err(reading(path))?;
    for name in names {
        let path = path.to_owned();
        let is_named = |table: &&String| table.eq_ignore_ascii_case(name);
        match tables.iter().find(is_named) {
            Some(table) if !list.is_virtual(table) => {}
            None if !is_reserved(name) => {
                let is_ordinary = |table: &String| list.is_ordinary(table);
                let tables = tables.into_iter().filter(is_ordinary).collect();
                return Err(Error::NoSuchTable { path, table: name.clone(), tables });
            }
            _ => return Err(Error::TableNeedsAll { path, table: name.clone() }),
        }
    }
    Ok(())
}

/// Whether the columns of a kind's table are exactly the kind's and none is generated, so that each row
/// can be a record.
pub(crate) fn is_exactly_of(connection: &Connection, kind: RecordKind) -> rusqlite::Result<bool> {
    let fields = kind.schema().fields;
    let Some(columns) = columns_of_table(connection, kind.table())? else {
        return Ok(false);
    };
    let is_field = |column: &String| fields.iter().any(|f| f.name.eq_ignore_ascii_case(column));
    let is_ordinary: bool = connection.query_row(
        "SELECT NOT wr AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 0)
         FROM pragma_table_list(?1) WHERE schema = 'main'",
        [kind.table()],
        |row| row.get(0),
    )?;
    Ok(is_ordinary && columns.len() == fields.len() && columns.iter().all(is_field))
}

/// An object of the schema as `sqlite_schema` has it.
struct Object {
    object_type: String,
    name: String,
    table: String,
    sql: String,
    /// Whether the texts are valid UTF-8.
    is_text: bool,
}

enum Sorted {
    Table(TableSchema, TableAccess),
    Object(SchemaObject),
    LeftOut(UncopiedTable),
    NotSelected,
}

impl Sorted {
    fn left_out(name: String, reason: impl Into<String>) -> Self {
        Sorted::LeftOut(UncopiedTable::left_out(name, reason.into()))
    }
}

struct Schema<'c> {
    connection: &'c Connection,
    path: &'c Path,
    list: TableList,
}

impl Schema<'_> {
    fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + '_ {
        reading(self.path)
    }

    /// All objects with a statement, in the order in which they were created.
    fn objects(&self) -> Result<Vec<Object>> {
        let count: usize = self
            .connection
            .query_row("SELECT count(*) FROM main.sqlite_schema", [], |row| row.get(0))
            .map_err(self.failed())?;
        if count > MAX_OBJECTS {
            let path = self.path.to_owned();
            return Err(Error::TooManyObjects { path, count, limit: MAX_OBJECTS });
        }
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT type, name, tbl_name, sql FROM main.sqlite_schema
                 WHERE sql IS NOT NULL ORDER BY rowid",
            )?;
            let objects = statement.query_map([], |row| {
                let text = |index| row.get_ref(index).map(shown_name);
                let mut is_text = true;
                for index in 0..4 {
                    let valid = matches!(row.get_ref(index)?, ValueRef::Text(bytes) if str::from_utf8(bytes).is_ok());
                    is_text &= valid;
                }
                Ok(Object {
                    object_type: text(0)?,
                    name: text(1)?,
                    table: text(2)?,
                    sql: text(3)?,
                    is_text,
                })
            })?;
            objects.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.failed())
    }

    fn sort(&self, object: Object, selection: &TableSelection, only: KindSet) -> Result<Sorted> {
        let is_table = object.object_type == "table";
        let is_selected = match is_table {
            true => selection.contains(&object.name),
            false => *selection == TableSelection::All,
        };
        // SQLite creates these itself.
        if !is_selected || object.name.eq_ignore_ascii_case(SEQUENCES) {
            return Ok(Sorted::NotSelected);
        }
        let left_out = |reason: &str| Ok(Sorted::left_out(object.name.clone(), reason));
        if is_reserved(&object.name) {
            return Ok(Sorted::LeftOut(UncopiedTable::statistics(object.name)));
        }
        if !object.is_text {
            return left_out("its name or statement is not valid text");
        }
        let object_type = match object.object_type.as_str() {
            "index" => ObjectType::Index,
            "view" => ObjectType::View,
            "trigger" => ObjectType::Trigger,
            "table" if self.list.is_virtual(&object.name) => ObjectType::VirtualTable,
            "table" => return self.table(object, only),
            _ => return left_out("its type is unknown"),
        };
        let Object { name, table, sql, .. } = object;
        Ok(Sorted::Object(SchemaObject { object_type, name, table, sql }))
    }

    fn table(&self, object: Object, only: KindSet) -> Result<Sorted> {
        let Object { name, sql, .. } = object;
        let shape = Shape::read(self.connection, &name, &self.list).map_err(self.failed())?;
        let has_no_rowid = self.list.is_without_rowid(&name);
        let alias = shape.key.first().filter(|_| !has_no_rowid && !shape.rowid);
        let rowid = match alias.and_then(|place| shape.columns.get(*place)) {
            Some(alias) => Some(quoted(alias)),
            None if has_no_rowid => None,
            None => match rowid_name(self.connection, &name).map_err(self.failed())? {
                Some(free) => Some(free.to_owned()),
                None => return Ok(Sorted::left_out(name, "its columns hide the rowid")),
            },
        };
        if shape.key.len() > MAX_KEY_COLUMNS {
            let reason = format!("its primary key has more than {MAX_KEY_COLUMNS} columns");
            return Ok(Sorted::left_out(name, reason));
        }
        if has_no_rowid && shape.columns.len() > MAX_COLUMNS {
            let reason = format!("it has no rowid and more than {MAX_COLUMNS} columns");
            return Ok(Sorted::left_out(name, reason));
        }
        let mut kinds = only.iter();
        let kind = kinds.find(|kind| kind.table().eq_ignore_ascii_case(&name));
        let kind = match kind {
            Some(kind) if is_exactly_of(self.connection, kind).map_err(self.failed())? => {
                Some(kind)
            }
            _ => None,
        };
        let is_keyed_by_rowid = alias.is_some() || shape.key.is_empty();
        let Shape { columns, key, rowid: stores_rowid } = shape;
        let access = TableAccess { rowid, is_keyed_by_rowid };
        let table = TableSchema { name, kind, columns, key, rowid: stores_rowid, sql };
        Ok(Sorted::Table(table, access))
    }

    fn has_sequences(&self) -> Result<bool> {
        let columns = columns_of_table(self.connection, SEQUENCES).map_err(self.failed())?;
        Ok(columns.is_some())
    }

    /// Whether SQLite's table of sequences has rows that it would not write itself.
    fn has_odd_sequences(&self) -> Result<bool> {
        if !self.has_sequences()? {
            return Ok(false);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM main.sqlite_sequence
             WHERE typeof(name) <> 'text' OR typeof(seq) <> 'integer')";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(self.failed())
    }

    /// The sequences of the tables whose rows are carried as they are; of a whole database, also those
    /// of tables that don't exist.
    fn sequences(&self, carried: &CarriedTables, is_whole: bool) -> Result<Vec<(String, i64)>> {
        if !self.has_sequences()? {
            return Ok(Vec::new());
        }
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT name, seq FROM main.sqlite_sequence
                 WHERE typeof(name) = 'text' AND typeof(seq) = 'integer' ORDER BY rowid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((row.get_ref(0).map(shown_name)?, row.get::<_, i64>(1)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let mut sequences = read().map_err(self.failed())?;
        sequences.retain(|(name, _)| {
            let is_named = |table: &&Arc<TableSchema>| table.name.eq_ignore_ascii_case(name);
            match carried.tables.iter().find(is_named) {
                Some(table) => table.kind.is_none(),
                None => is_whole,
            }
        });
        Ok(sequences)
    }

    fn settings(&self, wal: bool) -> Result<Settings> {
        Ok(Settings {
            page_size: self.pragma("page_size")?,
            auto_vacuum: self.pragma("auto_vacuum")?,
            user_version: self.pragma("user_version")?,
            application_id: self.pragma("application_id")?,
            wal,
        })
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<T> {
        self.connection
            .pragma_query_value(Some("main"), name, |row| row.get(0))
            .map_err(self.failed())
    }
}
