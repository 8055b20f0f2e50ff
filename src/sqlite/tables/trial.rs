//! Creates a schema that may be hostile in an empty database in memory.

use std::collections::{HashMap, HashSet};
use std::fmt;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, ErrorCode, Result};

use super::claim::{Claim, ClaimType, objects, tables};
use super::columns::{Shape, TableList, rowid_name};
use super::{MAX_OBJECTS, is_reserved};
use crate::record::RecordKind;
use crate::sqlite::open::hardening::defend;
use crate::table::{CarriedTables, Settings};

/// The most entries that the schema may have with those that SQLite adds: a table has an index for
/// each UNIQUE constraint.
const MAX_ENTRIES: usize = 2 * MAX_OBJECTS;
/// The most tables or views in one database: to create an object SQLite looks at all others.
const MAX_SHARING: usize = 250;
/// The least limit for the length of a value, in bytes.
const LEAST_LENGTH_LIMIT: u64 = 16 << 20;
/// How SQLite begins every statement of a virtual table in `sqlite_schema`.
const VIRTUAL_TABLE: &str = "CREATE VIRTUAL TABLE ";

/// What a trial has found; nothing, if the whole schema can be created.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Trial {
    /// What is not what it claims to be: nothing of this schema may be created.
    pub(crate) refused: Vec<Refused>,
    /// What this build of SQLite can't create or address.
    pub(crate) impossible: Vec<Refused>,
}

/// An object that can't be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// "table", "virtual table", "index", "view" or "trigger"; "setting" for one of the database, and
    /// "schema" for the schema as a whole, which has no name.
    pub(crate) object_type: &'static str,
    pub(crate) name: String,
    /// A clause without a full stop; it may quote the schema.
    pub(crate) reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { object_type, name, reason } = self;
        match name.is_empty() {
            true => write!(f, "the {object_type}: {reason}"),
            false => write!(f, "{object_type} {name}: {reason}"),
        }
    }
}

impl Refused {
    /// Whether this is the object with a type and a name.
    pub(crate) fn is_of(&self, object_type: &str, name: &str) -> bool {
        self.object_type == object_type && self.name == name
    }

    fn new(object_type: &'static str, name: &str, reason: impl Into<String>) -> Self {
        Refused { object_type, name: name.to_owned(), reason: reason.into() }
    }
}

/// Tries to create a schema. `largest_value` is the length of the longest value that is carried.
///
/// # Errors
/// The trial itself failed, for example for lack of memory.
pub(crate) fn try_schema(carried: &CarriedTables, largest_value: u64) -> Result<Trial> {
    let objects = carried.whole.as_ref().map_or(0, |whole| whole.objects.len());
    let count = carried.tables.len().saturating_add(objects);
    if count > MAX_OBJECTS {
        let reason = format!("it has {count} objects, and at most {MAX_OBJECTS} are supported");
        return Ok(Trial {
            refused: vec![Refused::new("schema", "", reason)],
            impossible: Vec::new(),
        });
    }
    let mut attempt = Attempt::new(largest_value);
    attempt.check_settings(carried);
    attempt.run(carried)?;
    Ok(attempt.trial)
}

/// Limits the length of values to what the carried ones need: an expression of a schema could
/// otherwise ask for 1 GB.
pub(crate) fn limit_length(connection: &Connection, largest_value: u64) -> Result<()> {
    let limit = largest_value.saturating_mul(2).max(LEAST_LENGTH_LIMIT);
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, limit).map(drop)
}

struct Attempt {
    trial: Trial,
    largest_value: u64,
    /// No object needs to know of others than the table or view that it belongs to.
    databases: Vec<Database>,
    /// The place of the database with a table or view, whose name is in lower case.
    places: HashMap<String, usize>,
    /// The number of rows of all databases' `sqlite_schema`.
    entries: usize,
    /// The names that are taken, in lower case, and whether they are those of triggers.
    names: HashSet<(bool, String)>,
    /// The tables and views that were not created, in lower case, and whether they were refused.
    missing: HashMap<String, bool>,
}

/// An empty database in memory, in which some of the objects are created.
struct Database {
    connection: Connection,
    /// The last row of `sqlite_schema` that was checked.
    last_row: i64,
    /// The number of tables and views.
    shared_by: usize,
}

impl Database {
    fn new(largest_value: u64) -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        defend(&connection)?;
        limit_length(&connection, largest_value)?;
        // Every table and index takes a page.
        connection.pragma_update(None, "page_size", 512)?;
        Ok(Database { connection, last_row: 0, shared_by: 0 })
    }

    /// Compares what a statement has added to the schema with what was claimed. Returns the number of
    /// entries, and what is wrong.
    fn check_entries(&mut self, claim: &Claim<'_>) -> Result<(usize, Option<String>)> {
        let mut statement = self.connection.prepare(
            "SELECT rowid, type, name, tbl_name, sql FROM main.sqlite_schema
             WHERE rowid > ?1 ORDER BY rowid",
        )?;
        let mut rows = statement.query([self.last_row])?;
        let mut entries = 0;
        let mut found = false;
        let mut others = false;
        while let Some(row) = rows.next()? {
            self.last_row = row.get(0)?;
            entries += 1;
            let entry: (String, String, String, Option<String>) =
                (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            let entry = (entry.0.as_str(), entry.1.as_str(), entry.2.as_str(), entry.3.as_deref());
            if entry == (claim.claim_type.noun(), claim.name, claim.table, Some(claim.sql)) {
                found = true;
            } else {
                others |= !is_automatic(claim, entry);
            }
        }
        let problem = match (found, others) {
            (true, false) => None,
            (true, true) => Some("its statement creates something else too".into()),
            (false, _) => Some("its statement does not create exactly what is claimed".into()),
        };
        Ok((entries, problem))
    }
}

/// Why an object can't be created.
enum Objection {
    Refused(String),
    Impossible(String),
}

impl Attempt {
    fn new(largest_value: u64) -> Self {
        Attempt {
            trial: Trial::default(),
            largest_value,
            databases: Vec::new(),
            places: HashMap::new(),
            entries: 0,
            names: HashSet::new(),
            missing: HashMap::new(),
        }
    }

    /// The database for an object: that of its table, for a table or view the last one.
    fn database(&mut self, claim: &Claim<'_>) -> Result<&mut Database> {
        let has_place = matches!(claim.claim_type, ClaimType::Table | ClaimType::View);
        let known = match has_place {
            true => None,
            false => self.places.get(&claim.table.to_ascii_lowercase()).copied(),
        };
        let is_full = self.databases.last().is_none_or(|last| last.shared_by >= MAX_SHARING);
        if known.is_none() && is_full {
            self.databases.push(Database::new(self.largest_value)?);
        }
        let place = known.unwrap_or(self.databases.len().saturating_sub(1));
        if has_place {
            self.places.insert(claim.name.to_ascii_lowercase(), place);
        }
        let database = self.databases.get_mut(place).ok_or(Error::QueryReturnedNoRows)?;
        database.shared_by += usize::from(has_place);
        Ok(database)
    }

    fn check_settings(&mut self, carried: &CarriedTables) {
        let mut refuse = |name, value: &dyn std::fmt::Display| {
            let reason = format!("{value} is not a value that SQLite knows");
            self.trial.refused.push(Refused::new("setting", name, reason));
        };
        if !["UTF-8", "UTF-16le", "UTF-16be"].contains(&carried.encoding.as_str()) {
            refuse("encoding", &carried.encoding);
        }
        let Some(Settings { page_size, auto_vacuum, .. }) =
            carried.whole.as_ref().map(|whole| whole.settings)
        else {
            return;
        };
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            refuse("page_size", &page_size);
        }
        if auto_vacuum > 2 {
            refuse("auto_vacuum", &auto_vacuum);
        }
    }

    fn run(&mut self, carried: &CarriedTables) -> Result<()> {
        for claim in tables(carried) {
            self.examine(&claim, Self::create)?;
            if self.entries > MAX_ENTRIES {
                let reason = format!("its indexes make it larger than {MAX_ENTRIES} entries");
                self.trial.refused.push(Refused::new("schema", "", reason));
                return Ok(());
            }
        }
        self.check_columns(carried)?;
        for claim in objects(carried, ClaimType::VirtualTable) {
            self.examine(&claim, Self::check_virtual_table)?;
        }
        for claim_type in [ClaimType::Index, ClaimType::View, ClaimType::Trigger] {
            for claim in objects(carried, claim_type) {
                self.examine(&claim, Self::create)?;
            }
        }
        Ok(())
    }

    /// Makes an attempt at an object, unless its name or its table is in the way, and notes what
    /// came of it.
    fn examine(
        &mut self,
        claim: &Claim<'_>,
        attempt: fn(&mut Self, &Claim<'_>) -> Result<Option<Objection>>,
    ) -> Result<()> {
        let is_trigger = claim.claim_type == ClaimType::Trigger;
        let objection = if is_reserved(claim.name) {
            Some(Objection::Refused("the name is reserved for SQLite itself".into()))
        } else if !self.names.insert((is_trigger, claim.name.to_ascii_lowercase())) {
            Some(Objection::Refused("the name occurs twice".into()))
        } else if [claim.name, claim.table, claim.sql].iter().any(|text| text.contains('\0')) {
            Some(Objection::Refused("it contains a NUL character".into()))
        } else {
            match self.missing.get(&claim.table.to_ascii_lowercase()) {
                // The table is refused itself.
                Some(true) => None,
                Some(false) => {
                    Some(Objection::Impossible(format!("{} can't be created", claim.table)))
                }
                None => attempt(self, claim)?,
            }
        };
        if let Some(objection) = objection {
            self.object(claim, objection);
        }
        Ok(())
    }

    fn object(&mut self, claim: &Claim<'_>, objection: Objection) {
        let is_refused = matches!(objection, Objection::Refused(_));
        if matches!(claim.claim_type, ClaimType::Table | ClaimType::View) {
            self.missing.insert(claim.name.to_ascii_lowercase(), is_refused);
        }
        let (list, reason) = match objection {
            Objection::Refused(reason) => (&mut self.trial.refused, reason),
            Objection::Impossible(reason) => (&mut self.trial.impossible, reason),
        };
        list.push(Refused::new(claim.claim_type.noun(), claim.name, reason));
    }

    fn create(&mut self, claim: &Claim<'_>) -> Result<Option<Objection>> {
        let database = self.database(claim)?;
        match claim.create(&mut database.connection) {
            Ok(()) => {
                let (entries, problem) = database.check_entries(claim)?;
                self.entries += entries;
                Ok(problem.map(Objection::Refused))
            }
            Err(error) => objection(claim, error).map(Some),
        }
    }

    /// Checks a statement without running it: that would take the module, and create the shadow
    /// tables. So it is read in the way in which it will be restored, as a part of a schema.
    fn check_virtual_table(&mut self, claim: &Claim<'_>) -> Result<Option<Objection>> {
        if !claim.sql.starts_with(VIRTUAL_TABLE) || claim.table != claim.name {
            return Ok(Some(Objection::Refused("it is not a virtual table".into())));
        }
        if let Err(error) = claim.prepare(&mut self.database(claim)?.connection) {
            return objection(claim, error).map(Some);
        }
        let connection = Connection::open_in_memory()?;
        defend(&connection)?;
        match add_virtual_table_entries(&connection, [*claim]) {
            Ok(()) => Ok(None),
            Err(error) => objection(claim, error).map(Some),
        }
    }

    /// Checks that the values of rows will go into the columns that they were read from.
    fn check_columns(&mut self, carried: &CarriedTables) -> Result<()> {
        let lists: Vec<TableList> = self
            .databases
            .iter()
            .map(|database| TableList::read(&database.connection))
            .collect::<Result<_>>()?;
        for table in &carried.tables {
            let name = table.name.to_ascii_lowercase();
            let place = self.places.get(&name).filter(|_| !self.missing.contains_key(&name));
            let found = place.and_then(|at| self.databases.get(*at).zip(lists.get(*at)));
            let Some((Database { connection, .. }, list)) = found else {
                continue;
            };
            let shape = Shape::read(connection, &table.name, list)?;
            if table.kind.is_some_and(|kind| !is_table_of(kind, &table.name)) {
                let reason = "it is not the table of the kind of its records";
                self.object(&table.as_ref().into(), Objection::Refused(reason.into()));
            } else if !shape.is_claimed(table) {
                let reason = "its statement gives it other columns, or another key, than claimed";
                self.object(&table.as_ref().into(), Objection::Refused(reason.into()));
            } else if table.rowid && rowid_name(connection, &table.name)?.is_none() {
                let reason = "columns named rowid, _rowid_ and oid hide its rowid";
                self.object(&table.as_ref().into(), Objection::Impossible(reason.into()));
            }
        }
        Ok(())
    }
}

/// Adds virtual tables to a schema without creating them, and reads the schema again.
pub(super) fn add_virtual_table_entries<'a>(
    connection: &Connection,
    claims: impl IntoIterator<Item = Claim<'a>>,
) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    connection.pragma_update(None, "writable_schema", true)?;
    {
        let mut statement = connection.prepare(
            "INSERT INTO main.sqlite_schema (type, name, tbl_name, rootpage, sql)
             VALUES ('table', ?1, ?1, 0, ?2)",
        )?;
        for claim in claims {
            statement.execute([claim.name, claim.sql])?;
        }
    }
    connection.pragma_update(None, "writable_schema", "RESET")?;
    connection.query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))
}

/// Whether SQLite adds an entry to the schema for a table by itself.
fn is_automatic(claim: &Claim<'_>, entry: (&str, &str, &str, Option<&str>)) -> bool {
    claim.claim_type == ClaimType::Table
        && match entry {
            ("index", name, table, None) => is_reserved(name) && table == claim.name,
            ("table", name, _, Some(_)) => name == "sqlite_sequence",
            _ => false,
        }
}

fn is_table_of(kind: RecordKind, name: &str) -> bool {
    name.eq_ignore_ascii_case(kind.schema().table)
}

/// Judges why SQLite doesn't create an object.
fn objection(claim: &Claim<'_>, error: Error) -> Result<Objection> {
    let noun = claim.claim_type.noun();
    let (code, message) = match &error {
        Error::MultipleStatement => {
            return Ok(Objection::Refused("it has more than one statement".into()));
        }
        Error::Empty => return Ok(Objection::Refused("it has no statement".into())),
        Error::SqlInputError { error, msg, .. } => (error.code, msg.clone()),
        Error::SqliteFailure(error, Some(message)) => (error.code, message.clone()),
        Error::SqliteFailure(error, None) => (error.code, error.to_string()),
        _ => return Err(error),
    };
    match code {
        ErrorCode::AuthorizationForStatementDenied => {
            let reason = format!("its statement does something else than to create this {noun}");
            Ok(Objection::Refused(reason))
        }
        ErrorCode::Unknown | ErrorCode::TooBig if is_lacking(&message) => {
            Ok(Objection::Impossible(message))
        }
        ErrorCode::Unknown | ErrorCode::TooBig | ErrorCode::DatabaseCorrupt => {
            Ok(Objection::Refused(message))
        }
        _ => Err(error),
    }
}

/// Whether SQLite lacks something that the database's own program has.
fn is_lacking(message: &str) -> bool {
    [
        "no such function: ",
        "wrong number of arguments to function ",
        "no such collation sequence: ",
        "too many columns ",
    ]
    .iter()
    .any(|beginning| message.starts_with(beginning))
}
